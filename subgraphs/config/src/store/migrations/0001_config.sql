-- What administrators set: a value as JSON for each key whose default they overrode. Times are milliseconds since the epoch.
CREATE TABLE override (
    key    TEXT    NOT NULL PRIMARY KEY,
    value  TEXT    NOT NULL CHECK (json_valid(value)),
    set_at INTEGER NOT NULL,
    set_by BLOB    NOT NULL CHECK (length(set_by) = 16)
) STRICT, WITHOUT ROWID;
