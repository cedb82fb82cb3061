INSERT INTO card (
    id, note_id, ordinal, kind, deck_id, owner_id, position, question, answer, source_start, source_end, created_at, updated_at,
    version, trash_id, change
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
