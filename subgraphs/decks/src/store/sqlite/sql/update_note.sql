-- ?2: the new version, one more than the change was decided on.
UPDATE note
SET kind = ?3, fields = ?4, tags = ?5, updated_at = ?6, change = ?7, version = ?2
WHERE id = ?1 AND version = ?2 - 1
