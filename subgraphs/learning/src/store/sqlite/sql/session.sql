SELECT id, owner, deck, started_at, finished_at FROM session WHERE owner = ?1 AND id = ?2
