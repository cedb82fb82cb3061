-- The cards of decks. ?1: JSON list of deck ids in hexadecimal, ?2: how many.
SELECT id
FROM card
WHERE deck_id IN (SELECT unhex(value) FROM json_each(?1)) AND trash_id IS NULL
ORDER BY deck_id, position, id
LIMIT ?2
