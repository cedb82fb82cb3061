-- ?2: the new version, one more than the change was decided on.
UPDATE card
SET deck_id = ?3, position = ?4, updated_at = ?5, change = ?6, version = ?2
WHERE id = ?1 AND version = ?2 - 1
