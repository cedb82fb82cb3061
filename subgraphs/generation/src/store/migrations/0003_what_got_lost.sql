-- What the service may have taken without this being known here: of which source, and since when (milliseconds since the epoch).
ALTER TABLE removal ADD COLUMN source TEXT;
ALTER TABLE removal ADD COLUMN since INTEGER;
