-- The first of a person's notes with a tag, or one below it. ?1: the person, ?2: the tag's key, ?3: where those below it start,
-- ?4: how many, ?5: the id beyond which they are.
SELECT {columns}
FROM note
WHERE id IN (
    SELECT DISTINCT note_id
    FROM note_tag
    WHERE owner_id = ?1 AND (key = ?2 OR substr(key, 1, length(?3)) = ?3) AND note_id > ?5
    ORDER BY note_id
    LIMIT ?4
)
ORDER BY id
