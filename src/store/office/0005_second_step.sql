-- The second step of a login, for whoever switched it on.
CREATE TABLE second_step (
    login        TEXT PRIMARY KEY REFERENCES staff (login) ON DELETE CASCADE,
    secret       BLOB NOT NULL,                 -- of RFC 6238; the password beside it is only a hash
    begun_at     INTEGER NOT NULL,
    confirmed_at INTEGER,                       -- asked at a login only from then on
    last_step    INTEGER                        -- the newest step whose code was taken
) STRICT, WITHOUT ROWID;

-- Codes on paper, each for one login.
CREATE TABLE recovery_code (
    hash  BLOB PRIMARY KEY,                     -- SHA-256
    login TEXT NOT NULL REFERENCES staff (login) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX recovery_code_of ON recovery_code (login);
