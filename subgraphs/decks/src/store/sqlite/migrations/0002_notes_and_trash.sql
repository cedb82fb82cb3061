-- Decks in decks, notes that cards are made of, tags, and a trash. Cards that were made before are each the one card of a note.

ALTER TABLE deck ADD COLUMN parent_id BLOB;
-- The ids of the decks it lies in, one after another from the top down: the last is parent_id.
ALTER TABLE deck ADD COLUMN path BLOB NOT NULL DEFAULT x'';
ALTER TABLE deck ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deck ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
-- The entry of the trash it lies in.
ALTER TABLE deck ADD COLUMN trash_id BLOB;

UPDATE deck
SET position = ranked.place
FROM (
    SELECT id AS deck_id, 1024 * row_number() OVER (PARTITION BY owner_id ORDER BY created_at, id) AS place
    FROM deck
) AS ranked
WHERE ranked.deck_id = deck.id;

DROP INDEX deck_by_name;
DROP INDEX deck_by_created_at;
DROP INDEX deck_by_updated_at;
CREATE INDEX deck_by_name ON deck (owner_id, sort_name, id) WHERE trash_id IS NULL;
CREATE INDEX deck_by_created_at ON deck (owner_id, created_at, id) WHERE trash_id IS NULL;
CREATE INDEX deck_by_updated_at ON deck (owner_id, updated_at, id) WHERE trash_id IS NULL;
CREATE INDEX deck_by_position ON deck (owner_id, position, id) WHERE trash_id IS NULL;
CREATE INDEX deck_by_parent ON deck (owner_id, parent_id, position, id) WHERE trash_id IS NULL;
CREATE INDEX deck_of_owner ON deck (owner_id);
CREATE INDEX deck_in_deck ON deck (parent_id, position, id) WHERE trash_id IS NULL;
CREATE INDEX deck_in_trash ON deck (trash_id) WHERE trash_id IS NOT NULL;

CREATE TABLE note (
    id BLOB NOT NULL PRIMARY KEY,
    owner_id BLOB NOT NULL,
    guid TEXT NOT NULL,
    kind INTEGER NOT NULL,
    -- JSON: a list of names and texts.
    fields TEXT NOT NULL,
    -- JSON: a list of texts.
    tags TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE INDEX note_by_guid ON note (owner_id, guid);

-- The tags of notes once more, to find notes by them.
CREATE TABLE note_tag (
    owner_id BLOB NOT NULL,
    -- The tag in lower case.
    key TEXT NOT NULL,
    note_id BLOB NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (owner_id, key, note_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX note_tag_by_note ON note_tag (note_id);

ALTER TABLE card RENAME TO old_card;

CREATE TABLE card (
    -- Grows with each card that is made.
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    note_id BLOB NOT NULL,
    ordinal INTEGER NOT NULL,
    -- That of its note.
    kind INTEGER NOT NULL,
    deck_id BLOB NOT NULL REFERENCES deck (id),
    owner_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    source_start INTEGER,
    source_end INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    -- The entry of the trash it lies in.
    trash_id BLOB
) STRICT;

-- Each note gets an id of its own making: a UUID of version 4.
INSERT INTO card (
    id, note_id, ordinal, kind, deck_id, owner_id, position, question, answer, source_start, source_end, created_at, updated_at, version
)
SELECT
    id,
    unhex(
        hex(randomblob(6)) || '4' || substr(hex(randomblob(2)), 1, 3) || '8' || substr(hex(randomblob(2)), 1, 3) || hex(randomblob(6))
    ),
    0, 0, deck_id, owner_id, position, question, answer, source_start, source_end, created_at, updated_at, version
FROM old_card
ORDER BY created_at, id;

INSERT INTO note (id, owner_id, guid, kind, fields, tags, created_at, updated_at, version)
SELECT
    note_id, owner_id, lower(hex(note_id)), 0, json_array(json_array('Front', question), json_array('Back', answer)), '[]',
    created_at, updated_at, 1
FROM card;

DROP TABLE old_card;

CREATE INDEX card_by_place ON card (deck_id, position, id) WHERE trash_id IS NULL;
CREATE INDEX card_by_created_at ON card (deck_id, created_at, id) WHERE trash_id IS NULL;
CREATE INDEX card_by_updated_at ON card (deck_id, updated_at, id) WHERE trash_id IS NULL;
CREATE INDEX card_of_deck ON card (deck_id);
CREATE UNIQUE INDEX card_of_note ON card (note_id, ordinal);
CREATE INDEX card_in_trash ON card (trash_id) WHERE trash_id IS NOT NULL;

CREATE TABLE trash (
    id BLOB NOT NULL PRIMARY KEY,
    owner_id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    title TEXT NOT NULL,
    deck_count INTEGER NOT NULL,
    card_count INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX trash_of_owner ON trash (owner_id, deleted_at, id);
CREATE INDEX trash_by_age ON trash (deleted_at, id);
