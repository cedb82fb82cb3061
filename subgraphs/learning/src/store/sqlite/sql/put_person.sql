INSERT INTO person (id, version, deleted, time_zone, rollover_hour) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (id) DO UPDATE SET
    version = excluded.version, deleted = excluded.deleted,
    time_zone = excluded.time_zone, rollover_hour = excluded.rollover_hour
WHERE excluded.version > person.version
