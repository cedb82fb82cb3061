SELECT id, name, version, body FROM preset WHERE owner = ?1 ORDER BY name, id
