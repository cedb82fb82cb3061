INSERT INTO change (id, key, version, value, made_at, made_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
