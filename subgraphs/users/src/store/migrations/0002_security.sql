-- Mail, the secrets in it, API keys, counts of attempts, and the log of security events. Times are milliseconds since the epoch.
ALTER TABLE user ADD COLUMN delete_at INTEGER;
CREATE INDEX user_delete ON user (delete_at) WHERE delete_at IS NOT NULL;

ALTER TABLE session ADD COLUMN address TEXT;
ALTER TABLE session ADD COLUMN user_agent TEXT;

CREATE TABLE mail (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind       TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    attempts   INTEGER NOT NULL,
    -- While it is being sent, until when nobody else may try.
    due_at     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX mail_due ON mail (due_at);

CREATE TABLE mail_token (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    user_id    BLOB    NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    purpose    TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX mail_token_user ON mail_token (user_id, purpose);
CREATE INDEX mail_token_expires ON mail_token (expires_at);

CREATE TABLE api_key (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    prefix       TEXT    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    -- Separated by spaces.
    scopes       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX api_key_user ON api_key (user_id);
CREATE INDEX api_key_revoked ON api_key (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE attempt (
    -- SHA-256 of what is tried, by whom and about whom.
    key       BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    count     INTEGER NOT NULL,
    paused_to INTEGER NOT NULL,
    forget_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_forget ON attempt (forget_at);

CREATE TABLE remembered (
    key       BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    forget_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX remembered_forget ON remembered (forget_at);

CREATE TABLE security_event (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id    BLOB,
    actor_id   BLOB,
    kind       TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    address    TEXT,
    user_agent TEXT,
    detail     TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX security_event_user ON security_event (user_id, id);
CREATE INDEX security_event_at ON security_event (at);
