-- ?10: the revision that the change was decided on.
UPDATE transfer
SET owner_id = ?2, direction = ?3, state = ?4, work = ?5, created_at = ?6, updated_at = ?7, expires_at = ?8, claimed_until = ?9,
    body = ?11, revision = ?10 + 1
WHERE id = ?1 AND revision = ?10
