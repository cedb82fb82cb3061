-- Media that an import under way stored: they are deleted with it, unless they become their owner's own.

ALTER TABLE media ADD COLUMN staged_by BLOB;

CREATE INDEX media_staged ON media (staged_by) WHERE staged_by IS NOT NULL;
