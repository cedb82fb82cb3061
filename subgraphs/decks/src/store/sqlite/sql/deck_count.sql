-- How many decks of a person are meant. ?1: the person. {filter} is empty or the condition that a filter adds.
SELECT count(*)
FROM deck
WHERE owner_id = ?1 AND trash_id IS NULL {filter}
