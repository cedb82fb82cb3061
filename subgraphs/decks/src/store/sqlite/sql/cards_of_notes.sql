-- The cards of notes, also those in the trash. ?1: JSON list of ids in hexadecimal.
SELECT {columns}
FROM card
WHERE note_id IN (SELECT unhex(value) FROM json_each(?1))
ORDER BY note_id, ordinal
