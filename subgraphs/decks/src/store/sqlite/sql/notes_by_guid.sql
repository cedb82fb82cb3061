-- A person's notes with one of the global ids that have a card which is not in the trash. ?1: the person, ?2: JSON list of global ids.
SELECT {columns}
FROM json_each(?2) AS wanted
CROSS JOIN note ON note.owner_id = ?1 AND note.guid = wanted.value
WHERE EXISTS (SELECT 1 FROM card WHERE card.note_id = note.id AND trash_id IS NULL)
