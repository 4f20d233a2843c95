-- What happened, in order. Rows are only ever added.
CREATE TABLE event (
    seq           INTEGER PRIMARY KEY,
    at            INTEGER NOT NULL,             -- microseconds UTC
    business_date TEXT NOT NULL,
    type          TEXT NOT NULL,
    ticket        TEXT,
    counter       INTEGER,
    cause         TEXT UNIQUE,                  -- idempotency key
    who           TEXT,
    details       TEXT NOT NULL                 -- JSON
) STRICT;
CREATE INDEX event_by_date ON event (business_date, seq);
CREATE INDEX event_of_ticket ON event (ticket, seq) WHERE ticket IS NOT NULL;
CREATE INDEX event_lease ON event (business_date, seq) WHERE type IN ('leased', 'series_continued');
CREATE INDEX event_call ON event (business_date, seq) WHERE type = 'called';

-- What the events of a ticket add up to.
CREATE TABLE ticket (
    id              TEXT PRIMARY KEY,
    business_date   TEXT NOT NULL,
    series          TEXT NOT NULL,
    number          INTEGER NOT NULL,
    queue           TEXT NOT NULL,
    lane            TEXT NOT NULL,
    arrival_seq     INTEGER NOT NULL,
    status          TEXT NOT NULL,
    counter         INTEGER,
    calls           INTEGER NOT NULL,
    leased          INTEGER NOT NULL,
    kiosk           TEXT,
    submission      TEXT,
    issued_at       INTEGER NOT NULL,
    first_called_at INTEGER,
    last_called_at  INTEGER,
    started_at      INTEGER,
    ended_at        INTEGER,
    note            TEXT,
    UNIQUE (business_date, series, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX ticket_at_counter ON ticket (counter) WHERE status IN ('called', 'serving');
CREATE INDEX ticket_arrival ON ticket (arrival_seq);

-- What was answered to a request with an idempotency key.
CREATE TABLE answer (
    key     TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    ticket  TEXT,
    body    TEXT NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE staff (
    login      TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('agent', 'supervisor')),
    password   TEXT NOT NULL,                   -- argon2id, PHC string
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    hash       BLOB PRIMARY KEY,                -- SHA-256 of the cookie
    login      TEXT NOT NULL REFERENCES staff (login) ON DELETE CASCADE,
    counter    INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    hash       BLOB PRIMARY KEY,                -- SHA-256 of the token
    name       TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL CHECK (role IN ('agent', 'supervisor')),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
