-- Images and sounds of people. Their bytes are kept in chunks, once for each person.

ALTER TABLE owner ADD COLUMN media_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE owner ADD COLUMN media_bytes INTEGER NOT NULL DEFAULT 0;

CREATE TABLE media (
    id BLOB NOT NULL PRIMARY KEY,
    owner_id BLOB NOT NULL,
    name TEXT NOT NULL,
    -- SHA-256 of the bytes.
    hash BLOB NOT NULL,
    content_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX media_by_name ON media (owner_id, name);
CREATE INDEX media_by_hash ON media (owner_id, hash);

CREATE TABLE media_chunk (
    owner_id BLOB NOT NULL,
    hash BLOB NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX media_chunk_by_place ON media_chunk (owner_id, hash, number);

-- The names of files in the fields of notes, whether or not there are such files.
CREATE TABLE note_media (
    owner_id BLOB NOT NULL,
    name TEXT NOT NULL,
    note_id BLOB NOT NULL,
    PRIMARY KEY (owner_id, name, note_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX note_media_by_note ON note_media (note_id);

-- Notes of before whose fields may name files: the program looks, and empties this.
CREATE TABLE note_to_read (
    note_id BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

INSERT INTO note_to_read
SELECT id
FROM note
WHERE fields LIKE '%[sound:%' OR fields LIKE '%media:%' OR fields LIKE '%src%';
