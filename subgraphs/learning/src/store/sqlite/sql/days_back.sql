-- ?1 the owner, ?2 the local day to start from, of all decks together. It is read only as far as it is needed.
SELECT day, reviews, duration_ms FROM tally
WHERE owner = ?1 AND deck = zeroblob(16) AND day <= ?2 AND reviews > 0
ORDER BY day DESC
