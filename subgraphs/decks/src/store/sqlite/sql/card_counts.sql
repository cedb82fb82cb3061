-- How many cards of each deck are meant. ?1: JSON list of deck ids in hexadecimal. {filter} is the condition that a filter adds.
SELECT deck_id, count(*)
FROM card AS entry
WHERE deck_id IN (SELECT unhex(value) FROM json_each(?1)) AND trash_id IS NULL {filter}
GROUP BY deck_id
