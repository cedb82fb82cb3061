-- The words of cards, folded, by the number of the card: written by the program, which also folds those of earlier cards.
CREATE VIRTUAL TABLE card_text USING fts5 (
    owner, question, answer,
    content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 0"
);

CREATE INDEX card_of_owner ON card (owner_id) WHERE trash_id IS NULL;
