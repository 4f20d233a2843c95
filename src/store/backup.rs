//! Copies of a receiver's file, and how far they reach.
//!
//! A copy counts only after it was flushed, opened again, checked and [`record`]ed; until then senders keep
//! everything. Begin at [`copy`] and [`inspect`]; [`reach`] is what senders are told.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{StoreError, lives};
use crate::clock::from_micros;

/// The tables, as one migration step after [`super::inbox::TABLES`].
pub const TABLES: &str = "
CREATE TABLE backup (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    made_at INTEGER NOT NULL,
    server_epoch TEXT NOT NULL,
    server_seq INTEGER NOT NULL,
    submissions INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    file TEXT NOT NULL
) STRICT;
CREATE INDEX backup_epoch ON backup (server_epoch, server_seq);
CREATE TABLE relayed (
    server_epoch TEXT PRIMARY KEY,
    server_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Life of the file that was copied.
    pub epoch: String,
    /// The last place in its order.
    pub server_seq: i64,
    /// How many submissions are in it.
    pub submissions: i64,
}

/// Copies the database at `from`, which may be in use, to the new file `to`, as of one moment.
///
/// The copy is one file without a log beside it. The caller flushes it.
///
/// # Errors
/// When either file cannot be used, or the disk of the copy is full.
pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let source = Connection::open_with_flags(
        from,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|e| cannot(from, e))?;
    source.execute_batch("PRAGMA busy_timeout=5000; PRAGMA trusted_schema=OFF;")?;
    let mut target = Connection::open(to).map_err(|e| cannot(to, e))?;
    {
        let backup = rusqlite::backup::Backup::new(&source, &mut target)?;
        // All pages in one step: one moment, and a writer in another process cannot make it begin again.
        backup.step(-1)?;
    }
    target.query_row("PRAGMA journal_mode=DELETE", [], |_| Ok(()))?;
    target.close().map_err(|(_, e)| StoreError::from(e))
}

/// Opens a copy without changing anything and checks it from the first page to the last.
///
/// # Errors
/// When it is damaged or of another part of Ventanilla.
pub fn inspect(path: &Path, application_id: i32) -> Result<Copied, StoreError> {
    let copy = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|e| cannot(path, e))?;
    let verdict: String = copy
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|e| cannot(path, e))?;
    if verdict != "ok" {
        return Err(cannot(path, verdict));
    }
    let found: i32 = copy.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if found != application_id {
        return Err(cannot(path, "it belongs to another part of Ventanilla"));
    }
    Ok(Copied {
        epoch: lives::epoch(&copy)?,
        server_seq: lives::last_seq(&copy)?,
        submissions: copy.query_row("SELECT count(*) FROM inbox", [], |row| row.get(0))?,
    })
}

fn cannot(path: &Path, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Open {
        path: path.to_owned(),
        source: why.into(),
    }
}

/// Writes down that a checked copy exists: from now on senders hear of it.
///
/// A copy of another life, or of a file that knew more than this one, is not written down: returns `false`.
pub fn record(
    conn: &Connection,
    copied: &Copied,
    sha256: &str,
    file: &str,
    made_at: Timestamp,
) -> Result<bool, StoreError> {
    if copied.epoch != lives::epoch(conn)? || copied.server_seq > lives::last_seq(conn)? {
        return Ok(false);
    }
    conn.execute(
        "INSERT INTO backup (made_at, server_epoch, server_seq, submissions, sha256, file)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            made_at.as_microsecond(),
            copied.epoch,
            copied.server_seq,
            copied.submissions,
            sha256,
            file
        ],
    )?;
    Ok(true)
}

/// When the last copy was made, and how far it reaches, in whichever life.
pub fn last(conn: &Connection) -> Result<Option<(Timestamp, i64)>, StoreError> {
    Ok(conn
        .query_row(
            "SELECT made_at, server_seq FROM backup ORDER BY seq DESC LIMIT 1",
            [],
            |row| Ok((from_micros(row.get(0)?), row.get(1)?)),
        )
        .optional()?)
}

/// The last place in the order of the life `epoch` that is safe without this file; 0 where none is.
pub fn reach(conn: &Connection, epoch: &str) -> Result<i64, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT max(coalesce((SELECT max(server_seq) FROM backup WHERE server_epoch=?1), 0),
                        coalesce((SELECT server_seq FROM relayed WHERE server_epoch=?1), 0))",
        )?
        .query_row([epoch], |row| row.get(0))?)
}

/// For a file that passes on what it takes in: all that is durable above counts here too.
///
/// Walks on from where the last call stopped, to the first one that is not durable above.
pub fn advance_relayed(conn: &Connection, epoch: &str) -> Result<i64, StoreError> {
    let before: i64 = conn
        .prepare_cached("SELECT server_seq FROM relayed WHERE server_epoch=?1")?
        .query_row([epoch], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    let open: Option<i64> = conn
        .prepare_cached(
            "SELECT server_seq FROM inbox WHERE server_seq>?1 AND NOT EXISTS
                 (SELECT 1 FROM outbox WHERE outbox.submission_id=inbox.submission_id AND outbox.state='DURABLE')
             ORDER BY server_seq LIMIT 1",
        )?
        .query_row([before], |row| row.get(0))
        .optional()?;
    let reach = match open {
        Some(open) => open - 1,
        None => lives::last_seq(conn)?,
    };
    if reach > before {
        conn.execute(
            "INSERT INTO relayed (server_epoch, server_seq) VALUES (?1, ?2)
             ON CONFLICT (server_epoch) DO UPDATE SET server_seq=excluded.server_seq",
            params![epoch, reach],
        )?;
    }
    Ok(reach.max(before))
}
