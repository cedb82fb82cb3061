-- ?1 the owner, ?2 ids in hexadecimal as a JSON array, ?3 the local day. A deck without cards gives one row whose state is NULL.
SELECT
    d.id, c.state, c.due_at, c.due_day, c.stability, c.half_life, c.last_day, c.weights,
    c.suspended = 0 AND (c.buried_until IS NULL OR c.buried_until <= ?3)
FROM json_each(?2) AS wanted
CROSS JOIN deck AS d ON d.id = unhex(wanted.value)
LEFT JOIN card AS c ON c.deck = d.id AND c.owner = d.owner AND c.live = 1
WHERE d.owner = ?1 AND d.deleted = 0
