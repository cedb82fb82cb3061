-- One page of the entries of a person's trash that are listed. ?1: the person, ?2: how many.
-- {direction} is ASC or DESC, {beyond} empty or the condition that a cursor adds.
SELECT id, owner_id, kind, title, deck_count, card_count, deleted_at, media_count
FROM trash
WHERE owner_id = ?1 AND kind NOT IN (2, 3) {beyond}
ORDER BY deleted_at {direction}, id {direction}
LIMIT ?2
