-- ?1 the owner, ?2 ids in hexadecimal as a JSON array
SELECT
    c.id, c.deck, c.model, c.weights, c.state, c.step, c.due_at, c.due_day, c.stability, c.difficulty, c.half_life, c.reps,
    c.lapses, c.leech, c.last_reviewed_at, c.last_review, c.last_day, c.suspended, c.buried_until, c.flag, c.last_entry_at,
    c.last_entry, c.answered_again, c.answered_hard, c.answered_good, c.answered_easy
FROM json_each(?2) AS wanted
CROSS JOIN card AS c ON c.id = unhex(wanted.value)
WHERE c.owner = ?1 AND c.live = 1
