-- ?1 the owner, ?2 the local day, ?3 when the next one starts, ?4 decks in hexadecimal as a JSON array that are left out
WITH mine AS (
    SELECT c.state, c.due_at, c.due_day
    FROM deck AS d CROSS JOIN card AS c ON c.deck = d.id AND c.owner = d.owner AND c.live = 1
    WHERE d.owner = ?1 AND d.deleted = 0 AND d.id NOT IN (SELECT unhex(value) FROM json_each(?4)) AND c.suspended = 0 AND (c.buried_until IS NULL OR c.buried_until <= ?2)
)
SELECT
    count(*) FILTER (WHERE due_at < ?3 OR due_day <= ?2),
    count(*) FILTER (WHERE state = 0)
FROM mine
