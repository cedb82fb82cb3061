-- ?4: the revision that the change was decided on; 0 when there was no row.
INSERT INTO owner (id, deck_count, gone, revision, media_count, media_bytes) VALUES (?1, ?2, ?3, ?4 + 1, ?5, ?6)
ON CONFLICT (id) DO UPDATE
SET deck_count = ?2, gone = ?3, revision = revision + 1, media_count = ?5, media_bytes = ?6
WHERE revision = ?4
