-- Ids are UUIDs as 16 bytes, times milliseconds since the epoch.

CREATE TABLE owner (
    id BLOB NOT NULL PRIMARY KEY,
    deck_count INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deck (
    id BLOB NOT NULL PRIMARY KEY,
    owner_id BLOB NOT NULL,
    name TEXT NOT NULL,
    sort_name TEXT NOT NULL,
    description TEXT NOT NULL,
    color TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    card_count INTEGER NOT NULL,
    last_place INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;

CREATE INDEX deck_by_name ON deck (owner_id, sort_name, id);
CREATE INDEX deck_by_created_at ON deck (owner_id, created_at, id);
CREATE INDEX deck_by_updated_at ON deck (owner_id, updated_at, id);

CREATE TABLE card (
    id BLOB NOT NULL PRIMARY KEY,
    deck_id BLOB NOT NULL REFERENCES deck (id),
    owner_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    source_start INTEGER,
    source_end INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE INDEX card_by_place ON card (deck_id, position, id);

-- Ids of what was deleted: they are not given to anything else, because other domains remember them as deleted.
CREATE TABLE deleted (
    id BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY,
    event TEXT NOT NULL
) STRICT, WITHOUT ROWID;
