-- ?10: the revision, 0: it is stored with the next one.
INSERT INTO transfer (
    id, owner_id, direction, state, work, created_at, updated_at, expires_at, claimed_until, revision, body
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 + 1, ?11)
