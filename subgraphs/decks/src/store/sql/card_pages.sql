-- The same page of the cards of many decks. ?1: JSON list of deck ids in hexadecimal, ?2: how many of each deck.
-- {direction} is ASC or DESC, {beyond} empty or the condition that a cursor adds.
-- The inner query reads of each deck only the index entries of its page; the rows are sorted by the caller.
SELECT card.id, card.deck_id, card.owner_id, card.position, card.question, card.answer, card.source_start,
    card.source_end, card.created_at, card.updated_at, card.version
FROM json_each(?1) AS wanted
CROSS JOIN card
WHERE card.rowid IN (
    SELECT rowid
    FROM card AS entry
    WHERE deck_id = unhex(wanted.value) {beyond}
    ORDER BY position {direction}, id {direction}
    LIMIT ?2
)
