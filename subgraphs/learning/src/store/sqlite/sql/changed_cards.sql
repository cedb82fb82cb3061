-- ?1 the owner, ?2 and ?3 the change to start beyond, ?4 how many. A card that is gone has live = 0.
SELECT
    c.id, c.deck, c.model, c.weights, c.state, c.step, c.due_at, c.due_day, c.stability, c.difficulty, c.half_life, c.reps,
    c.lapses, c.leech, c.last_reviewed_at, c.last_review, c.last_day, c.suspended, c.buried_until, c.flag, c.last_entry_at,
    c.last_entry, c.answered_again, c.answered_hard, c.answered_good, c.answered_easy,
    c.live, c.seq
FROM card AS c
WHERE c.owner = ?1 AND (c.seq, c.id) > (?2, ?3)
ORDER BY c.seq, c.id
LIMIT ?4
