-- One page of the decks of a person. ?1: the person, ?2: how many.
-- {key} is the sorted column, {direction} ASC or DESC, {beyond} empty or the condition that a cursor adds.
SELECT id, owner_id, name, description, color, created_at, updated_at, version, card_count, last_place, revision
FROM deck
WHERE owner_id = ?1 {beyond}
ORDER BY {key} {direction}, id {direction}
LIMIT ?2
