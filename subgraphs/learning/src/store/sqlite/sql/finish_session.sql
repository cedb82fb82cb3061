UPDATE session SET finished_at = coalesce(finished_at, ?3)
WHERE owner = ?1 AND id = ?2
RETURNING id, owner, deck, started_at, finished_at
