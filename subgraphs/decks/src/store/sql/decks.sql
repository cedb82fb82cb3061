-- Decks by id. ?1: JSON list of ids in hexadecimal.
SELECT id, owner_id, name, description, color, created_at, updated_at, version, card_count, last_place, revision
FROM deck
WHERE id IN (SELECT unhex(value) FROM json_each(?1))
