-- ?1 the owner, ?2 ids of cards in hexadecimal as a JSON array
SELECT r.card, r.id, r.rating, r.reviewed_at, r.day
FROM json_each(?2) AS wanted
CROSS JOIN review AS r ON r.card = unhex(wanted.value)
WHERE r.owner = ?1
