-- Five roles, accounts that can be closed, sessions that lock, wrong tries that outlive a restart, and the audit log.

-- Everybody logs in once more after this step: a session now also knows when it was used last.
DROP TABLE session;

ALTER TABLE staff RENAME TO staff_before;
CREATE TABLE staff (
    id          INTEGER PRIMARY KEY,
    login       TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    role        TEXT NOT NULL CHECK (role IN ('agent', 'supervisor', 'admin', 'auditor', 'technician')),
    password    TEXT NOT NULL,                  -- argon2id, PHC string
    created_at  INTEGER NOT NULL,
    password_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;
INSERT INTO staff (login, name, role, password, created_at, password_at)
    SELECT login, name, role, password, created_at, created_at FROM staff_before ORDER BY created_at, login;
DROP TABLE staff_before;

CREATE TABLE session (
    id         INTEGER PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,            -- SHA-256 of the cookie
    login      TEXT NOT NULL REFERENCES staff (login) ON DELETE CASCADE,
    counter    INTEGER,
    peer       TEXT,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX session_of ON session (login);

ALTER TABLE token RENAME TO token_before;
CREATE TABLE token (
    hash       BLOB PRIMARY KEY,                -- SHA-256 of the token
    name       TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL CHECK (role IN ('agent', 'supervisor', 'admin', 'auditor', 'technician')),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO token (hash, name, role, created_at) SELECT hash, name, role, created_at FROM token_before;
DROP TABLE token_before;

-- Wrong passwords in a row, by account and by address.
CREATE TABLE attempt (
    subject  BLOB PRIMARY KEY,                  -- SHA-256, because a password may have been typed as a login
    failures INTEGER NOT NULL,
    last_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What staff did. Only ever added to, one by one; the hashes tell of whoever gets around that.
CREATE TABLE audit (
    seq   INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,                     -- microseconds UTC
    who   TEXT,
    peer  TEXT,
    event TEXT NOT NULL,                        -- JSON, as it was hashed
    hash  BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
CREATE TRIGGER audit_follows BEFORE INSERT ON audit
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to at its end'); END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is never cut'); END;

CREATE TABLE audit_checkpoint (
    seq  INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    text TEXT NOT NULL UNIQUE
) STRICT;
CREATE TRIGGER audit_checkpoint_stays BEFORE UPDATE ON audit_checkpoint
    BEGIN SELECT RAISE(ABORT, 'a checkpoint is never changed'); END;
CREATE TRIGGER audit_checkpoint_is_kept BEFORE DELETE ON audit_checkpoint
    BEGIN SELECT RAISE(ABORT, 'a checkpoint is never taken away'); END;
