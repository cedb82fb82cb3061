-- Learning: settings by deck, actions and undo in the log, sums for statistics, sync, fitted weights.

ALTER TABLE deck ADD COLUMN parent BLOB;

-- What a deck sets itself: JSON of some settings.
CREATE TABLE deck_settings (
    owner   BLOB NOT NULL,
    deck    BLOB NOT NULL,
    version INTEGER NOT NULL,
    preset  BLOB,
    body    TEXT NOT NULL,
    PRIMARY KEY (owner, deck)
) STRICT, WITHOUT ROWID;

CREATE TABLE preset (
    owner   BLOB NOT NULL,
    id      BLOB NOT NULL,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (owner, id),
    UNIQUE (owner, name)
) STRICT, WITHOUT ROWID;

-- Rules that the log names.
CREATE TABLE rules (
    owner BLOB NOT NULL,
    id    INTEGER NOT NULL,
    body  TEXT NOT NULL,
    PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- Weights of the memory model that were fitted to a person: a JSON array of 21 numbers.
CREATE TABLE weights (
    owner   BLOB NOT NULL,
    version INTEGER NOT NULL,
    numbers TEXT NOT NULL,
    PRIMARY KEY (owner, version)
) STRICT, WITHOUT ROWID;

-- Fittings, running and done: JSON of what they found.
CREATE TABLE fit (
    owner      BLOB NOT NULL,
    id         BLOB NOT NULL,
    started_at INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- The number of the last change of a person's cards, and of their settings.
CREATE TABLE sync (
    owner        BLOB PRIMARY KEY,
    seq          INTEGER NOT NULL,
    settings_seq INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

DROP INDEX card_of_deck;
DROP INDEX card_in_steps;
DROP INDEX card_learned;
DROP INDEX card_by_introduction;
DROP INDEX card_by_review;
ALTER TABLE card DROP COLUMN introduced_day;
ALTER TABLE card DROP COLUMN reviewed_day;
ALTER TABLE card ADD COLUMN weights INTEGER NOT NULL DEFAULT 0;
ALTER TABLE card ADD COLUMN suspended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE card ADD COLUMN buried_until INTEGER;
ALTER TABLE card ADD COLUMN flag INTEGER NOT NULL DEFAULT 0;
-- The last entry of its log.
ALTER TABLE card ADD COLUMN last_entry_at INTEGER;
ALTER TABLE card ADD COLUMN last_entry BLOB;
ALTER TABLE card ADD COLUMN note BLOB;
-- A JSON array.
ALTER TABLE card ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
-- The number of its last change.
ALTER TABLE card ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
UPDATE card SET last_entry_at = last_reviewed_at, last_entry = last_review WHERE state <> 0;

-- Holds all that the numbers of a deck and the choice of due cards are computed from.
CREATE INDEX card_of_deck ON card (
    deck, owner, state, due_at, due_day, id, suspended, buried_until, stability, half_life, last_day, weights, note
) WHERE live = 1;
CREATE INDEX card_studied ON card (owner, last_day, note) WHERE note IS NOT NULL;
CREATE INDEX card_by_seq ON card (owner, seq, id);

-- The kind of an entry: 0 an answer, 1 practice; others have the rating 0. See rows.rs.
ALTER TABLE review ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
ALTER TABLE review ADD COLUMN value INTEGER;
ALTER TABLE review ADD COLUMN target BLOB;
ALTER TABLE review ADD COLUMN rules INTEGER NOT NULL DEFAULT 0;
-- These three are NULL in entries from before this script until their owner's log was summed.
ALTER TABLE review ADD COLUMN deck BLOB;
ALTER TABLE review ADD COLUMN hour INTEGER;
ALTER TABLE review ADD COLUMN phase INTEGER;
DROP INDEX review_of_card;
CREATE INDEX review_of_card ON review (card, reviewed_at, id);
CREATE INDEX review_by_time ON review (owner, reviewed_at, id);

-- Sums of the log for each deck and local day; the deck of zeros stands for all of them. day_work is only read on the way to them: see upgrade.rs.
CREATE TABLE tally (
    owner       BLOB NOT NULL,
    deck        BLOB NOT NULL,
    day         INTEGER NOT NULL,
    reviews     INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    -- Numbers of 4 bytes, least significant first: see tally.rs.
    numbers     BLOB NOT NULL,
    PRIMARY KEY (owner, deck, day)
) STRICT, WITHOUT ROWID;
