-- ?1 the owner, ?2 ids of cards in hexadecimal as a JSON array
SELECT
    r.id, r.card, r.kind, r.rating, r.value, r.target, r.reviewed_at, r.received_at, r.duration_ms, r.time_zone, r.session,
    r.day, r.hour, r.deck, r.rules, r.phase, r.past
FROM json_each(?2) AS wanted
CROSS JOIN review AS r ON r.card = unhex(wanted.value)
WHERE r.owner = ?1
