SELECT duration_ms, numbers FROM tally WHERE owner = ?1 AND day = ?2 AND deck = ?3
