-- What learning tells of cards, to find them by it; where persons are; and the number of each change, for devices that keep a copy.

CREATE TABLE person (
    id BLOB NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    time_zone TEXT NOT NULL,
    rollover_hour INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A row for each card, also for those in the trash, in the order of the search. Days are local days since 1970-01-01.
CREATE TABLE study (
    owner_id BLOB NOT NULL,
    -- That of the card.
    seq INTEGER NOT NULL,
    -- -1 when nothing was told yet.
    version INTEGER NOT NULL DEFAULT -1,
    -- 0 new, 1 learning, 2 review, 3 relearning.
    state INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER,
    due_day INTEGER,
    suspended INTEGER NOT NULL DEFAULT 0,
    buried_until INTEGER,
    flag INTEGER NOT NULL DEFAULT 0,
    lapses INTEGER NOT NULL DEFAULT 0,
    leech INTEGER NOT NULL DEFAULT 0,
    -- When it was last answered, in any way and in each.
    answered_at INTEGER,
    again INTEGER,
    hard INTEGER,
    good INTEGER,
    easy INTEGER,
    PRIMARY KEY (owner_id, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO study (owner_id, seq) SELECT owner_id, seq FROM card;

CREATE INDEX study_suspended ON study (owner_id, seq) WHERE suspended = 1;
CREATE INDEX study_leech ON study (owner_id, seq) WHERE leech = 1;

-- The number of a person's last change.
CREATE TABLE sync (
    owner_id BLOB NOT NULL PRIMARY KEY,
    change INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The number of the change that a row was last written by.
ALTER TABLE deck ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE note ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE card ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deck_by_change ON deck (owner_id, change, id);
CREATE INDEX note_by_change ON note (owner_id, change, id);
CREATE INDEX card_by_change ON card (owner_id, change, id);

-- Others are told once more of all decks: which are put aside, and where those lie that were moved, they were not told before.
INSERT INTO outbox (id, event)
SELECT
    randomblob(16),
    json_object(
        'type', 'deck', 'deck', lower(hex(id)), 'owner', lower(hex(owner_id)), 'version', version, 'deleted', json('false'),
        'parent', iif(parent_id IS NULL, NULL, lower(hex(parent_id))), 'archived', json(iif(archived, 'true', 'false'))
    )
FROM deck
WHERE trash_id IS NULL;
