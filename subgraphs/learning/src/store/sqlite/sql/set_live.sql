-- ?1 a deck, ?2 whether it is deleted, ?3 the number of the change
UPDATE card SET live = (deleted = 0 AND ?2 = 0), seq = ?3 WHERE deck = ?1 AND live <> (deleted = 0 AND ?2 = 0)
