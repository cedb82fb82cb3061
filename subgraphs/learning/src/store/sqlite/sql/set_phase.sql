UPDATE review SET phase = ?3 WHERE owner = ?1 AND id = ?2
