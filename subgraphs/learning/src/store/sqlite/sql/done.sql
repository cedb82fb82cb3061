-- ?1 the owner, ?2 the local day
SELECT deck, duration_ms, numbers FROM tally WHERE owner = ?1 AND day = ?2
