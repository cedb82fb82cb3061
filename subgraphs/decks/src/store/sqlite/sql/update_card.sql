-- ?2: the new version, one more than the change was decided on.
UPDATE card
SET deck_id = ?3, position = ?4, question = ?5, answer = ?6, kind = ?7, updated_at = ?8, trash_id = ?9, change = ?10, version = ?2
WHERE id = ?1 AND version = ?2 - 1
