-- ?9: the revision that the change was decided on.
UPDATE deck
SET name = ?2, sort_name = ?3, description = ?4, color = ?5, updated_at = ?6, version = ?7,
    card_count = ?8, last_place = ?10, revision = revision + 1
WHERE id = ?1 AND revision = ?9
