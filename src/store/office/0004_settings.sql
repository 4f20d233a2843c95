-- What administrators set, version by version; the newest is in force.
CREATE TABLE settings (
    version INTEGER PRIMARY KEY,
    seq     INTEGER NOT NULL,                   -- the event that brought it; for the first, the newest event of then
    at      INTEGER NOT NULL,                   -- microseconds UTC
    who     TEXT,
    body    TEXT NOT NULL                       -- JSON
) STRICT;

-- Settings that somebody at the command line asks a running office to take.
CREATE TABLE settings_wish (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL,
    outcome TEXT                                -- what came of it; nothing until the office looked
) STRICT;
