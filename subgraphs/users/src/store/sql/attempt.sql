INSERT INTO attempt (key, count, paused_to, forget_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (key) DO UPDATE SET count = excluded.count, paused_to = excluded.paused_to, forget_at = excluded.forget_at
