-- The accounts of people for whom another issuer vouches, by the hash of issuer and subject.
CREATE TABLE person (
    key     BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    user_id BLOB NOT NULL REFERENCES user (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX person_user ON person (user_id);
