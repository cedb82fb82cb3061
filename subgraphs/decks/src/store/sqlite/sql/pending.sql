-- The oldest undelivered events: ids grow with time.
SELECT id, event
FROM outbox
ORDER BY id
LIMIT ?1
