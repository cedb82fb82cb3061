-- Files that only notes name which end with an entry of the trash: all their cards lie in it, or in a deck in it. ?1: the entry, ?2: how many.
WITH
    going AS (
        SELECT note_id FROM card WHERE trash_id = ?1
        UNION
        SELECT card.note_id FROM card JOIN deck ON deck.id = card.deck_id WHERE deck.trash_id = ?1
    ),
    named AS (
        SELECT DISTINCT note_media.owner_id, note_media.name FROM going JOIN note_media ON note_media.note_id = going.note_id
    )
SELECT {columns}
FROM media
WHERE (owner_id, name) IN (SELECT owner_id, name FROM named)
AND staged_by IS NULL
AND NOT EXISTS (
    SELECT 1
    FROM note_media
    JOIN card ON card.note_id = note_media.note_id
    JOIN deck ON deck.id = card.deck_id
    WHERE note_media.owner_id = media.owner_id AND note_media.name = media.name
    AND card.trash_id IS NOT ?1 AND deck.trash_id IS NOT ?1
)
LIMIT ?2
