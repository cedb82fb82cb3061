-- ?1 the owner, ?2 decks in hexadecimal as a JSON array, ?3 the local day, ?4 a tag or NULL, ?5 how many of each deck.
-- Ids of decks are in the order of their making.
SELECT c.id, c.deck, c.note, c.due_at, c.due_day, c.last_day, c.stability
FROM json_each(?2) AS wanted
CROSS JOIN card AS c ON c.id IN (
    SELECT x.id FROM card AS x
    WHERE x.owner = ?1 AND x.deck = unhex(wanted.value) AND x.live = 1 AND x.state = 0
        AND x.suspended = 0 AND (x.buried_until IS NULL OR x.buried_until <= ?3)
        AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(x.tags) AS tag WHERE tag.value = ?4))
    ORDER BY x.position, x.id
    LIMIT ?5
)
ORDER BY c.deck, c.position, c.id
