-- Ids and places of the decks in a deck, or at the top. ?1: the person, ?2: the deck or NULL.
SELECT id, position
FROM deck
WHERE owner_id = ?1 AND parent_id IS ?2 AND trash_id IS NULL
ORDER BY position, id
