INSERT INTO card (
    id, deck_id, owner_id, position, question, answer, source_start, source_end, created_at, updated_at, version
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
