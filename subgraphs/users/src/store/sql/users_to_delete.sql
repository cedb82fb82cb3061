SELECT id, email, name, beta, admin, email_verified, pending_email, time_zone, rollover_hour, delete_at, created_at, updated_at, version
FROM user
WHERE delete_at <= ?1
ORDER BY delete_at
LIMIT ?2
