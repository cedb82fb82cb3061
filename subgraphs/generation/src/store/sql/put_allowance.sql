INSERT INTO allowance (owner, parts, at) VALUES (?1, ?2, ?3)
ON CONFLICT (owner) DO UPDATE SET parts = ?2, at = ?3
