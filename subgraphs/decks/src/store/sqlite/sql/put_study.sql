-- ?1: the person, ?2: the card. Nothing happens to a card that is somebody else's or that is not there, nor when more is known.
UPDATE study
SET version = ?3, state = ?4, due_at = ?5, due_day = ?6, suspended = ?7, buried_until = ?8, flag = ?9, lapses = ?10, leech = ?11,
    answered_at = ?12, again = ?13, hard = ?14, good = ?15, easy = ?16
WHERE owner_id = ?1 AND seq = (SELECT seq FROM card WHERE id = ?2) AND version < ?3
