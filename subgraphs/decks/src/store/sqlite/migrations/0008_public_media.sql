-- The files of public decks, and a way to those of their notes that ended late.

CREATE INDEX published_note_ended ON published_note (publication_id, until) WHERE until IS NOT NULL;
