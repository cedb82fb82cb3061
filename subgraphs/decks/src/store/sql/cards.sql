-- Cards by id. ?1: JSON list of ids in hexadecimal.
SELECT id, deck_id, owner_id, position, question, answer, source_start, source_end, created_at, updated_at, version
FROM card
WHERE id IN (SELECT unhex(value) FROM json_each(?1))
