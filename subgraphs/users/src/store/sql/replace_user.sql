UPDATE user
SET email = :email, name = :name, beta = :beta, admin = :admin, email_verified = :email_verified, pending_email = :pending_email, time_zone = :time_zone,
    rollover_hour = :rollover_hour, delete_at = :delete_at, updated_at = :updated_at, version = :version
WHERE id = :id AND version = :version - 1
