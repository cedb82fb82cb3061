SELECT time_zone, rollover_hour FROM person WHERE id = ?1 AND deleted = 0
