-- Decks by id. ?1: JSON list of ids in hexadecimal.
SELECT {columns}
FROM deck
WHERE id IN (SELECT unhex(value) FROM json_each(?1)) AND trash_id IS NULL
