-- ?1 the owner, ?2 the entry, ?3 its deck, ?4 its hour, ?5 among which reviews it counts
UPDATE review SET deck = ?3, hour = ?4, phase = ?5 WHERE owner = ?1 AND id = ?2
