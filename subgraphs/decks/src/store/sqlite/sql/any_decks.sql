-- Some decks of a person, also those in the trash. ?1: the person, ?2: how many.
SELECT {columns}
FROM deck
WHERE owner_id = ?1
LIMIT ?2
