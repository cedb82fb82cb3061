INSERT INTO day_work (owner, day, reviews, duration_ms) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (owner, day) DO UPDATE SET
    reviews = reviews + excluded.reviews, duration_ms = duration_ms + excluded.duration_ms
