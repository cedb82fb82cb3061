-- Learning: copies of what other domains tell, the review log, and what is derived from it.
-- Ids are UUIDs of 16 bytes, moments milliseconds since 1970-01-01T00:00:00Z, days local days since 1970-01-01.

CREATE TABLE person (
    id            BLOB PRIMARY KEY,
    version       INTEGER NOT NULL,
    deleted       INTEGER NOT NULL,
    time_zone     TEXT NOT NULL,
    rollover_hour INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deck (
    id      BLOB PRIMARY KEY,
    owner   BLOB NOT NULL,
    version INTEGER NOT NULL,
    deleted INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX deck_by_owner ON deck (owner);

CREATE TABLE card (
    id               BLOB PRIMARY KEY,
    owner            BLOB NOT NULL,
    deck             BLOB NOT NULL,
    version          INTEGER NOT NULL,
    deleted          INTEGER NOT NULL,
    -- Neither the card nor its deck is deleted. The deck may be unknown still.
    live             INTEGER NOT NULL,
    position         INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    -- Derived from the log by the model of this version. State 0 is a new card, and the rest is NULL then.
    model            INTEGER NOT NULL DEFAULT 0,
    state            INTEGER NOT NULL DEFAULT 0,
    step             INTEGER,
    due_at           INTEGER,
    due_day          INTEGER,
    stability        REAL,
    difficulty       REAL,
    half_life        REAL,
    reps             INTEGER,
    lapses           INTEGER,
    leech            INTEGER,
    last_reviewed_at INTEGER,
    last_review      BLOB,
    last_day         INTEGER,
    introduced_day   INTEGER,
    reviewed_day     INTEGER,
    CHECK (state = 0 OR (due_at IS NULL) <> (due_day IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX card_by_owner ON card (owner);
-- Holds all that the numbers of a deck are computed from.
CREATE INDEX card_of_deck ON card (deck, owner, state, due_at, due_day, stability, half_life, last_day) WHERE live = 1;
CREATE INDEX card_in_steps ON card (owner, due_at) WHERE live = 1 AND due_at IS NOT NULL;
CREATE INDEX card_learned ON card (owner, due_day, last_day, stability, deck) WHERE live = 1 AND due_day IS NOT NULL;
CREATE INDEX card_new ON card (owner, deck, position) WHERE live = 1 AND state = 0;
CREATE INDEX card_by_introduction ON card (owner, introduced_day) WHERE introduced_day IS NOT NULL;
CREATE INDEX card_by_review ON card (owner, reviewed_day) WHERE reviewed_day IS NOT NULL;

CREATE TABLE review (
    owner       BLOB NOT NULL,
    id          BLOB NOT NULL,
    card        BLOB NOT NULL,
    rating      INTEGER NOT NULL,
    reviewed_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    time_zone   TEXT,
    session     BLOB,
    day         INTEGER NOT NULL,
    PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- Holds all that a replay takes.
CREATE INDEX review_of_card ON review (card, reviewed_at, id, rating, day);

-- Sums of the log for each local day.
CREATE TABLE day_work (
    owner       BLOB NOT NULL,
    day         INTEGER NOT NULL,
    reviews     INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (owner, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    owner       BLOB NOT NULL,
    id          BLOB NOT NULL,
    deck        BLOB NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_start ON session (owner, started_at, id);
