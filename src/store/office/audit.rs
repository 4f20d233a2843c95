//! The audit log's rows. An entry is written in the transaction of what it records.
//!
//! Triggers refuse to change or delete one; the chain in [`crate::domain::audit`] tells of whoever gets around them.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use crate::domain::audit::{self, AuditEvent, Checkpoint, Entry};
use crate::store::StoreError;

/// Number and hash of the newest entry; 0 and the beginning of the chain in a new file.
pub fn audit_head(c: &Connection) -> Result<(u64, [u8; 32]), StoreError> {
    let newest = c
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?)))
        .optional()?;
    match newest {
        Some((seq, hash)) => Ok((number(seq)?, hash)),
        None => Ok((0, audit::begin(&epoch(c)?))),
    }
}

/// Random name of the data file.
pub fn epoch(c: &Connection) -> Result<String, StoreError> {
    Ok(c.query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |row| row.get(0))?)
}

/// Adds an entry; returns its number.
pub fn append_audit(
    c: &Connection,
    at: Timestamp,
    who: Option<&str>,
    peer: Option<&str>,
    event: &AuditEvent,
) -> Result<u64, StoreError> {
    let (last, previous) = audit_head(c)?;
    let (seq, at) = (last + 1, at.as_microsecond());
    let event = serde_json::to_string(event).map_err(|_| StoreError::Unreadable {
        what: "audit event to be written",
    })?;
    let hash = audit::link(&previous, seq, at, who, peer, &event);
    c.prepare_cached("INSERT INTO audit (seq, at, who, peer, event, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            i64::try_from(seq).unwrap_or(i64::MAX),
            at,
            who,
            peer,
            event,
            hash
        ])?;
    Ok(seq)
}

/// Keeps a signed checkpoint.
pub fn keep_checkpoint(c: &Connection, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    c.execute(
        "INSERT INTO audit_checkpoint (seq, at, text) VALUES (?1, ?2, ?3)",
        params![
            i64::try_from(checkpoint.seq).unwrap_or(i64::MAX),
            checkpoint.at,
            checkpoint.to_string()
        ],
    )?;
    Ok(())
}

/// The newest checkpoint's text.
pub fn newest_checkpoint(c: &Connection) -> Result<Option<String>, StoreError> {
    Ok(c.query_row(
        "SELECT text FROM audit_checkpoint ORDER BY rowid DESC LIMIT 1",
        [],
        |row| row.get(0),
    )
    .optional()?)
}

/// Which entries to show.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only of this login or name.
    pub who: Option<String>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// The newest entries that fit, newest first, with the number and the time of each.
pub fn audit_page(c: &Connection, filter: &AuditFilter, limit: u32) -> Result<Vec<Entry>, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT seq, at, who, peer, event, hash FROM audit
         WHERE (?1 IS NULL OR who = ?1) AND at >= ?2 AND at < ?3 ORDER BY seq DESC LIMIT ?4",
    )?;
    let rows = select.query_map(
        params![
            filter.who,
            filter.from.map_or(i64::MIN, Timestamp::as_microsecond),
            filter.until.map_or(i64::MAX, Timestamp::as_microsecond),
            limit
        ],
        raw,
    )?;
    rows.map(|row| entry(row?)).collect()
}

/// Everybody who stands in the log, by name.
pub fn audit_people(c: &Connection) -> Result<Vec<String>, StoreError> {
    let mut select = c.prepare("SELECT DISTINCT who FROM audit WHERE who IS NOT NULL ORDER BY who")?;
    let rows = select.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The newest settings on record.
pub fn recorded_settings(c: &Connection) -> Result<Option<String>, StoreError> {
    Ok(c.query_row(
        "SELECT json_extract(event, '$.settings') FROM audit
         WHERE json_extract(event, '$.type') = 'settings_changed' ORDER BY seq DESC LIMIT 1",
        [],
        |row| row.get(0),
    )
    .optional()?)
}

/// Reads a log from its file without changing anything, also while the office runs.
///
/// `begin` is told the name of the data file and its checkpoints, then `each` every entry in order.
pub fn read_audit(
    file: &Path,
    begin: impl FnOnce(&str, Vec<String>),
    mut each: impl FnMut(&Entry),
) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let c = Connection::open_with_flags(file, flags).map_err(|source| StoreError::Open {
        path: file.to_owned(),
        source: source.into(),
    })?;
    c.execute_batch("PRAGMA busy_timeout=5000; PRAGMA trusted_schema=OFF; BEGIN;")?;
    let mut select = c.prepare("SELECT text FROM audit_checkpoint ORDER BY rowid")?;
    let checkpoints = select.query_map([], |row| row.get(0))?;
    begin(&epoch(&c)?, checkpoints.collect::<Result<_, _>>()?);
    let mut select = c.prepare("SELECT seq, at, who, peer, event, hash FROM audit ORDER BY seq")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        each(&entry(raw(row)?)?);
    }
    Ok(())
}

struct Raw(i64, i64, Option<String>, Option<String>, String, Vec<u8>);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok(Raw(
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
    ))
}

fn entry(raw: Raw) -> Result<Entry, StoreError> {
    let Raw(seq, at, who, peer, event, hash) = raw;
    Ok(Entry {
        seq: number(seq)?,
        at,
        who,
        peer,
        event,
        // A hash of another length is no hash of ours; zeros will not fit.
        hash: hash.try_into().unwrap_or([0; 32]),
    })
}

fn number(seq: i64) -> Result<u64, StoreError> {
    u64::try_from(seq).map_err(|_| StoreError::Unreadable { what: "audit entry" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Db;
    use crate::store::office::SCHEMA;

    #[test]
    fn entries_are_only_ever_added_at_the_end() {
        let db = Db::memory(SCHEMA).expect("open").db;
        let now = Timestamp::UNIX_EPOCH;
        let logged_out = AuditEvent::LoggedOut;
        db.write_blocking(move |c| {
            for n in 1..=3 {
                assert_eq!(append_audit(c, now, Some("ana"), None, &logged_out)?, n);
            }
            Ok(())
        })
        .expect("written");
        for refused in [
            "UPDATE audit SET who = 'luz' WHERE seq = 2",
            "DELETE FROM audit WHERE seq = 3",
            "INSERT INTO audit SELECT 5, at, who, peer, event, hash FROM audit WHERE seq = 1",
            "INSERT OR REPLACE INTO audit SELECT 2, at, 'luz', peer, event, hash FROM audit WHERE seq = 2",
        ] {
            let done = db.write_blocking(move |c| Ok(c.execute(refused, [])?));
            assert!(
                matches!(done, Err(StoreError::Conflict(_))),
                "{refused}: {done:?}"
            );
        }
        let all = db
            .read(|c| audit_page(c, &AuditFilter::default(), 10))
            .expect("read");
        assert_eq!(all.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 2, 1]);
    }
}
