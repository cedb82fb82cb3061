-- One page of the tags of a person's notes that have a card which is not in the trash. ?1: the person, ?2: how many, ?3: the key beyond
-- which the page starts, or NULL, ?4: the key of a tag, ?5: where those below it start, both NULL for all tags.
-- {direction} is ASC or DESC, {sign} is > or <.
SELECT min(tag), count(*)
FROM note_tag
WHERE owner_id = ?1
    AND (?3 IS NULL OR key {sign} ?3)
    AND (?4 IS NULL OR key = ?4 OR substr(key, 1, length(?5)) = ?5)
    AND EXISTS (SELECT 1 FROM card WHERE card.note_id = note_tag.note_id AND trash_id IS NULL)
GROUP BY key
ORDER BY key {direction}
LIMIT ?2
