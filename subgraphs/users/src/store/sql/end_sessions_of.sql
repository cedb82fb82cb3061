UPDATE session SET revoked_at = ?2 WHERE user_id = ?1 AND (?3 IS NULL OR id <> ?3) AND revoked_at IS NULL RETURNING id
