-- The words of cards, folded, by the number of the card: written by the program, which also folds those of earlier cards.
CREATE VIRTUAL TABLE card_text USING fts5 (
    owner, question, answer,
    tokenize = "unicode61 remove_diacritics 0"
);
-- What is deleted leaves no words behind. It takes a table that keeps its rows; one without ("contentless") only marks them as deleted.
INSERT INTO card_text (card_text, rank) VALUES ('secure-delete', 1);

CREATE INDEX card_of_owner ON card (owner_id) WHERE trash_id IS NULL;
