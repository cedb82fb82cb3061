-- ?1 the owner, ?2 a deck or NULL, ?3 now, ?4 how far to learn ahead, ?5 the local day, ?6 how many,
-- ?7 whether learned ones are wanted: else they would take the place of those to learn ahead
SELECT
    c.id, c.deck, c.model, c.state, c.step, c.due_at, c.due_day, c.stability, c.difficulty, c.half_life, c.reps, c.lapses,
    c.leech, c.last_reviewed_at, c.last_review, c.last_day, c.introduced_day, c.reviewed_day
FROM card AS c
WHERE c.live = 1
    AND (
        (c.owner = ?1 AND c.due_at IS NOT NULL AND c.due_at <= ?4)
        OR (?7 AND c.owner = ?1 AND c.due_day IS NOT NULL AND c.due_day <= ?5)
    )
    AND (?2 IS NULL OR c.deck = ?2)
ORDER BY
    CASE WHEN c.due_at <= ?3 THEN 0 WHEN c.due_day IS NOT NULL THEN 1 ELSE 2 END,
    c.due_at,
    -- The probability of recall falls with elapsed time over stability.
    (?5 - c.last_day) / c.stability DESC,
    c.id
LIMIT ?6
