-- How many tags a person's notes have that have a card which is not in the trash. ?1: the person, ?2: the key of a tag, ?3: where those below it
-- start, both NULL for all tags.
SELECT count(DISTINCT key)
FROM note_tag
WHERE owner_id = ?1
    AND (?2 IS NULL OR key = ?2 OR substr(key, 1, length(?3)) = ?3)
    AND EXISTS (SELECT 1 FROM card WHERE card.note_id = note_tag.note_id AND trash_id IS NULL)
