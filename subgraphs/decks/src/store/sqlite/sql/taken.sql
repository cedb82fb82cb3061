-- Those of the ids that belong to something, or did. ?1: JSON list of ids in hexadecimal.
WITH wanted AS (SELECT unhex(value) AS id FROM json_each(?1))
SELECT id FROM deck WHERE id IN (SELECT id FROM wanted)
UNION SELECT id FROM note WHERE id IN (SELECT id FROM wanted)
UNION SELECT id FROM card WHERE id IN (SELECT id FROM wanted)
UNION SELECT id FROM deleted WHERE id IN (SELECT id FROM wanted)
