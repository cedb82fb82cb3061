SELECT id, body FROM rules WHERE owner = ?1
