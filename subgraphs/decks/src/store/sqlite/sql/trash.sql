-- Entries of the trash by id. ?1: JSON list of ids in hexadecimal.
SELECT id, owner_id, kind, title, deck_count, card_count, deleted_at, media_count
FROM trash
WHERE id IN (SELECT unhex(value) FROM json_each(?1))
