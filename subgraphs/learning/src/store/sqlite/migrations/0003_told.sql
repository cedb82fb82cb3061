-- Learning tells other domains of cards; decks can be put aside.

-- Undelivered events: JSON, in the order of their ids.
CREATE TABLE outbox (
    id    BLOB PRIMARY KEY,
    event TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- When a card was last answered again, hard, good and easy: what was undone does not count.
ALTER TABLE card ADD COLUMN answered_again INTEGER;
ALTER TABLE card ADD COLUMN answered_hard INTEGER;
ALTER TABLE card ADD COLUMN answered_good INTEGER;
ALTER TABLE card ADD COLUMN answered_easy INTEGER;

-- Persons of whose cards nothing was told yet, and the last card of which it was: see tell.rs.
CREATE TABLE untold (
    owner BLOB PRIMARY KEY,
    after BLOB
) STRICT, WITHOUT ROWID;

INSERT INTO untold (owner) SELECT id FROM person WHERE deleted = 0 UNION SELECT DISTINCT owner FROM review;

-- NULL where it was not told yet.
ALTER TABLE deck ADD COLUMN archived INTEGER;
CREATE INDEX deck_archived ON deck (owner) WHERE archived = 1;
