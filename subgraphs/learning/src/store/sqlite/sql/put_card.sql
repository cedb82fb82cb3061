-- ?1 id, ?2 owner, ?3 deck, ?4 version, ?5 deleted, ?6 position, ?7 created_at, ?8 note, ?9 tags, ?10 the number of the change.
-- Nothing of a deleted account comes back.
INSERT INTO card (id, owner, deck, version, deleted, live, position, created_at, note, tags, seq)
SELECT
    ?1, ?2, ?3, ?4, ?5,
    ?5 = 0 AND NOT EXISTS (SELECT 1 FROM deck WHERE id = ?3 AND deleted = 1),
    ?6, ?7, ?8, ?9, ?10
WHERE NOT EXISTS (SELECT 1 FROM person WHERE id = ?2 AND deleted = 1)
ON CONFLICT (id) DO UPDATE SET
    owner = excluded.owner, deck = excluded.deck, version = excluded.version, deleted = excluded.deleted,
    live = excluded.live, position = excluded.position, created_at = excluded.created_at, note = excluded.note,
    tags = excluded.tags, seq = excluded.seq
WHERE excluded.version > card.version
