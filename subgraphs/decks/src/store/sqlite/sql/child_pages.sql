-- The same page of the decks in many decks. ?1: JSON list of deck ids in hexadecimal, ?2: how many of each deck.
-- {direction} is ASC or DESC, {beyond} empty or the condition that a cursor adds. The rows are sorted by the caller.
SELECT {columns}
FROM json_each(?1) AS wanted
CROSS JOIN deck
WHERE deck.rowid IN (
    SELECT rowid
    FROM deck AS entry
    WHERE parent_id = unhex(wanted.value) AND trash_id IS NULL {beyond}
    ORDER BY position {direction}, id {direction}
    LIMIT ?2
)
