INSERT INTO outbox (id, event) VALUES (?1, ?2)
