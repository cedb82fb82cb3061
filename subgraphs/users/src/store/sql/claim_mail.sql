UPDATE mail
SET due_at = ?2, attempts = attempts + 1
WHERE id IN (SELECT id FROM mail WHERE due_at <= ?1 ORDER BY due_at, id LIMIT ?3)
RETURNING id, kind, recipient, user_id, attempts, due_at, created_at
