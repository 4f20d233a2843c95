-- Forms that their citizens go on with later; nothing in the clear, and nothing that says whose they are.
CREATE TABLE draft (
    id         BLOB PRIMARY KEY,                -- follows from the code on the paper, slowly
    proof      BLOB NOT NULL,                   -- SHA-256 of what the digits prove
    sealed     BLOB,                            -- gone once it was used or its time is over
    kept_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,      -- wrong ones
    shut_until INTEGER,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX draft_due ON draft (expires_at);
