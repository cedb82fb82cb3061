SELECT id, email, name, beta, admin, email_verified, pending_email, time_zone, rollover_hour, delete_at, created_at, updated_at, version
FROM user
WHERE (?1 IS NULL OR instr(lower(email), lower(?1)) > 0 OR instr(lower(name), lower(?1)) > 0) AND
