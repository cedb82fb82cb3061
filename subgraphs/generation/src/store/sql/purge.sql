DELETE FROM job WHERE id IN (SELECT id FROM job WHERE finished_at < ?1 LIMIT ?2)
