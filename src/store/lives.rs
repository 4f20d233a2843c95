//! The lives of a receiver's file: a restored file begins a new one, so that senders hand in again what it lost.
//!
//! A restore by command says so itself. One by copying files is noticed at the next start by a small file beside
//! the database, or by the first sender that proves to know more than the database does.
//! A life that is begun for nothing costs some sending twice; one that is not begun costs submissions. So every
//! doubt begins one. Begin at [`begin`].

use std::io::Write;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{Db, StoreError};

/// The tables, as one migration step after [`super::inbox::TABLES`].
pub const TABLES: &str = "
CREATE TABLE life (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    epoch TEXT NOT NULL UNIQUE,
    why TEXT NOT NULL CHECK (why IN ('restore','file-copy','sender-knows-more')),
    server_seq INTEGER NOT NULL
) STRICT;
";

/// Why a new life began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Somebody restored a copy with the command.
    Restore,
    /// The file is not the one that ran here last.
    FileCopy,
    /// A sender showed our own signature for something that the file does not have.
    SenderKnowsMore,
}

impl Why {
    /// The word in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::FileCopy => "file-copy",
            Self::SenderKnowsMore => "sender-knows-more",
        }
    }
}

/// A life that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifeRow {
    /// When.
    pub at: Timestamp,
    /// `restore`, `file-copy` or `sender-knows-more`.
    pub why: String,
    /// The last place in the order that the file knew then.
    pub server_seq: i64,
}

/// The present life of the file.
pub fn epoch(conn: &Connection) -> Result<String, StoreError> {
    Ok(conn
        .prepare_cached("SELECT value FROM meta WHERE key='epoch'")?
        .query_row([], |row| row.get(0))?)
}

/// The last place that was ever given in this file's order; 0 where none was.
pub fn last_seq(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name='inbox'")?
        .query_row([], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

/// Begins a new life and says why; `random` names it. Returns its epoch.
pub fn rotate(conn: &Connection, why: Why, random: [u8; 16], now: Timestamp) -> Result<String, StoreError> {
    let epoch = name(random);
    let server_seq = last_seq(conn)?;
    conn.execute("UPDATE meta SET value=?1 WHERE key='epoch'", [&epoch])?;
    conn.execute(
        "INSERT INTO life (at, epoch, why, server_seq) VALUES (?1, ?2, ?3, ?4)",
        params![now.as_microsecond(), epoch, why.word(), server_seq],
    )?;
    tracing::error!(
        why = why.word(),
        server_seq,
        "the data file begins a new life: senders hand in again"
    );
    Ok(epoch)
}

/// Begins a new life in a copy that takes the place of the file; it is of an earlier run, and that is meant so.
pub fn begin_restored(conn: &Connection, random: [u8; 16], now: Timestamp) -> Result<String, StoreError> {
    conn.execute("DELETE FROM meta WHERE key='run'", [])?;
    rotate(conn, Why::Restore, random, now)
}

/// The lives that were begun because something was restored, the newest first.
pub fn list(conn: &Connection) -> Result<Vec<LifeRow>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT at, why, server_seq FROM life ORDER BY seq DESC LIMIT 50")?;
    let rows = statement.query_map([], |row| {
        Ok(LifeRow {
            at: crate::clock::from_micros(row.get(0)?),
            why: row.get(1)?,
            server_seq: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What lies outside the database and must agree with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Outside {
    /// Name of the run that wrote this.
    run: String,
    /// Name that the database may have instead: the power may go between the two writes.
    next: String,
    /// A place in the order that the database had.
    server_seq: i64,
}

/// At start: compares the database with the file outside it, and begins a new life where they disagree.
///
/// `random` is fresh. Returns the present epoch, and whether it is a new one. Not for a thread of the runtime.
///
/// # Errors
/// When either cannot be written.
pub fn begin(
    db: &Db,
    outside: &Path,
    random: [u8; 16],
    now: Timestamp,
) -> Result<(String, bool), StoreError> {
    let said: Option<Outside> = std::fs::read(outside)
        .ok()
        .map(|bytes| serde_json::from_slice(&bytes).unwrap_or_default());
    let (run, last) = db.write_blocking(|conn| Ok((run_of(conn)?, last_seq(conn)?)))?;
    let same = match (&said, &run) {
        (None, None) => true,
        // A file that was just made, after damage or for the first time, has an epoch of its own already.
        (Some(_), None) => last == 0,
        (None, Some(_)) => false,
        (Some(said), Some(run)) => (*run == said.run || *run == said.next) && last >= said.server_seq,
    };
    let next = name(crate::clock::random());
    let before = Outside {
        run: run.unwrap_or_default(),
        next: next.clone(),
        server_seq: last,
    };
    write(outside, &before)?;
    let epoch = {
        let next = next.clone();
        db.write_blocking(move |conn| {
            conn.execute(
                "INSERT INTO meta (key, value) VALUES ('run', ?1)
                 ON CONFLICT (key) DO UPDATE SET value=excluded.value",
                [next],
            )?;
            if same {
                epoch(conn)
            } else {
                rotate(conn, Why::FileCopy, random, now)
            }
        })?
    };
    write(
        outside,
        &Outside {
            run: next.clone(),
            next,
            server_seq: last,
        },
    )?;
    Ok((epoch, !same))
}

/// Notes outside how far the order reaches, so that an older file shows at the next start.
///
/// # Errors
/// When the file cannot be written.
pub fn note(db: &Db, outside: &Path) -> Result<(), StoreError> {
    let (run, last) = db.read(|conn| Ok((run_of(conn)?, last_seq(conn)?)))?;
    let run = run.unwrap_or_default();
    write(
        outside,
        &Outside {
            next: run.clone(),
            run,
            server_seq: last,
        },
    )
}

fn run_of(conn: &Connection) -> Result<Option<String>, StoreError> {
    Ok(conn
        .query_row("SELECT value FROM meta WHERE key='run'", [], |row| row.get(0))
        .optional()?)
}

fn name(random: [u8; 16]) -> String {
    crate::domain::seal::hex(&random)
}

/// Whole or not at all, and on the disk before it returns.
fn write(path: &Path, said: &Outside) -> Result<(), StoreError> {
    let cannot = |source: std::io::Error| StoreError::Open {
        path: path.to_owned(),
        source: source.into(),
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let draft = path.with_extension("epoch-new");
    let text = serde_json::to_vec(said).expect("plain data");
    let put = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut file = std::fs::File::create(&draft)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&draft, path)?;
        std::fs::File::open(folder)?.sync_all()
    };
    put().map_err(cannot)
}
