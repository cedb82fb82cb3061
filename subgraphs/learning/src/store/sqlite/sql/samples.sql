-- ?1 the owner. Answers that count, without practice and what was undone: see the phases of log.rs.
SELECT card, reviewed_at, day, rating, phase FROM review WHERE owner = ?1 AND kind IN (0, 10) AND rating > 0 AND phase < 5
