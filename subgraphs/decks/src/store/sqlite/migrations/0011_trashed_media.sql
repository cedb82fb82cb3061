-- Media in the trash. Their names are free; their bytes stay in `media_chunk`.

CREATE TABLE trashed_media (
    id BLOB NOT NULL PRIMARY KEY,
    owner_id BLOB NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL,
    content_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    trash_id BLOB NOT NULL
) STRICT;

CREATE INDEX trashed_media_by_hash ON trashed_media (owner_id, hash);
CREATE INDEX trashed_media_by_entry ON trashed_media (trash_id);

ALTER TABLE trash ADD COLUMN media_count INTEGER NOT NULL DEFAULT 0;
