-- Stores a job in place of its last version, and nothing when that is another one by now. Who is not running has no process.
UPDATE job
SET state = ?2, turn = ?3, version = ?4, finished_at = ?5, body = ?6,
    worker = CASE WHEN ?2 = 1 THEN worker END, lease = CASE WHEN ?2 = 1 THEN lease END
WHERE id = ?1 AND version = ?4 - 1
