-- ?1 id, ?2 owner, ?3 version, ?4 deleted. Nothing of a deleted account comes back.
INSERT INTO deck (id, owner, version, deleted)
SELECT ?1, ?2, ?3, ?4
WHERE NOT EXISTS (SELECT 1 FROM person WHERE id = ?2 AND deleted = 1)
ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, version = excluded.version, deleted = excluded.deleted
WHERE excluded.version > deck.version
