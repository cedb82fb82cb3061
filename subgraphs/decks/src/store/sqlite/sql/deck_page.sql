-- One page of the decks of a person. ?1: the person, ?2: how many.
-- {key} is the sorted column, {direction} ASC or DESC, {filter} and {beyond} empty or the conditions that a filter and a cursor add.
SELECT {columns}
FROM deck
WHERE owner_id = ?1 AND trash_id IS NULL {filter} {beyond}
ORDER BY {key} {direction}, id {direction}
LIMIT ?2
