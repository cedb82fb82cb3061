-- ?1 the owner, ?2 decks in hexadecimal as a JSON array, ?3 the local day, ?4 the last day. Cards in their steps come today.
SELECT max(coalesce(c.due_day, ?3), ?3) AS day, count(*)
FROM json_each(?2) AS wanted
CROSS JOIN card AS c ON c.deck = unhex(wanted.value) AND c.owner = ?1 AND c.live = 1 AND c.state > 0
WHERE c.suspended = 0 AND (c.due_day IS NULL OR c.due_day <= ?4)
GROUP BY day
