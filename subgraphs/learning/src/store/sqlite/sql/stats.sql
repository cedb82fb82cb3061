-- ?1 the owner, ?2 the local day, ?3 when the next one starts, ?4 decks in hexadecimal as a JSON array that are left out. Cards that come back later are not read: see the index card_of_deck.
WITH mine AS (
    SELECT id, owner FROM deck
    WHERE owner = ?1 AND deleted = 0 AND id NOT IN (SELECT unhex(value) FROM json_each(?4))
)
SELECT
    (
        SELECT count(*) FROM mine
        CROSS JOIN card AS c ON c.deck = mine.id AND c.owner = mine.owner AND c.live = 1 AND c.state IN (1, 2, 3) AND c.due_at < ?3
        WHERE c.suspended = 0 AND (c.buried_until IS NULL OR c.buried_until <= ?2)
    ) + (
        SELECT count(*) FROM mine
        CROSS JOIN card AS c ON c.deck = mine.id AND c.owner = mine.owner AND c.live = 1 AND c.state IN (1, 2, 3)
            AND c.due_at IS NULL AND c.due_day <= ?2
        WHERE c.suspended = 0 AND (c.buried_until IS NULL OR c.buried_until <= ?2)
    ),
    (
        SELECT count(*) FROM mine
        CROSS JOIN card AS c ON c.deck = mine.id AND c.owner = mine.owner AND c.live = 1 AND c.state = 0
        WHERE c.suspended = 0 AND (c.buried_until IS NULL OR c.buried_until <= ?2)
    )
