-- Decks (0), notes (1) and cards (2) of a person in the order of their changes, also those in the trash. ?1: the person, ?2: the change to
-- start from, ?3 to ?5: the deck, note and card of that change beyond which to start, ?6: how many.
SELECT change, kind, id
FROM (
    SELECT * FROM (
        SELECT change, 0 AS kind, id FROM deck WHERE owner_id = ?1 AND (change, id) > (?2, ?3) ORDER BY change, id LIMIT ?6
    )
    UNION ALL SELECT * FROM (
        SELECT change, 1 AS kind, id FROM note WHERE owner_id = ?1 AND (change, id) > (?2, ?4) ORDER BY change, id LIMIT ?6
    )
    UNION ALL SELECT * FROM (
        SELECT change, 2 AS kind, id FROM card WHERE owner_id = ?1 AND (change, id) > (?2, ?5) ORDER BY change, id LIMIT ?6
    )
)
ORDER BY change, kind, id
LIMIT ?6
