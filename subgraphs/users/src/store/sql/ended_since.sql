SELECT id, revoked_at FROM session WHERE revoked_at > ?1
