-- The oldest entry of the trash that was made before ?1.
SELECT id, owner_id, kind, title, deck_count, card_count, deleted_at, media_count
FROM trash
WHERE deleted_at < ?1
ORDER BY deleted_at, id
LIMIT 1
