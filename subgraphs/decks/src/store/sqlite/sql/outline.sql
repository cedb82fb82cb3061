-- All cards of a deck without their texts.
SELECT id, position, version, created_at, note_id
FROM card
WHERE deck_id = ?1 AND trash_id IS NULL
ORDER BY position, id
