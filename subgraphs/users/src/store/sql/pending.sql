SELECT id, event FROM outbox ORDER BY id LIMIT ?1
