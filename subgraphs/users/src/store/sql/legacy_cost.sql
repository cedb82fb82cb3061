SELECT max(CAST(substr(password_hash, 5, 2) AS INTEGER)) FROM user WHERE password_hash >= '$2' AND password_hash < '$3'
