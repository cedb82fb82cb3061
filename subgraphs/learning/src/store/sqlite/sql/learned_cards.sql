-- ?1 the owner, ?2 decks in hexadecimal as a JSON array, ?3 the local day, ?4 the last day on which they may be due, ?5 a tag or NULL,
-- ?6 how many of each deck: those that have been due the longest
SELECT c.id, c.deck, c.note, c.due_at, c.due_day, c.last_day, c.stability
FROM json_each(?2) AS wanted
CROSS JOIN card AS c ON c.id IN (
    SELECT x.id FROM card AS x
    WHERE x.deck = unhex(wanted.value) AND x.owner = ?1 AND x.live = 1 AND x.state = 2 AND x.due_at IS NULL AND x.due_day <= ?4
        AND x.suspended = 0 AND (x.buried_until IS NULL OR x.buried_until <= ?3)
        AND (?5 IS NULL OR EXISTS (SELECT 1 FROM json_each(x.tags) AS tag WHERE tag.value = ?5))
    ORDER BY x.due_day, x.id
    LIMIT ?6
)
ORDER BY c.deck, c.due_day, c.id
