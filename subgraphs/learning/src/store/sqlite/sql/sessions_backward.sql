-- ?1 the owner, ?2 and ?3 the session to start beyond or NULL, ?4 how many. The list is newest first.
SELECT id, owner, deck, started_at, finished_at
FROM session
WHERE owner = ?1 AND (?2 IS NULL OR (started_at, id) > (?2, ?3))
ORDER BY started_at, id
LIMIT ?4
