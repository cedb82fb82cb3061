UPDATE session
SET token = ?3, refreshed_at = ?4, expires_at = ?5, address = ?6, user_agent = ?7, seed = ?8
WHERE id = ?1 AND token = ?2 AND revoked_at IS NULL
