-- Decks that are published, their releases, and who cloned and rated them.

CREATE TABLE publication (
    -- The number by which its words are kept.
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    deck_id BLOB NOT NULL UNIQUE,
    owner_id BLOB NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    -- JSON: a list of texts.
    tags TEXT NOT NULL,
    licence INTEGER NOT NULL,
    author TEXT,
    listed INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- The number of the latest release, and what is in that.
    release INTEGER NOT NULL,
    deck_count INTEGER NOT NULL,
    note_count INTEGER NOT NULL,
    card_count INTEGER NOT NULL,
    rating_sum INTEGER NOT NULL,
    rating_count INTEGER NOT NULL,
    rating_rank INTEGER NOT NULL,
    subscriber_count INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;

CREATE INDEX publication_by_created_at ON publication (created_at, id) WHERE listed = 1;
CREATE INDEX publication_by_rank ON publication (rating_rank, id) WHERE listed = 1;
CREATE INDEX publication_by_subscribers ON publication (subscriber_count, id) WHERE listed = 1;
CREATE INDEX publication_of_owner ON publication (owner_id);

-- The keys of its tags, and of those above them.
CREATE TABLE publication_tag (
    key TEXT NOT NULL,
    publication_id BLOB NOT NULL,
    PRIMARY KEY (publication_id, key)
) STRICT, WITHOUT ROWID;

-- The folded words of title, description, tags and author.
CREATE VIRTUAL TABLE publication_text USING fts5 (words, tokenize = "unicode61 remove_diacritics 0");
INSERT INTO publication_text (publication_text, rank) VALUES ('secure-delete', 1);

CREATE TABLE release (
    publication_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    change_note TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    deck_count INTEGER NOT NULL,
    note_count INTEGER NOT NULL,
    card_count INTEGER NOT NULL,
    -- JSON: its decks, each after the one it lies in.
    decks TEXT NOT NULL,
    PRIMARY KEY (publication_id, number)
) STRICT;

-- A note as the releases from `since` on have it, up to but without `until`.
CREATE TABLE published_note (
    seq INTEGER PRIMARY KEY,
    publication_id BLOB NOT NULL,
    -- Made of the ids of publication and note; so is the deck's.
    origin_id BLOB NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER,
    origin_deck_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    fields TEXT NOT NULL,
    tags TEXT NOT NULL,
    UNIQUE (publication_id, origin_id, since)
) STRICT;

CREATE INDEX published_note_now ON published_note (publication_id, origin_deck_id, position, origin_id) WHERE until IS NULL;

CREATE TABLE cloned_deck (
    deck_id BLOB NOT NULL PRIMARY KEY,
    owner_id BLOB NOT NULL,
    publication_id BLOB NOT NULL,
    -- The release that was cloned, or pulled last.
    release INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    -- JSON: what of it came from where.
    links TEXT NOT NULL
) STRICT;

CREATE INDEX cloned_deck_of_owner ON cloned_deck (owner_id);

CREATE TABLE rating (
    user_id BLOB NOT NULL,
    publication_id BLOB NOT NULL,
    stars INTEGER NOT NULL,
    PRIMARY KEY (user_id, publication_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX rating_of_publication ON rating (publication_id);
