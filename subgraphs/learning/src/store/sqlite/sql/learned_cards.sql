-- ?1 the owner, ?2 decks in hexadecimal as a JSON array, ?3 the local day, ?4 the last day on which they may be due, ?5 a tag or NULL,
-- ?6 how many of each deck: those that have been due the longest. {tagged} asks for the tag, where there is one. Otherwise all is read from the
-- index card_of_deck: first as far as the last of the cards that are meant, then what lies up to there.
WITH meant AS MATERIALIZED (
    SELECT
        unhex(wanted.value) AS deck,
        (
            SELECT c.id FROM card AS c
            WHERE c.deck = unhex(wanted.value) AND c.owner = ?1 AND c.live = 1 AND c.state = 2 AND c.due_at IS NULL AND c.due_day <= ?4
                AND c.suspended = 0 AND (c.buried_until IS NULL OR c.buried_until <= ?3) AND {tagged}
            ORDER BY c.due_day, c.id
            LIMIT 1 OFFSET ?6 - 1
        ) AS last
    FROM json_each(?2) AS wanted
)
SELECT c.id, c.deck, c.note, c.due_at, c.due_day, c.last_day, c.stability
FROM meant
LEFT JOIN card AS last ON last.id = meant.last
CROSS JOIN card AS c ON c.deck = meant.deck AND c.owner = ?1 AND c.live = 1 AND c.state = 2 AND c.due_at IS NULL
    AND (c.due_day, c.id) <= (coalesce(last.due_day, ?4 + 1), coalesce(last.id, x''))
WHERE c.suspended = 0 AND (c.buried_until IS NULL OR c.buried_until <= ?3) AND {tagged} AND ?6 > 0
ORDER BY c.deck, c.due_day, c.id
