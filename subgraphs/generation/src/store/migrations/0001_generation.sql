-- People whose account is gone: nothing is kept for them any more.
CREATE TABLE owner (
    id BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Jobs. The body is the whole job; what stands beside it is what is looked for.
CREATE TABLE job (
    id BLOB PRIMARY KEY,
    owner BLOB NOT NULL,
    -- The client's key, by which asking twice makes one job.
    key TEXT,
    state INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    version INTEGER NOT NULL,
    -- Milliseconds since the epoch; absent until it is over.
    finished_at INTEGER,
    -- The process that runs it, and until when it has it to itself.
    worker BLOB,
    lease INTEGER,
    body TEXT NOT NULL,
    UNIQUE (owner, key)
) STRICT;
CREATE INDEX job_of_owner ON job (owner, id);
CREATE INDEX job_active ON job (turn, id) WHERE state < 2;
CREATE INDEX job_by_age ON job (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE outbox (
    id BLOB PRIMARY KEY,
    event TEXT NOT NULL
) STRICT, WITHOUT ROWID;
