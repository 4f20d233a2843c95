CREATE TABLE IF NOT EXISTS meta (key text PRIMARY KEY, value text NOT NULL);
-- One row. Whoever keeps something new holds its lock until the commit, so that the order has no holes and
-- nobody sees a later place before an earlier one.
CREATE TABLE IF NOT EXISTS sequencer (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch text NOT NULL,
    last bigint NOT NULL
);
-- Narrow, so that it stays in memory: a unique key of a partitioned table would have to hold the month.
CREATE TABLE IF NOT EXISTS submission_id (
    id uuid PRIMARY KEY,
    hash bytea NOT NULL,
    server_seq bigint NOT NULL UNIQUE,
    received_at bigint NOT NULL,
    office text NOT NULL,
    device_id text NOT NULL,
    outbox_epoch text NOT NULL,
    device_seq bigint NOT NULL,
    doubt text
);
CREATE INDEX IF NOT EXISTS submission_id_device ON submission_id (device_id, outbox_epoch, device_seq);
CREATE TABLE IF NOT EXISTS submission (
    server_seq bigint NOT NULL,
    submission_id uuid NOT NULL,
    hash bytea NOT NULL,
    signature bytea NOT NULL,
    envelope bytea,
    office text NOT NULL,
    device_id text NOT NULL,
    device_seq bigint NOT NULL,
    procedure text NOT NULL,
    procedure_name text NOT NULL,
    form_id text NOT NULL,
    form_version text NOT NULL,
    code text NOT NULL,
    queue text,
    created_at bigint NOT NULL,
    received_at bigint NOT NULL,
    received_from text NOT NULL,
    ack_body text NOT NULL,
    ack_signature text NOT NULL,
    ack_epoch text NOT NULL,
    ack_kid text NOT NULL,
    PRIMARY KEY (server_seq, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX IF NOT EXISTS submission_code ON submission (code);
CREATE TABLE IF NOT EXISTS inbox_alarm (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('conflict', 'fork', 'chain')),
    submission_id uuid NOT NULL,
    hash bytea NOT NULL,
    device_id text NOT NULL,
    sender text NOT NULL,
    UNIQUE (kind, submission_id, hash)
);
CREATE TABLE IF NOT EXISTS life (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    epoch text NOT NULL UNIQUE,
    why text NOT NULL,
    server_seq bigint NOT NULL
);
-- Devices that were enrolled, and the codes that let them in; see `devices.rs`.
CREATE TABLE IF NOT EXISTS device (
    id text NOT NULL,
    kid text NOT NULL,
    office text NOT NULL,
    key text NOT NULL,
    enrolled_at bigint NOT NULL,
    vouched_by text,
    revoked_at bigint,
    seq bigint NOT NULL,
    PRIMARY KEY (id, kid)
);
CREATE TABLE IF NOT EXISTS enrol_code (
    hash text PRIMARY KEY,
    device text NOT NULL,
    office text NOT NULL,
    expires_at bigint NOT NULL,
    made_by text NOT NULL,
    used_kid text
);
-- The audit log; see `chain.rs`.
CREATE TABLE IF NOT EXISTS audit (
    seq bigint PRIMARY KEY,
    at bigint NOT NULL,
    who text,
    peer text,
    event text NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS audit_checkpoint (
    seq bigint NOT NULL,
    at bigint NOT NULL,
    text text NOT NULL UNIQUE
);
CREATE OR REPLACE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is only added to at its end'; END $$;
CREATE OR REPLACE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_stays();
CREATE OR REPLACE TRIGGER audit_checkpoint_stays BEFORE UPDATE OR DELETE ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION audit_stays();
-- The back office; see `desk.rs`.
CREATE TABLE IF NOT EXISTS desk_token (
    name text PRIMARY KEY,
    hash text NOT NULL UNIQUE,
    role text NOT NULL,
    made_at bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS case_file (
    submission_id text PRIMARY KEY,
    review text,
    findings text,
    proof text,
    status text,
    note text,
    status_at bigint,
    erased_at bigint
);
-- What is handed on to OpenRosa servers; see `onward.rs`.
CREATE TABLE IF NOT EXISTS onward (
    destination text NOT NULL,
    submission_id text NOT NULL,
    server_seq bigint NOT NULL,
    form_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('QUEUED', 'INFLIGHT', 'RECEIVED', 'DEAD')),
    attempts bigint NOT NULL DEFAULT 0,
    why text,
    there text NOT NULL DEFAULT '[]',
    receipt text,
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (destination, submission_id)
);
CREATE INDEX IF NOT EXISTS onward_due ON onward (destination, state, server_seq);
-- Devices that are looked after; see `fleet.rs`.
CREATE TABLE IF NOT EXISTS fleet_device (
    id text PRIMARY KEY,
    office text NOT NULL,
    carried_by text NOT NULL,
    kid text,
    heard_at bigint NOT NULL,
    report text NOT NULL
);
CREATE TABLE IF NOT EXISTS fleet_alarm (
    device text NOT NULL,
    kind text NOT NULL,
    since bigint NOT NULL,
    raised_at bigint,
    PRIMARY KEY (device, kind)
);
CREATE TABLE IF NOT EXISTS fleet_order (
    id text PRIMARY KEY,
    device text NOT NULL,
    kind text NOT NULL,
    issued_by text NOT NULL,
    issued_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    signed text NOT NULL,
    outcome text,
    detail text,
    done_at bigint,
    media text,
    attachment bytea
);
CREATE INDEX IF NOT EXISTS fleet_order_open ON fleet_order (device) WHERE outcome IS NULL;
CREATE TABLE IF NOT EXISTS fleet_letter (
    id text PRIMARY KEY,
    channel text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    made_at bigint NOT NULL,
    attempts bigint NOT NULL,
    next_at bigint NOT NULL,
    sent_at bigint,
    why text
);
