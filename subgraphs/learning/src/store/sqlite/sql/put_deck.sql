-- ?1 id, ?2 owner, ?3 version, ?4 deleted, ?5 the deck it lies in, ?6 whether it is put aside. Nothing of a deleted account comes back.
-- What was told before it was told whether decks are put aside is told again, with the same version.
INSERT INTO deck (id, owner, version, deleted, parent, archived)
SELECT ?1, ?2, ?3, ?4, ?5, ?6
WHERE NOT EXISTS (SELECT 1 FROM person WHERE id = ?2 AND deleted = 1)
ON CONFLICT (id) DO UPDATE SET
    owner = excluded.owner, version = excluded.version, deleted = excluded.deleted, parent = excluded.parent,
    archived = excluded.archived
WHERE excluded.version > deck.version OR excluded.version = deck.version AND deck.archived IS NULL
    AND excluded.archived IS NOT NULL
