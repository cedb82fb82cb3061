-- ?1 the owner, ?2 and ?3 the first and the last day, ?4 decks in hexadecimal as a JSON array
SELECT t.day, t.duration_ms, t.numbers
FROM json_each(?4) AS wanted
CROSS JOIN tally AS t ON t.owner = ?1 AND t.deck = unhex(wanted.value)
WHERE t.day BETWEEN ?2 AND ?3
