-- What people have left for jobs, in thousandths of points, as it was at a moment. Who has no row has used nothing.
CREATE TABLE allowance (
    owner BLOB PRIMARY KEY,
    parts INTEGER NOT NULL,
    -- Milliseconds since the epoch.
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Contents. The body is the whole content; what stands beside it is what is looked for.
CREATE TABLE content (
    id BLOB PRIMARY KEY,
    owner BLOB NOT NULL,
    version INTEGER NOT NULL,
    -- Whether it is being processed.
    unfinished INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX content_of_owner ON content (owner, id);
CREATE INDEX content_unfinished ON content (id) WHERE unfinished = 1;

-- What the service is to delete: one content of a person's, or all it has of them.
CREATE TABLE removal (
    id BLOB PRIMARY KEY,
    owner BLOB NOT NULL,
    remote TEXT,
    -- Milliseconds since the epoch.
    due INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX removal_due ON removal (due);
CREATE INDEX removal_of_owner ON removal (owner);
