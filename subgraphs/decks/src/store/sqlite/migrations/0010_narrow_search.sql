-- What searches ask of cards besides words and learning, in the order of the search: a look through all of a person's cards reads no wide rows.
DROP INDEX card_of_owner;
CREATE INDEX card_narrow ON card (owner_id, seq, deck_id, note_id, created_at) WHERE trash_id IS NULL;
