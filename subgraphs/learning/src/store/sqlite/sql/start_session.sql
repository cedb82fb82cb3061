-- ?1 the owner, ?2 the session, ?3 the deck, ?4 now. Nothing happens without such a deck, or when it runs already.
INSERT INTO session (owner, id, deck, started_at)
SELECT ?1, ?2, ?3, ?4
WHERE EXISTS (SELECT 1 FROM deck WHERE id = ?3 AND owner = ?1 AND deleted = 0)
ON CONFLICT (owner, id) DO NOTHING
