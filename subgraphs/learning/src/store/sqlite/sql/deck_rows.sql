SELECT d.id, d.parent, s.version, s.preset, s.body, coalesce(d.archived, 0)
FROM deck AS d
LEFT JOIN deck_settings AS s ON s.owner = d.owner AND s.deck = d.id
WHERE d.owner = ?1 AND d.deleted = 0
