INSERT INTO deck (
    id, owner_id, name, sort_name, description, color, created_at, updated_at, version, card_count, last_place, revision, parent_id, path,
    position, archived, trash_id, change
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
