SELECT id, email, name, beta, admin, email_verified, pending_email, time_zone, rollover_hour, delete_at, created_at, updated_at, version, password_hash
FROM user
WHERE email = ?1
