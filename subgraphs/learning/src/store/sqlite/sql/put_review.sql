INSERT INTO review (owner, id, card, rating, reviewed_at, received_at, duration_ms, time_zone, session, day)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
