-- Notes by id. ?1: JSON list of ids in hexadecimal.
SELECT {columns}
FROM note
WHERE id IN (SELECT unhex(value) FROM json_each(?1))
