-- ?1 the owner, ?2 how many answers are later
SELECT reviewed_at, id FROM review WHERE owner = ?1 AND kind = 0 ORDER BY reviewed_at DESC, id DESC LIMIT 1 OFFSET ?2
