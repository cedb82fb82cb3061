-- ?1 the owner, ?2 the local day. Cards that are gone by now count as well: the work was done.
SELECT
    (SELECT count(*) FROM card WHERE owner = ?1 AND introduced_day = ?2),
    (SELECT count(*) FROM card WHERE owner = ?1 AND reviewed_day = ?2)
