INSERT INTO rules (owner, id, body) VALUES (?1, ?2, ?3) ON CONFLICT (owner, id) DO NOTHING
