-- ?1 the owner, ?2 the local day, ?3 decks in hexadecimal as a JSON array
SELECT t.deck, t.duration_ms, t.numbers
FROM json_each(?3) AS wanted
CROSS JOIN tally AS t ON t.owner = ?1 AND t.deck = unhex(wanted.value) AND t.day = ?2
