-- ?1 the owner, ?2 the local day
SELECT note, id FROM card WHERE owner = ?1 AND last_day = ?2 AND note IS NOT NULL
