INSERT INTO user (id, email, name, password_hash, beta, admin, email_verified, pending_email, time_zone, rollover_hour, delete_at, created_at, updated_at, version)
VALUES (:id, :email, :name, :password_hash, :beta, :admin, :email_verified, :pending_email, :time_zone, :rollover_hour, :delete_at, :created_at, :updated_at, :version)
ON CONFLICT (email) DO UPDATE SET sign_up_attempts = sign_up_attempts + 1
RETURNING id
