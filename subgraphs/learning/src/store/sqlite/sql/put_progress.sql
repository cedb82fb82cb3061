UPDATE card SET
    model = ?2, weights = ?3, state = ?4, step = ?5, due_at = ?6, due_day = ?7, stability = ?8, difficulty = ?9, half_life = ?10,
    reps = ?11, lapses = ?12, leech = ?13, last_reviewed_at = ?14, last_review = ?15, last_day = ?16, suspended = ?17,
    buried_until = ?18, flag = ?19, last_entry_at = ?20, last_entry = ?21, seq = ?22,
    answered_again = ?23, answered_hard = ?24, answered_good = ?25, answered_easy = ?26
WHERE id = ?1
