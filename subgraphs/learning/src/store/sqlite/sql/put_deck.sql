-- ?1 id, ?2 owner, ?3 version, ?4 deleted, ?5 the deck it lies in. Nothing of a deleted account comes back.
INSERT INTO deck (id, owner, version, deleted, parent)
SELECT ?1, ?2, ?3, ?4, ?5
WHERE NOT EXISTS (SELECT 1 FROM person WHERE id = ?2 AND deleted = 1)
ON CONFLICT (id) DO UPDATE SET
    owner = excluded.owner, version = excluded.version, deleted = excluded.deleted, parent = excluded.parent
WHERE excluded.version > deck.version
