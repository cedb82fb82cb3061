-- ?1 the owner, ?2 ids of cards in hexadecimal as a JSON array, ?3 and ?4 the review to start beyond or NULL, ?5 how many of each card
SELECT
    id, card, kind, rating, value, target, reviewed_at, received_at, duration_ms, time_zone, session, day, hour, deck, rules, phase, past
FROM (
    SELECT
        r.*, row_number() OVER (PARTITION BY r.card ORDER BY r.reviewed_at, r.id) AS place
    FROM json_each(?2) AS wanted
    CROSS JOIN review AS r ON r.card = unhex(wanted.value)
    WHERE r.owner = ?1 AND (r.kind <= 1 OR r.kind = 10 AND r.rating > 0) AND (?3 IS NULL OR (r.reviewed_at, r.id) > (?3, ?4))
)
WHERE place <= ?5
ORDER BY card, place
