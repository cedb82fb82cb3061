INSERT INTO remembered (key, forget_at) VALUES (?1, ?2)
ON CONFLICT (key) DO UPDATE SET forget_at = max(forget_at, excluded.forget_at)
