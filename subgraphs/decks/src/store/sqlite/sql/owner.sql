-- What is known of a person.
SELECT deck_count, gone, revision, media_count, media_bytes
FROM owner
WHERE id = ?1
