-- Nothing of an account that is gone comes back.
INSERT INTO person (id, version, time_zone, rollover_hour)
SELECT ?1, ?2, ?3, ?4
WHERE NOT EXISTS (SELECT 1 FROM owner WHERE id = ?1 AND gone = 1)
ON CONFLICT (id) DO UPDATE SET
    version = excluded.version, time_zone = excluded.time_zone, rollover_hour = excluded.rollover_hour
WHERE excluded.version > person.version
