//! The audit log of either store: entries are only added at the end, each in the transaction of what it records.
//!
//! The chain itself, and what its check means, are in [`crate::domain::audit`].
//! Begin at [`append`].

use jiff::Timestamp;
use serde::Serialize;

use super::StoreError;
use super::both::{Row, Sql};
use crate::domain::audit::{self, Checkpoint, Entry};

/// Serialises writers of the log on a server that several nodes share.
const LOCK: i64 = 0x5643_454e_0003;

/// The table in SQLite, as one migration step of the municipality's file; the office has its own of the same shape.
pub const TABLES: &str = "
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT,
    peer TEXT,
    event TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_follows BEFORE INSERT ON audit
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to at its end'); END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is never cut'); END;
CREATE TABLE audit_checkpoint (
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    text TEXT NOT NULL UNIQUE
) STRICT;
CREATE TRIGGER audit_checkpoint_stays BEFORE UPDATE ON audit_checkpoint
    BEGIN SELECT RAISE(ABORT, 'a checkpoint is never changed'); END;
CREATE TRIGGER audit_checkpoint_is_kept BEFORE DELETE ON audit_checkpoint
    BEGIN SELECT RAISE(ABORT, 'a checkpoint is never taken away'); END;
";

/// The name the chain begins with: one that a restore does not change, or the file's where there is none.
pub fn name(sql: &mut dyn Sql) -> Result<String, StoreError> {
    let row = sql.row(
        "SELECT value FROM meta WHERE key IN ('audit', 'epoch') ORDER BY key LIMIT 1",
        &[],
    )?;
    row.ok_or(StoreError::Unreadable { what: "audit log" })?.text(0)
}

/// Gives the chain a name of its own where it has none yet; `random` makes it.
pub fn begin(sql: &mut dyn Sql, random: [u8; 16]) -> Result<(), StoreError> {
    sql.run(
        "INSERT INTO meta (key, value) VALUES ('audit', $1) ON CONFLICT (key) DO NOTHING",
        &[crate::domain::seal::hex(&random).into()],
    )?;
    Ok(())
}

/// Number and hash of the newest entry; 0 and the beginning of the chain in a new log.
pub fn head(sql: &mut dyn Sql) -> Result<(u64, [u8; 32]), StoreError> {
    match sql.row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", &[])? {
        Some(row) => Ok((number(row.int(0)?)?, row.array(1)?)),
        None => Ok((0, audit::begin(&name(sql)?))),
    }
}

/// Adds an entry; returns its number.
pub fn append<E: Serialize>(
    sql: &mut dyn Sql,
    at: Timestamp,
    who: Option<&str>,
    peer: Option<&str>,
    event: &E,
) -> Result<u64, StoreError> {
    sql.alone(LOCK)?;
    let (last, previous) = head(sql)?;
    let (seq, at) = (last + 1, at.as_microsecond());
    let event = serde_json::to_string(event).map_err(|_| StoreError::Unreadable {
        what: "audit event to be written",
    })?;
    let hash = audit::link(&previous, seq, at, who, peer, &event);
    sql.run(
        "INSERT INTO audit (seq, at, who, peer, event, hash) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            i64::try_from(seq).unwrap_or(i64::MAX).into(),
            at.into(),
            who.into(),
            peer.into(),
            event.into(),
            hash.into(),
        ],
    )?;
    Ok(seq)
}

/// Up to `limit` entries after `after`, in order.
pub fn entries(sql: &mut dyn Sql, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let rows = sql.rows(
        "SELECT seq, at, who, peer, event, hash FROM audit WHERE seq>$1 ORDER BY seq LIMIT $2",
        &[after.into(), i64::from(limit).into()],
    )?;
    rows.iter().map(entry).collect()
}

fn entry(row: &Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        seq: number(row.int(0)?)?,
        at: row.int(1)?,
        who: row.maybe_text(2),
        peer: row.maybe_text(3),
        event: row.text(4)?,
        // A hash of another length is no hash of ours; zeros will not fit.
        hash: row.array(5).unwrap_or([0; 32]),
    })
}

/// Keeps a signed checkpoint.
pub fn keep_checkpoint(sql: &mut dyn Sql, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    sql.run(
        "INSERT INTO audit_checkpoint (seq, at, text) VALUES ($1, $2, $3)",
        &[
            i64::try_from(checkpoint.seq).unwrap_or(i64::MAX).into(),
            checkpoint.at.into(),
            checkpoint.to_string().into(),
        ],
    )?;
    Ok(())
}

/// The texts of the kept checkpoints, in their order.
pub fn checkpoints(sql: &mut dyn Sql) -> Result<Vec<String>, StoreError> {
    let rows = sql.rows("SELECT text FROM audit_checkpoint ORDER BY seq, at", &[])?;
    rows.iter().map(|row| row.text(0)).collect()
}

fn number(seq: i64) -> Result<u64, StoreError> {
    u64::try_from(seq).map_err(|_| StoreError::Unreadable { what: "audit entry" })
}
