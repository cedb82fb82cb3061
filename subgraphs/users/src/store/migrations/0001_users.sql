-- Accounts, sessions, and the events that wait for delivery. Times are milliseconds since the epoch.
CREATE TABLE user (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email            TEXT    NOT NULL UNIQUE,
    name             TEXT    NOT NULL,
    password_hash    TEXT    NOT NULL,
    beta             INTEGER NOT NULL CHECK (beta IN (0, 1)),
    admin            INTEGER NOT NULL CHECK (admin IN (0, 1)),
    email_verified   INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    time_zone        TEXT    NOT NULL,
    rollover_hour    INTEGER NOT NULL CHECK (rollover_hour BETWEEN 0 AND 23),
    -- How often somebody tried to sign up with the address of this account.
    sign_up_attempts INTEGER NOT NULL DEFAULT 0,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    version          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX user_admin ON user (id) WHERE admin = 1;

CREATE TABLE session (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    -- SHA-256 of the half that all refresh tokens of the session share, and of the whole one that is good now.
    family       BLOB    NOT NULL UNIQUE CHECK (length(family) = 32),
    token        BLOB    NOT NULL CHECK (length(token) = 32),
    created_at   INTEGER NOT NULL,
    refreshed_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX session_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_at);
CREATE INDEX session_revoked ON session (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE outbox (
    id    BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    event TEXT NOT NULL
) STRICT, WITHOUT ROWID;
