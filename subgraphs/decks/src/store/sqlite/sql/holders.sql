-- What a person's bytes are kept for. ?1: the person, ?2: JSON list of hashes in hexadecimal.
WITH wanted AS (SELECT unhex(value) AS hash FROM json_each(?2))
SELECT id, hash FROM media WHERE owner_id = ?1 AND hash IN (SELECT hash FROM wanted)
UNION ALL
SELECT id, hash FROM trashed_media WHERE owner_id = ?1 AND hash IN (SELECT hash FROM wanted)
UNION ALL
SELECT id, hash FROM published_media WHERE owner_id = ?1 AND hash IN (SELECT hash FROM wanted)
