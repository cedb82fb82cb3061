-- ?1 a deck, ?2 whether it is deleted
UPDATE card SET live = (deleted = 0 AND ?2 = 0) WHERE deck = ?1 AND live <> (deleted = 0 AND ?2 = 0)
