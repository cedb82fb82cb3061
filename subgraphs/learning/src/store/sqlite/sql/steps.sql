-- ?1 the owner, ?2 decks in hexadecimal as a JSON array, ?3 the local day, ?4 until when, ?5 a tag or NULL, ?6 how many of each deck.
-- Learning and relearning cards lie apart in the index card_of_deck, each in the order of their moments: no more of either is read than is answered.
SELECT c.id, c.deck, c.note, c.due_at, c.due_day, c.last_day, c.stability
FROM json_each(?2) AS wanted
CROSS JOIN card AS c ON c.id IN (
    SELECT id FROM (
        SELECT * FROM (
            SELECT x.id, x.due_at FROM card AS x
            WHERE x.deck = unhex(wanted.value) AND x.owner = ?1 AND x.live = 1 AND x.state = 1 AND x.due_at <= ?4 AND x.due_day IS NULL
                AND x.suspended = 0 AND (x.buried_until IS NULL OR x.buried_until <= ?3)
                AND (?5 IS NULL OR EXISTS (SELECT 1 FROM json_each(x.tags) AS tag WHERE tag.value = ?5))
            ORDER BY x.due_at, x.id
            LIMIT ?6
        )
        UNION ALL
        SELECT * FROM (
            SELECT x.id, x.due_at FROM card AS x
            WHERE x.deck = unhex(wanted.value) AND x.owner = ?1 AND x.live = 1 AND x.state = 3 AND x.due_at <= ?4 AND x.due_day IS NULL
                AND x.suspended = 0 AND (x.buried_until IS NULL OR x.buried_until <= ?3)
                AND (?5 IS NULL OR EXISTS (SELECT 1 FROM json_each(x.tags) AS tag WHERE tag.value = ?5))
            ORDER BY x.due_at, x.id
            LIMIT ?6
        )
    )
    ORDER BY due_at, id
    LIMIT ?6
)
