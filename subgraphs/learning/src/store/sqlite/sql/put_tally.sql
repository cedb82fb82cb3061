INSERT INTO tally (owner, day, deck, reviews, duration_ms, numbers) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (owner, deck, day) DO UPDATE SET
    reviews = excluded.reviews, duration_ms = excluded.duration_ms, numbers = excluded.numbers
