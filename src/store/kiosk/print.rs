//! The print journal and the rolls of paper. It never holds a paper's bytes: only their hash, so that nobody who
//! carries the kiosk away can read what was declared.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::id::PrintJobId;
use crate::domain::printing::{JobState, PaperKind, Roll};
use crate::store::StoreError;

/// More kinds and states than the first journal knew, which printer it was, and how much paper it took.
pub(super) const TABLES: &str = "
ALTER TABLE print_job RENAME TO print_job_before;
DROP INDEX print_job_open;
CREATE TABLE print_job (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('receipt', 'turn', 'list', 'payment', 'readiness')),
    about TEXT,
    copy_no INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('queued', 'sending', 'printed', 'sent', 'held', 'unknown', 'expired', 'cancelled')),
    reason TEXT,
    printer TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
INSERT INTO print_job (id, kind, about, copy_no, sha256, state, reason, created_at, changed_at)
    SELECT id, kind, about, copy_no, sha256, state, reason, created_at, changed_at FROM print_job_before;
DROP TABLE print_job_before;
CREATE INDEX print_job_open ON print_job (state) WHERE state IN ('queued', 'sending', 'held', 'unknown');
CREATE INDEX print_job_about ON print_job (about, kind);
CREATE TABLE roll (
    printer TEXT PRIMARY KEY,
    used_mm INTEGER NOT NULL DEFAULT 0,
    papers INTEGER NOT NULL DEFAULT 0,
    changed_at INTEGER NOT NULL
) STRICT;
";

/// The papers of forms that go on later.
pub(super) const RESUME: &str = "
ALTER TABLE print_job RENAME TO print_job_before;
DROP INDEX print_job_open;
DROP INDEX print_job_about;
CREATE TABLE print_job (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('receipt', 'turn', 'list', 'payment', 'resume', 'readiness')),
    about TEXT,
    copy_no INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('queued', 'sending', 'printed', 'sent', 'held', 'unknown', 'expired', 'cancelled')),
    reason TEXT,
    printer TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
INSERT INTO print_job (id, kind, about, copy_no, sha256, state, reason, printer, created_at, changed_at)
    SELECT id, kind, about, copy_no, sha256, state, reason, printer, created_at, changed_at FROM print_job_before;
DROP TABLE print_job_before;
CREATE INDEX print_job_open ON print_job (state) WHERE state IN ('queued', 'sending', 'held', 'unknown');
CREATE INDEX print_job_about ON print_job (about, kind);
";

/// A paper to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintJobRow {
    /// The job; also the name of its files on a `dir:` printer.
    pub id: PrintJobId,
    /// Which paper.
    pub kind: PaperKind,
    /// The submission or ticket it is about.
    pub about: Option<String>,
    /// 0 for the original.
    pub copy_no: u32,
    /// SHA-256 of what the first printer gets, hexadecimal. The bytes themselves say what a person declared and
    /// stay in memory.
    pub sha256: String,
    /// When.
    pub created_at: Timestamp,
}

/// Puts a paper into the journal, or gives it its last form while it still waits.
///
/// # Errors
/// When the file cannot be written.
pub fn add_print_job(c: &Connection, row: &PrintJobRow) -> Result<(), StoreError> {
    c.execute(
        "INSERT INTO print_job (id, kind, about, copy_no, sha256, state, created_at, changed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?6)
         ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256 WHERE state = 'queued'",
        params![
            row.id.to_string(),
            row.kind.code(),
            row.about,
            row.copy_no,
            row.sha256,
            row.created_at.as_microsecond()
        ],
    )?;
    Ok(())
}

/// How often a paper about something was printed as a copy.
///
/// # Errors
/// When the file cannot be read.
pub fn copies_of(c: &Connection, kind: PaperKind, about: &str) -> Result<u32, StoreError> {
    Ok(c.query_row(
        "SELECT coalesce(max(copy_no), 0) FROM print_job WHERE kind = ?1 AND about = ?2",
        params![kind.code(), about],
        |row| row.get(0),
    )?)
}

/// Marks a job, with the printer it went to and the reason of trouble where there is one.
///
/// # Errors
/// When the file cannot be written.
pub fn mark_print_job(
    c: &Connection,
    id: PrintJobId,
    state: JobState,
    printer: Option<&str>,
    reason: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    c.execute(
        "UPDATE print_job SET state = ?2, printer = coalesce(?3, printer), reason = ?4, changed_at = ?5 WHERE id = ?1",
        params![id.to_string(), state.code(), printer, reason, at.as_microsecond()],
    )?;
    Ok(())
}

/// Where a job stands.
///
/// # Errors
/// When the file cannot be read or holds a state of a later version.
pub fn state_of(c: &Connection, id: PrintJobId) -> Result<Option<JobState>, StoreError> {
    let found: Option<String> = c
        .query_row(
            "SELECT state FROM print_job WHERE id = ?1",
            [id.to_string()],
            |row| row.get(0),
        )
        .optional()?;
    found
        .map(|code| {
            JobState::from_code(&code).ok_or(StoreError::Unreadable {
                what: "state of a print job",
            })
        })
        .transpose()
}

/// What a restart found in the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Papers that were being sent: the printer may still hold the beginning of one.
    pub interrupted: usize,
    /// Receipts that wait for somebody to ask.
    pub held: usize,
    /// Papers that are too old now.
    pub expired: usize,
}

/// What a restart makes of the journal; see [`JobState::after_restart`].
///
/// # Errors
/// When the file cannot be written.
pub fn settle(c: &Connection, at: Timestamp) -> Result<Settled, StoreError> {
    let mut settled = Settled::default();
    for state in JobState::ALL {
        for kind in PaperKind::ALL {
            let after = state.after_restart(kind);
            if after == state {
                continue;
            }
            let changed = c.execute(
                "UPDATE print_job SET state = ?3, reason = 'restart', changed_at = ?4 WHERE state = ?1 AND kind = ?2",
                params![state.code(), kind.code(), after.code(), at.as_microsecond()],
            )?;
            match after {
                JobState::Unknown => settled.interrupted += changed,
                JobState::Held => settled.held += changed,
                JobState::Expired => settled.expired += changed,
                JobState::Queued
                | JobState::Sending
                | JobState::Printed
                | JobState::Sent
                | JobState::Cancelled => {}
            }
        }
    }
    Ok(settled)
}

/// What is known of the roll in a printer.
///
/// # Errors
/// When the file cannot be read.
pub fn roll(c: &Connection, printer: &str) -> Result<Roll, StoreError> {
    let found = c
        .query_row(
            "SELECT used_mm, papers FROM roll WHERE printer = ?1",
            [printer],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        )
        .optional()?;
    Ok(found.map_or_else(Roll::default, |(used_mm, papers)| Roll {
        used_mm: u64::try_from(used_mm).unwrap_or(0),
        papers: u64::try_from(papers).unwrap_or(0),
    }))
}

/// Counts a paper of `mm` off the roll.
///
/// # Errors
/// When the file cannot be written.
pub fn wear_roll(c: &Connection, printer: &str, mm: u32, at: Timestamp) -> Result<(), StoreError> {
    c.execute(
        "INSERT INTO roll (printer, used_mm, papers, changed_at) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (printer) DO UPDATE SET used_mm = used_mm + excluded.used_mm, papers = papers + 1",
        params![printer, mm, at.as_microsecond()],
    )?;
    Ok(())
}

/// A new roll was put in.
///
/// # Errors
/// When the file cannot be written.
pub fn change_roll(c: &Connection, printer: &str, at: Timestamp) -> Result<(), StoreError> {
    c.execute(
        "INSERT INTO roll (printer, changed_at) VALUES (?1, ?2)
         ON CONFLICT (printer) DO UPDATE SET used_mm = 0, papers = 0, changed_at = excluded.changed_at",
        params![printer, at.as_microsecond()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Moment;
    use crate::store::{Db, kiosk::SCHEMA};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn row(n: u8, kind: PaperKind) -> PrintJobRow {
        PrintJobRow {
            id: PrintJobId::new(Moment {
                now: at(1_800_000_000),
                random: [n; 16],
            }),
            kind,
            about: Some("a".into()),
            copy_no: 0,
            sha256: "00".into(),
            created_at: at(1_800_000_000),
        }
    }

    #[test]
    fn a_restart_settles_the_journal_and_says_what_it_found() {
        let db = Db::memory(SCHEMA).expect("memory").db;
        let states = [
            JobState::Queued,
            JobState::Sending,
            JobState::Printed,
            JobState::Held,
        ];
        let mut jobs = Vec::new();
        for (k, kind) in PaperKind::ALL.into_iter().enumerate() {
            for (s, state) in states.into_iter().enumerate() {
                jobs.push((row((k * 10 + s) as u8, kind), state));
            }
        }
        let given = jobs.clone();
        db.write_blocking(move |c| {
            for (row, state) in &given {
                add_print_job(c, row)?;
                mark_print_job(c, row.id, *state, Some("first"), None, row.created_at)?;
            }
            Ok(())
        })
        .expect("they are written");
        let settled = db
            .write_blocking(|c| settle(c, at(1_800_000_100)))
            .expect("it settles");
        assert_eq!((settled.interrupted, settled.expired), (6, 10));
        for (row, state) in jobs {
            let id = row.id;
            let found = db.read(move |c| state_of(c, id)).expect("it reads");
            assert_eq!(found, Some(state.after_restart(row.kind)));
        }
    }

    #[test]
    fn a_roll_is_worn_and_changed() {
        let db = Db::memory(SCHEMA).expect("memory").db;
        let read = || db.read(|c| roll(c, "first")).expect("it reads");
        assert_eq!(read(), Roll::default());
        for _ in 0..3 {
            db.write_blocking(|c| wear_roll(c, "first", 140, at(1)))
                .expect("written");
        }
        assert_eq!(
            read(),
            Roll {
                used_mm: 420,
                papers: 3
            }
        );
        db.write_blocking(|c| change_roll(c, "first", at(2)))
            .expect("written");
        assert_eq!(read(), Roll::default());
    }
}
