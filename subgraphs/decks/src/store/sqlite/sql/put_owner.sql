-- ?4: the revision that the change was decided on; 0 when there was no row.
INSERT INTO owner (id, deck_count, gone, revision) VALUES (?1, ?2, ?3, ?4 + 1)
ON CONFLICT (id) DO UPDATE SET deck_count = ?2, gone = ?3, revision = revision + 1 WHERE revision = ?4
