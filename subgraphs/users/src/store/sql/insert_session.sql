INSERT INTO session (id, user_id, family, token, created_at, refreshed_at, expires_at, revoked_at, address, user_agent, seed)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
