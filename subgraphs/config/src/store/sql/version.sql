SELECT id, key, version, value, made_at, made_by FROM change WHERE key = ?1 AND version = ?2
