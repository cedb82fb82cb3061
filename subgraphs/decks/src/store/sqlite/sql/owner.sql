-- What is known of a person.
SELECT deck_count, gone, revision
FROM owner
WHERE id = ?1
