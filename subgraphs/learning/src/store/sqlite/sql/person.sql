SELECT
    time_zone, rollover_hour,
    (SELECT json_group_array(json_array(version, json(numbers))) FROM weights WHERE owner = ?1)
FROM person WHERE id = ?1 AND deleted = 0
