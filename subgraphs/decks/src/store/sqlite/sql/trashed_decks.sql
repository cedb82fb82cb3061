-- The decks in an entry of the trash.
SELECT {columns}
FROM deck
WHERE trash_id = ?1
