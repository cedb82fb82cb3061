-- Another address for an account. Secrets in mail are good only together with the address that they were sent to; of those that were sent before
-- it is not known, and they are good no more.
ALTER TABLE user ADD COLUMN pending_email TEXT;
ALTER TABLE mail ADD COLUMN user_id BLOB REFERENCES user (id) ON DELETE CASCADE;
CREATE INDEX mail_user ON mail (user_id) WHERE user_id IS NOT NULL;
DELETE FROM mail_token;
ALTER TABLE mail_token ADD COLUMN email TEXT NOT NULL DEFAULT '';
