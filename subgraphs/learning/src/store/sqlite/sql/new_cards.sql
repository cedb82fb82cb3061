-- ?1 the owner, ?2 a deck or NULL, ?3 how many. Ids of decks are in the order of their making.
SELECT
    c.id, c.deck, c.model, c.state, c.step, c.due_at, c.due_day, c.stability, c.difficulty, c.half_life, c.reps, c.lapses,
    c.leech, c.last_reviewed_at, c.last_review, c.last_day, c.introduced_day, c.reviewed_day
FROM card AS c
WHERE c.owner = ?1 AND c.live = 1 AND c.state = 0 AND (?2 IS NULL OR c.deck = ?2)
ORDER BY c.deck, c.position, c.id
LIMIT ?3
