-- Learning: who fits weights, so that another process goes on where one went away.

-- NULL once it is over.
ALTER TABLE fit ADD COLUMN worker BLOB;
ALTER TABLE fit ADD COLUMN lease INTEGER;
-- Their processes went away with the program of before.
UPDATE fit SET body = json_set(body, '$.state', 'failed', '$.message', 'it was interrupted: start it again')
WHERE json_extract(body, '$.state') = 'running';
CREATE INDEX fit_under_way ON fit (lease) WHERE lease IS NOT NULL;
