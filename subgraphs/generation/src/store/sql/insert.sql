INSERT INTO job (id, owner, key, state, turn, version, finished_at, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
