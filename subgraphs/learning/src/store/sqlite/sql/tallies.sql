-- ?1 the owner, ?2 and ?3 the first and the last day
SELECT day, deck, duration_ms, numbers FROM tally WHERE owner = ?1 AND day BETWEEN ?2 AND ?3 ORDER BY day
