-- ?1 the owner. Nothing for a deleted account.
INSERT INTO sync (owner, seq)
SELECT ?1, 1
WHERE NOT EXISTS (SELECT 1 FROM person WHERE id = ?1 AND deleted = 1)
ON CONFLICT (owner) DO UPDATE SET seq = seq + 1
RETURNING seq
