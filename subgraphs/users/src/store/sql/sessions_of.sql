SELECT id, user_id, family, token, seed, created_at, refreshed_at, expires_at, revoked_at, address, user_agent
FROM session
WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?2
ORDER BY refreshed_at DESC, id DESC
LIMIT ?3
