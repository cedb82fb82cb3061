INSERT INTO note (id, owner_id, guid, kind, fields, tags, created_at, updated_at, version, change)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
