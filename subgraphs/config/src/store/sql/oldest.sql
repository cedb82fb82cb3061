SELECT id, key, version, value, made_at, made_by FROM change
WHERE (?1 IS NULL OR key = ?1) AND (?2 IS NULL OR id > ?2)
ORDER BY id LIMIT ?3
