-- The decks in a deck at any depth. ?1: the person, ?2: the path of those right in it.
SELECT {columns}
FROM deck
WHERE owner_id = ?1 AND substr(path, 1, length(?2)) = ?2 AND trash_id IS NULL
