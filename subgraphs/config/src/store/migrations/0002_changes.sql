-- What administrators did, in place of what came of it: a key's versions count from 1, and its last change is what is stored. A value is JSON
-- text, or NULL where the default was put back. The text is not checked here: the program does, and copes with what it does not accept.
CREATE TABLE change (
    id      BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    key     TEXT    NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    value   TEXT,
    made_at INTEGER NOT NULL,
    made_by BLOB    NOT NULL CHECK (length(made_by) = 16),
    UNIQUE (key, version)
) STRICT, WITHOUT ROWID;

-- Ids are in the order of time: the first six bytes are milliseconds, and the seventh begins with the UUID's version.
INSERT INTO change (id, key, version, value, made_at, made_by)
SELECT unhex(printf('%012x7', set_at) || substr(hex(randomblob(2)), 1, 3) || '8' || substr(hex(randomblob(8)), 1, 15)),
    key, 1, value, set_at, set_by
FROM override;

DROP TABLE override;
