SELECT id, key, version, value, made_at, made_by FROM change
WHERE (key, version) IN (SELECT key, max(version) FROM change GROUP BY key)
ORDER BY key
