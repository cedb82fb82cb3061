SELECT key, value, set_at, set_by FROM override ORDER BY key
