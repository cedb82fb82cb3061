-- The same page of the cards of many decks. ?1: JSON list of deck ids in hexadecimal, ?2: how many of each deck.
-- {key} is the sorted column, {direction} ASC or DESC, {filter} and {beyond} empty or the conditions that a filter and a cursor add.
-- The inner query reads of each deck only the index entries of its page; the rows are sorted by the caller.
SELECT {columns}
FROM json_each(?1) AS wanted
CROSS JOIN card
WHERE card.seq IN (
    SELECT seq
    FROM card AS entry
    WHERE deck_id = unhex(wanted.value) AND trash_id IS NULL {filter} {beyond}
    ORDER BY {key} {direction}, id {direction}
    LIMIT ?2
)
