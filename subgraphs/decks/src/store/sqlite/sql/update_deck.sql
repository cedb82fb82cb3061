-- ?2: the revision that the change was decided on.
UPDATE deck
SET name = ?3, sort_name = ?4, description = ?5, color = ?6, updated_at = ?7, version = ?8, card_count = ?9, last_place = ?10,
    parent_id = ?11, path = ?12, position = ?13, archived = ?14, trash_id = ?15, change = ?16, revision = revision + 1
WHERE id = ?1 AND revision = ?2
