-- What the next refresh tokens of a session are made of. A session from before gets one when it is refreshed.
ALTER TABLE session ADD COLUMN seed BLOB;
