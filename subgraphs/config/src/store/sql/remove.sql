DELETE FROM override WHERE key = ?1
