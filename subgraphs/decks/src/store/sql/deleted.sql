-- Those of the ids that were deleted. ?1: JSON list of ids in hexadecimal.
SELECT id
FROM deleted
WHERE id IN (SELECT unhex(value) FROM json_each(?1))
