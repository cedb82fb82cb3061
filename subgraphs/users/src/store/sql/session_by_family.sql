SELECT id, user_id, family, token, seed, created_at, refreshed_at, expires_at, revoked_at, address, user_agent FROM session WHERE family = ?1
