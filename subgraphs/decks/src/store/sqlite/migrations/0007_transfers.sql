-- Imports and exports, the parts of their files, and what waits to be made. Numbers 0004 to 0006 are other branches' scripts.

CREATE TABLE transfer (
    id BLOB NOT NULL PRIMARY KEY,
    owner_id BLOB NOT NULL,
    -- 0 an import, 1 an export.
    direction INTEGER NOT NULL,
    state INTEGER NOT NULL,
    -- Whether there is work to do.
    work INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    claimed_until INTEGER,
    revision INTEGER NOT NULL,
    -- JSON.
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX transfer_of_owner ON transfer (owner_id, created_at);
CREATE INDEX transfer_with_work ON transfer (created_at, id) WHERE work = 1;
CREATE INDEX transfer_by_end ON transfer (expires_at);

CREATE TABLE transfer_part (
    transfer_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (transfer_id, number)
) STRICT;

CREATE TABLE transfer_item (
    number INTEGER PRIMARY KEY,
    transfer_id BLOB NOT NULL,
    -- JSON.
    body TEXT NOT NULL
) STRICT;

CREATE INDEX transfer_item_of_transfer ON transfer_item (transfer_id, number);
