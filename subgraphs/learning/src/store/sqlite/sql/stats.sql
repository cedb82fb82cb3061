-- ?1 the owner, ?2 the local day, ?3 when the next one starts
SELECT
    (SELECT count(*) FROM card WHERE owner = ?1 AND live = 1 AND due_at IS NOT NULL AND due_at < ?3)
    + (SELECT count(*) FROM card WHERE owner = ?1 AND live = 1 AND due_day IS NOT NULL AND due_day <= ?2),
    (SELECT count(*) FROM card WHERE owner = ?1 AND live = 1 AND state = 0)
