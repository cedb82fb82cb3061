-- The files of public decks, and a way to those of their notes that ended late.

CREATE INDEX published_note_ended ON published_note (publication_id, until) WHERE until IS NOT NULL;

ALTER TABLE publication ADD COLUMN media_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE publication ADD COLUMN media_bytes INTEGER NOT NULL DEFAULT 0;

-- The files that the notes of a latest release name. Their bytes are the author's, in `media_chunk`.
CREATE TABLE published_media (
    -- Made of the id of the publication and the name.
    id BLOB NOT NULL PRIMARY KEY,
    publication_id BLOB NOT NULL,
    owner_id BLOB NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL,
    content_type TEXT NOT NULL,
    size INTEGER NOT NULL
) STRICT;

CREATE INDEX published_media_of_publication ON published_media (publication_id);
CREATE INDEX published_media_by_hash ON published_media (owner_id, hash);
