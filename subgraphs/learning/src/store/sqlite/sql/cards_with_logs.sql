-- ?1 the owner, ?2 the card to start beyond or NULL, ?3 how many. Deleted ones as well: their work counts still.
SELECT
    c.id, c.deck, c.model, c.weights, c.state, c.step, c.due_at, c.due_day, c.stability, c.difficulty, c.half_life, c.reps,
    c.lapses, c.leech, c.last_reviewed_at, c.last_review, c.last_day, c.suspended, c.buried_until, c.flag, c.last_entry_at,
    c.last_entry, c.answered_again, c.answered_hard, c.answered_good, c.answered_easy, c.seq
FROM card AS c
WHERE c.owner = ?1 AND (?2 IS NULL OR c.id > ?2)
    AND EXISTS (SELECT 1 FROM review AS r WHERE r.card = c.id)
ORDER BY c.id
LIMIT ?3
