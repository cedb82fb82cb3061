-- ?1 the owner, ?2 and ?3 a place in the log, ?4 how many at most. How many answers lie beyond it.
SELECT count(*) FROM (
    SELECT 1 FROM review WHERE owner = ?1 AND (reviewed_at, id) > (?2, ?3) AND kind = 0 LIMIT ?4
)
