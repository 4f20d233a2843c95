//! What a kiosk keeps: receipts, turns, held numbers and the print journal. No personal data in the clear.
//!
//! The sealed submissions are in [`super::outbox`], in the same file and the same transactions; the papers are in
//! [`print`].

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::{Schema, StoreError, outbox};
use crate::clock::from_micros;
use crate::domain::id::{SubmissionId, TicketId};
use crate::domain::resume::DraftId;

pub mod print;

/// The file of a kiosk.
pub const SCHEMA: Schema = Schema {
    application_id: 0x5645_4b31,
    migrations: &[
        outbox::TABLES,
        TABLES,
        outbox::WORDS,
        super::usage::KIOSK_TABLES,
        print::TABLES,
        print::RESUME,
        USED_DRAFTS,
        super::obeyed::TABLES,
    ],
};

const TABLES: &str = "
CREATE TABLE receipt (
    submission TEXT PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    procedure TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE ticket (
    request TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    queue TEXT NOT NULL,
    lane TEXT NOT NULL,
    submission TEXT,
    state TEXT NOT NULL CHECK (state IN ('wanted', 'issued', 'refused', 'void')),
    number TEXT,
    n INTEGER,
    business_date TEXT,
    leased INTEGER NOT NULL DEFAULT 0,
    replaces TEXT,
    known_to_office INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    issued_at INTEGER,
    UNIQUE (business_date, queue, n)
) STRICT;
CREATE INDEX ticket_to_tell ON ticket (known_to_office) WHERE known_to_office = 0;
CREATE TABLE lease (
    queue TEXT NOT NULL,
    series TEXT NOT NULL,
    next INTEGER NOT NULL,
    last INTEGER NOT NULL,
    from_date TEXT NOT NULL,
    through_date TEXT NOT NULL,
    PRIMARY KEY (queue, from_date, last)
) STRICT;
CREATE TABLE print_job (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('receipt', 'turn', 'list')),
    about TEXT,
    copy_no INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('queued', 'sending', 'printed', 'sent', 'held', 'unknown', 'expired')),
    reason TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX print_job_open ON print_job (state) WHERE state IN ('queued', 'sending', 'held', 'unknown');
CREATE TABLE rating (
    business_date TEXT NOT NULL,
    mark INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (business_date, mark)
) STRICT;
";

/// Drafts whose form was sent, until the office knows; a name that says nothing.
const USED_DRAFTS: &str = "
CREATE TABLE used_draft (
    id BLOB PRIMARY KEY,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Writes down that the form of a draft was sent; twice is once.
///
/// # Errors
/// When the file cannot be written.
pub fn use_draft(c: &Connection, id: DraftId, now: Timestamp) -> Result<(), StoreError> {
    c.execute(
        "INSERT OR IGNORE INTO used_draft (id, used_at) VALUES (?1, ?2)",
        params![id.0, now.as_microsecond()],
    )?;
    Ok(())
}

/// Drafts of which the office does not know that they are used.
///
/// # Errors
/// When the file cannot be read.
pub fn used_drafts(c: &Connection) -> Result<Vec<DraftId>, StoreError> {
    let mut statement = c.prepare_cached("SELECT id FROM used_draft ORDER BY used_at LIMIT 50")?;
    let rows = statement.query_map([], |row| row.get(0).map(DraftId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The office knows.
///
/// # Errors
/// When the file cannot be written.
pub fn told_draft(c: &Connection, id: DraftId) -> Result<(), StoreError> {
    c.execute("DELETE FROM used_draft WHERE id = ?1", [id.0])?;
    Ok(())
}

/// A receipt as the kiosk remembers it: enough to answer a code, nothing about the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    /// The submission it is for.
    pub submission: SubmissionId,
    /// `QT7M-4K2P`.
    pub code: String,
    /// The procedure's identifier.
    pub procedure: String,
    /// What may be said in public of the procedure.
    pub label: String,
    /// When the citizen confirmed.
    pub created_at: Timestamp,
}

/// Remembers a receipt; a code that is taken already is a [`StoreError::Conflict`].
pub fn add_receipt(c: &Connection, row: &ReceiptRow) -> Result<(), StoreError> {
    c.execute(
        "INSERT INTO receipt (submission, code, procedure, label, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            row.submission.to_string(),
            row.code,
            row.procedure,
            row.label,
            row.created_at.as_microsecond()
        ],
    )?;
    Ok(())
}

/// The receipt of a code.
pub fn receipt(c: &Connection, code: &str) -> Result<Option<ReceiptRow>, StoreError> {
    let read = |row: &Row<'_>| {
        Ok((
            row.get::<_, String>(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            from_micros(row.get(4)?),
        ))
    };
    let found = c
        .query_row(
            "SELECT submission, code, procedure, label, created_at FROM receipt WHERE code = ?1",
            [code],
            read,
        )
        .optional()?;
    found
        .map(|(submission, code, procedure, label, created_at)| {
            let submission = submission.parse().map_err(|_| StoreError::Unreadable {
                what: "submission id",
            })?;
            Ok(ReceiptRow {
                submission,
                code,
                procedure,
                label,
                created_at,
            })
        })
        .transpose()
}

/// A turn that somebody wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRow {
    /// Names the wish for ever; the office answers it once.
    pub request: Uuid,
    /// The ticket's id, made here.
    pub id: TicketId,
    /// The queue's id.
    pub queue: String,
    /// `general` or `priority`.
    pub lane: String,
    /// The form that goes with it.
    pub submission: Option<SubmissionId>,
    /// When.
    pub created_at: Timestamp,
}

/// Writes down that a turn is wanted, before anybody is asked for a number.
pub fn want_ticket(c: &Connection, row: &WantedRow) -> Result<(), StoreError> {
    c.execute(
        "INSERT INTO ticket (request, id, queue, lane, submission, state, known_to_office, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'wanted', 1, ?6)",
        params![
            row.request.to_string(),
            row.id.to_string(),
            row.queue,
            row.lane,
            row.submission.map(|id| id.to_string()),
            row.created_at.as_microsecond()
        ],
    )?;
    Ok(())
}

/// A number given to a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberRow {
    /// `T-018`.
    pub number: String,
    /// 18.
    pub n: u32,
    /// The office's day.
    pub business_date: String,
    /// When it was given.
    pub issued_at: Timestamp,
}

/// The office gave a number.
pub fn number_from_office(c: &Connection, request: Uuid, row: &NumberRow) -> Result<(), StoreError> {
    give(c, request, row, false)
}

/// Takes the next held number for the wish, or none where none is left for that day.
///
/// The office hears of it later, with the request it may have answered too late.
pub fn number_from_lease(
    c: &Connection,
    request: Uuid,
    queue: &str,
    business_date: &str,
    issued_at: Timestamp,
) -> Result<Option<NumberRow>, StoreError> {
    let held = c
        .query_row(
            "UPDATE lease SET next = next + 1
             WHERE rowid = (SELECT rowid FROM lease
                            WHERE queue = ?1 AND ?2 BETWEEN from_date AND through_date AND next <= last
                            ORDER BY next LIMIT 1)
             RETURNING series, next - 1",
            params![queue, business_date],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)),
        )
        .optional()?;
    let Some((series, n)) = held else { return Ok(None) };
    let row = NumberRow {
        number: format!("{series}-{n:03}"),
        n,
        business_date: business_date.to_owned(),
        issued_at,
    };
    give(c, request, &row, true)?;
    Ok(Some(row))
}

fn give(c: &Connection, request: Uuid, row: &NumberRow, leased: bool) -> Result<(), StoreError> {
    c.execute(
        "UPDATE ticket SET state = 'issued', number = ?2, n = ?3, business_date = ?4, issued_at = ?5,
                leased = ?6, known_to_office = ?7
         WHERE request = ?1 AND state = 'wanted'",
        params![
            request.to_string(),
            row.number,
            row.n,
            row.business_date,
            row.issued_at.as_microsecond(),
            leased,
            !leased
        ],
    )?;
    Ok(())
}

/// No number was to be had.
pub fn refuse_ticket(c: &Connection, request: Uuid) -> Result<(), StoreError> {
    // The office may have answered too late: it is told that nobody holds that turn.
    c.execute(
        "UPDATE ticket SET state = 'refused', known_to_office = 0 WHERE request = ?1 AND state = 'wanted'",
        [request.to_string()],
    )?;
    Ok(())
}

/// What the office does not know yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToTell {
    /// A ticket from a held number.
    Issued {
        /// The wish.
        wanted: WantedRow,
        /// Its number.
        number: NumberRow,
    },
    /// A wish whose number, if the office gave one, is on no paper.
    Void {
        /// The wish.
        request: Uuid,
        /// The ticket's id.
        id: TicketId,
    },
}

/// Up to `limit` things to tell the office, the oldest first.
pub fn to_tell(c: &Connection, limit: u32) -> Result<Vec<ToTell>, StoreError> {
    let mut query = c.prepare_cached(
        "SELECT request, id, queue, lane, submission, created_at, state, number, n, business_date, issued_at
         FROM ticket WHERE known_to_office = 0 ORDER BY created_at LIMIT ?1",
    )?;
    let rows = query.query_map([limit], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
            row.get::<_, Option<String>>(4)?,
            row.get::<_, i64>(5)?,
            row.get::<_, String>(6)?,
            (
                row.get::<_, Option<String>>(7)?,
                row.get::<_, Option<u32>>(8)?,
                row.get::<_, Option<String>>(9)?,
                row.get::<_, Option<i64>>(10)?,
            ),
        ))
    })?;
    let unreadable = |what| move |_| StoreError::Unreadable { what };
    let mut told = Vec::new();
    for row in rows {
        let (request, id, queue, lane, submission, created_at, state, number) = row?;
        let request: Uuid = request.parse().map_err(unreadable("ticket request"))?;
        let id: TicketId = id.parse().map_err(unreadable("ticket id"))?;
        told.push(match (state.as_str(), number) {
            ("issued", (Some(number), Some(n), Some(business_date), Some(issued_at))) => ToTell::Issued {
                wanted: WantedRow {
                    request,
                    id,
                    queue,
                    lane,
                    submission: submission
                        .map(|id| id.parse())
                        .transpose()
                        .map_err(unreadable("submission id"))?,
                    created_at: from_micros(created_at),
                },
                number: NumberRow {
                    number,
                    n,
                    business_date,
                    issued_at: from_micros(issued_at),
                },
            },
            _ => ToTell::Void { request, id },
        });
    }
    Ok(told)
}

/// The office knows now.
pub fn told(c: &Connection, request: Uuid) -> Result<(), StoreError> {
    c.execute(
        "UPDATE ticket SET known_to_office = 1 WHERE request = ?1",
        [request.to_string()],
    )?;
    Ok(())
}

/// A block of numbers for the time without network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// The queue's id.
    pub queue: String,
    /// The letter.
    pub series: String,
    /// First number.
    pub from: u32,
    /// Last number.
    pub to: u32,
    /// First business date it is good for.
    pub from_date: String,
    /// Last business date it is good for.
    pub through_date: String,
}

/// Keeps a block of numbers; one that is kept already changes nothing.
pub fn add_lease(c: &Connection, row: &LeaseRow) -> Result<(), StoreError> {
    c.execute(
        "INSERT OR IGNORE INTO lease (queue, series, next, last, from_date, through_date)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            row.queue,
            row.series,
            row.from,
            row.to,
            row.from_date,
            row.through_date
        ],
    )?;
    Ok(())
}

/// Numbers still held for a queue on a day.
pub fn numbers_held(c: &Connection, queue: &str, business_date: &str) -> Result<u32, StoreError> {
    Ok(c.query_row(
        "SELECT coalesce(sum(last - next + 1), 0) FROM lease WHERE queue = ?1 AND ?2 BETWEEN from_date AND through_date AND next <= last",
        params![queue, business_date],
        |row| row.get(0),
    )?)
}

/// What a restart makes of what was under way: a wish that got no number is void, and the print journal settles
/// as [`print::settle`] says.
///
/// # Errors
/// When the file cannot be written.
pub fn settle_after_start(c: &Connection, at: Timestamp) -> Result<print::Settled, StoreError> {
    c.execute(
        "UPDATE ticket SET state = 'void', known_to_office = 0 WHERE state = 'wanted'",
        [],
    )?;
    print::settle(c, at)
}

/// Counts an anonymous mark.
pub fn rate(c: &Connection, business_date: &str, mark: u8) -> Result<(), StoreError> {
    c.execute(
        "INSERT INTO rating (business_date, mark, count) VALUES (?1, ?2, 1)
         ON CONFLICT (business_date, mark) DO UPDATE SET count = count + 1",
        params![business_date, mark],
    )?;
    Ok(())
}
