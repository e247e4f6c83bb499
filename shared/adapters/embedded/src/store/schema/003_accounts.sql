-- The latest rotation of a session: the hash of the token that it replaced, the new token encrypted with that one, and
-- its time. NULL before the first rotation.
ALTER TABLE sessions ADD COLUMN replaced_hash TEXT;
ALTER TABLE sessions ADD COLUMN sealed_token TEXT;
ALTER TABLE sessions ADD COLUMN rotated_at INTEGER;

-- When the token of a spent hash would have expired; the hash is not needed any longer then.
ALTER TABLE spent_hashes ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
UPDATE spent_hashes SET expires_at = (SELECT s.expires_at FROM sessions s WHERE s.id = session_id);

-- From which addresses a user has logged in before.
CREATE TABLE known_addresses (
    user_id TEXT NOT NULL,
    address TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, address)
) STRICT, WITHOUT ROWID;
