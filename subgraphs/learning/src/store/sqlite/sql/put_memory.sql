UPDATE card SET
    model = ?2, state = ?3, step = ?4, due_at = ?5, due_day = ?6, stability = ?7, difficulty = ?8, half_life = ?9,
    reps = ?10, lapses = ?11, leech = ?12, last_reviewed_at = ?13, last_review = ?14, last_day = ?15,
    introduced_day = ?16, reviewed_day = ?17
WHERE id = ?1
