INSERT INTO review (
    owner, id, card, kind, rating, value, target, reviewed_at, received_at, duration_ms, time_zone, session, day, hour, deck,
    rules, phase, past
)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
