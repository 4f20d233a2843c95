//! Submissions that wait to be sent, in the kiosk's and in the office's file.
//!
//! Written in the very transaction that confirms the form; a row is only forgotten when the server's copy is in
//! a verified backup, and even then its name and hash stay.
//! One transition is one statement, and each says from which state it may come.
//! Begin at [`enqueue`], [`take`] and [`settle`].

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;
use crate::clock::from_micros;
use crate::domain::id::SubmissionId;
use crate::domain::receipt::Code;
use crate::domain::submission::durable::Mark;
use crate::domain::submission::peers::Delivery;
use crate::domain::submission::transit::{Outcome, State};
use crate::domain::submission::{Acknowledgement, Hash, Header, Item};

/// The tables, as one migration step.
pub const TABLES: &str = "
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    submission_id TEXT NOT NULL UNIQUE,
    device_id TEXT NOT NULL,
    outbox_epoch TEXT NOT NULL,
    device_seq INTEGER NOT NULL CHECK (device_seq > 0),
    code TEXT NOT NULL,
    procedure TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    envelope BLOB,
    state TEXT NOT NULL CHECK (state IN ('QUEUED','INFLIGHT','RECEIVED','DURABLE','DEAD','QUARANTINED')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    why TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    ack_body TEXT,
    ack_signature TEXT,
    server_epoch TEXT,
    server_seq INTEGER,
    CHECK (envelope IS NOT NULL OR state = 'DURABLE'),
    CHECK (state NOT IN ('RECEIVED','DURABLE') OR ack_body IS NOT NULL)
) STRICT;
CREATE INDEX outbox_due ON outbox (state, next_at, seq);
CREATE INDEX outbox_code ON outbox (code);
CREATE TABLE outbox_chain (
    device_id TEXT PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    last_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Finds the server's last word at once; a later migration step.
pub const WORDS: &str = "
CREATE INDEX outbox_words ON outbox (server_epoch, server_seq) WHERE server_seq IS NOT NULL;
";

/// After this long a stored `next_at` is not believed: the clock was moved.
const WAIT_MAX_MICROS: i64 = 3_600_000_000;

/// Where the next submission of a device stands in its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number, without gaps.
    pub device_seq: u32,
    /// Hash of the one before, hexadecimal.
    pub prev_hash: Option<String>,
    /// Life of this file.
    pub outbox_epoch: String,
}

/// The place the next [`enqueue`] must use; ask in the same transaction.
pub fn place(conn: &Connection, device_id: &str) -> Result<Place, StoreError> {
    let outbox_epoch = conn
        .prepare_cached("SELECT value FROM meta WHERE key='epoch'")?
        .query_row([], |row| row.get(0))?;
    let last: Option<(u32, String)> = conn
        .prepare_cached("SELECT last_seq, last_hash FROM outbox_chain WHERE device_id=?1")?
        .query_row([device_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(match last {
        None => Place {
            device_seq: 1,
            prev_hash: None,
            outbox_epoch,
        },
        Some((seq, hash)) => Place {
            device_seq: seq + 1,
            prev_hash: Some(hash),
            outbox_epoch,
        },
    })
}

/// Keeps a sealed submission of this device; call it inside the transaction that confirms the form.
///
/// # Errors
/// `Conflict` when the id is there already or the place is not the next one.
pub fn enqueue(conn: &Connection, header: &Header, item: &Item, now: Timestamp) -> Result<(), StoreError> {
    let place = place(conn, &header.device_id)?;
    if (place.device_seq, &place.outbox_epoch) != (header.device_seq, &header.outbox_epoch) {
        return Err(StoreError::Unreadable {
            what: "place in the chain of submissions",
        });
    }
    insert(conn, header, item, now)?;
    conn.execute(
        "INSERT INTO outbox_chain (device_id, last_seq, last_hash) VALUES (?1, ?2, ?3)
         ON CONFLICT (device_id) DO UPDATE SET last_seq=excluded.last_seq, last_hash=excluded.last_hash",
        params![header.device_id, header.device_seq, item.hash.to_hex()],
    )?;
    Ok(())
}

/// Keeps another device's submission to pass it on; call it in the transaction that keeps it in the inbox.
pub fn relay(conn: &Connection, delivery: &Delivery, now: Timestamp) -> Result<(), StoreError> {
    insert(conn, &delivery.header, &delivery.item, now)
}

fn insert(conn: &Connection, header: &Header, item: &Item, now: Timestamp) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO outbox (submission_id, device_id, outbox_epoch, device_seq, code, procedure, hash, signature,
                             envelope, state, created_at, changed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'QUEUED', ?10, ?10)",
    )?
    .execute(params![
            item.id.to_string(),
            header.device_id,
            header.outbox_epoch,
            header.device_seq,
            header.code.plain(),
            header.procedure,
            item.hash.0,
            item.signature,
            item.envelope,
            now.as_microsecond(),
        ])?;
    Ok(())
}

/// The stored item of an id, checked against its hash; nothing where it is unknown or its body was let go.
pub fn find(conn: &Connection, id: SubmissionId) -> Result<Option<Item>, StoreError> {
    let found = conn
        .query_row(
            "SELECT seq, submission_id, hash, signature, envelope FROM outbox
             WHERE submission_id=?1 AND envelope IS NOT NULL",
            [id.to_string()],
            raw_row,
        )
        .optional()?;
    match found.map(RawRow::into_item) {
        None => Ok(None),
        Some(Some(item)) => Ok(Some(item)),
        Some(None) => Err(StoreError::Unreadable { what: "submission" }),
    }
}

struct RawRow {
    seq: i64,
    id: String,
    hash: [u8; 32],
    signature: [u8; 64],
    envelope: Vec<u8>,
}

fn raw_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<RawRow> {
    Ok(RawRow {
        seq: row.get(0)?,
        id: row.get(1)?,
        hash: row.get(2)?,
        signature: row.get(3)?,
        envelope: row.get(4)?,
    })
}

impl RawRow {
    /// The item, if its bytes are still those that were confirmed.
    fn into_item(self) -> Option<Item> {
        let hash = Hash(self.hash);
        (Hash::of(&self.envelope) == hash).then_some(())?;
        Some(Item {
            id: self.id.parse().ok()?,
            hash,
            signature: self.signature,
            envelope: self.envelope,
        })
    }
}

/// At start: what was on the line when the process ended waits again.
pub fn recover(conn: &Connection, now: Timestamp) -> Result<usize, StoreError> {
    Ok(conn.execute(
        "UPDATE outbox SET state='QUEUED', why='interrupted', changed_at=?1 WHERE state='INFLIGHT'",
        [now.as_microsecond()],
    )?)
}

/// Marks the next due items as on the line and returns them.
///
/// One that may be at fault travels alone, so that it holds up nobody. One whose bytes changed on the disk is
/// put aside and not returned.
pub fn take(
    conn: &Connection,
    now: Timestamp,
    items_max: usize,
    bytes_max: usize,
) -> Result<Vec<Item>, StoreError> {
    let now = now.as_microsecond();
    let mut due = conn.prepare_cached(
        "SELECT seq, submission_id, hash, signature, envelope, attempts FROM outbox
         WHERE state='QUEUED' AND (next_at <= ?1 OR next_at > ?2)
         ORDER BY next_at, seq LIMIT ?3",
    )?;
    let limit = i64::try_from(items_max.max(1)).unwrap_or(i64::MAX);
    let mut rows = due.query(params![now, now + WAIT_MAX_MICROS, limit])?;
    let (mut taken, mut bytes) = (Vec::new(), 0_usize);
    while let Some(row) = rows.next()? {
        let suspect = row.get::<_, i64>(5)? > 0;
        if suspect && !taken.is_empty() {
            continue;
        }
        let raw = raw_row(row)?;
        if !taken.is_empty() && bytes + raw.envelope.len() > bytes_max {
            break;
        }
        let seq = raw.seq;
        bytes += raw.envelope.len();
        let Some(item) = raw.into_item() else {
            conn.execute(
                "UPDATE outbox SET state='QUARANTINED', why='changed_on_disk', changed_at=?2
                 WHERE seq=?1 AND state='QUEUED'",
                params![seq, now],
            )?;
            continue;
        };
        conn.prepare_cached(
            "UPDATE outbox SET state='INFLIGHT', changed_at=?2 WHERE seq=?1 AND state='QUEUED'",
        )?
        .execute(params![seq, now])?;
        taken.push(item);
        if suspect {
            break;
        }
    }
    Ok(taken)
}

/// Writes down what became of items that were on the line; one that is not on the line is left as it is.
pub fn settle(
    conn: &Connection,
    outcomes: &[(SubmissionId, Outcome)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let now = now.as_microsecond();
    for (id, outcome) in outcomes {
        let id = id.to_string();
        match outcome {
            Outcome::Received {
                ack,
                server_epoch,
                server_seq,
            } => conn
                .prepare_cached(
                    "UPDATE outbox SET state='RECEIVED', why=NULL, ack_body=?2, ack_signature=?3, server_epoch=?4,
                            server_seq=?5, changed_at=?6
                     WHERE submission_id=?1 AND state='INFLIGHT'",
                )?
                .execute(params![id, ack.body, ack.signature, server_epoch, server_seq, now])?,
            Outcome::Again {
                next_at,
                suspect,
                why,
            } => conn.execute(
                "UPDATE outbox SET state='QUEUED', why=?2, next_at=coalesce(?3, next_at),
                        attempts=attempts + ?4, changed_at=?5
                 WHERE submission_id=?1 AND state='INFLIGHT'",
                params![id, why, next_at.map(Timestamp::as_microsecond), suspect, now],
            )?,
            Outcome::Dead { why } => conn.execute(
                "UPDATE outbox SET state='DEAD', why=?2, changed_at=?3
                 WHERE submission_id=?1 AND state='INFLIGHT'",
                params![id, why, now],
            )?,
        };
    }
    Ok(())
}

/// How often an item itself was found at fault.
pub fn attempts(conn: &Connection, id: SubmissionId) -> Result<u32, StoreError> {
    Ok(conn
        .query_row(
            "SELECT attempts FROM outbox WHERE submission_id=?1",
            [id.to_string()],
            |row| row.get(0),
        )
        .optional()?
        .unwrap_or(0))
}

/// The server began a new life: all that is still here and that it keeps only under an old one is sent again.
///
/// Also what was durable: the copy that was restored may be older than the one that was promised. Returns how many.
pub fn server_epoch(conn: &Connection, epoch: &str, now: Timestamp) -> Result<usize, StoreError> {
    Ok(conn.execute(
        "UPDATE outbox SET state='QUEUED', why='server_restored', next_at=0, changed_at=?2
         WHERE state IN ('RECEIVED','DURABLE') AND server_epoch<>?1 AND envelope IS NOT NULL",
        params![epoch, now.as_microsecond()],
    )?)
}

/// The server's verified copies reach this far; counts only for what it acknowledged in that same life.
pub fn durable(conn: &Connection, mark: &Mark, now: Timestamp) -> Result<usize, StoreError> {
    Ok(conn.execute(
        "UPDATE outbox SET state='DURABLE', changed_at=?3
         WHERE state='RECEIVED' AND server_epoch=?1 AND server_seq<=?2",
        params![mark.server_epoch, mark.server_seq, now.as_microsecond()],
    )?)
}

/// The server's signed word with the highest place in its life `epoch`: proof of how far it once was.
pub fn last_word(conn: &Connection, epoch: &str) -> Result<Option<Acknowledgement>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT ack_body, ack_signature FROM outbox WHERE server_epoch=?1 AND server_seq IS NOT NULL
             ORDER BY server_seq DESC LIMIT 1",
        )?
        .query_row([epoch], |row| {
            Ok(Acknowledgement {
                body: row.get(0)?,
                signature: row.get(1)?,
            })
        })
        .optional()?)
}

/// The life of the server that last acknowledged something here.
pub fn last_epoch(conn: &Connection) -> Result<Option<String>, StoreError> {
    Ok(conn
        .query_row(
            "SELECT server_epoch FROM outbox WHERE state IN ('RECEIVED','DURABLE')
             ORDER BY changed_at DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?)
}

/// Lets go of bodies that have been durable for `stay`; name, hash and acknowledgement stay.
///
/// One that seems to be durable since a time that is still to come was written by a clock that was wrong: it goes
/// too, for its age is unknown and its copy is safe.
pub fn purge(conn: &Connection, stay: SignedDuration, now: Timestamp) -> Result<usize, StoreError> {
    let (now, stay) = (now.as_microsecond(), micros_of(stay));
    Ok(conn.execute(
        "UPDATE outbox SET envelope=NULL
         WHERE state='DURABLE' AND envelope IS NOT NULL AND (changed_at<?1 OR changed_at>?2)",
        params![now.saturating_sub(stay), now.saturating_add(WAIT_MAX_MICROS)],
    )?)
}

/// Forgets what was durable for `stay` and has no body any more, all but the newest of each device.
pub fn forget(conn: &Connection, stay: SignedDuration, now: Timestamp) -> Result<usize, StoreError> {
    Ok(conn.execute(
        "DELETE FROM outbox WHERE state='DURABLE' AND envelope IS NULL AND changed_at<?1
         AND seq NOT IN (SELECT max(seq) FROM outbox GROUP BY device_id)",
        [now.as_microsecond().saturating_sub(micros_of(stay))],
    )?)
}

fn micros_of(span: SignedDuration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// A person says: try this one again. Returns whether it was dead.
pub fn revive(conn: &Connection, id: SubmissionId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(conn.execute(
        "UPDATE outbox SET state='QUEUED', attempts=0, next_at=0, why='revived', changed_at=?2
         WHERE submission_id=?1 AND state='DEAD'",
        params![id.to_string(), now.as_microsecond()],
    )? == 1)
}

/// A submission that a person has to look at. Says nothing about the citizen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Its id.
    pub id: SubmissionId,
    /// The code on the paper.
    pub code: Code,
    /// Id of the procedure.
    pub procedure: String,
    /// `Dead` or `Quarantined`.
    pub state: State,
    /// In one word.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

/// What the staff page says about an outbox. Nothing personal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting or on the line.
    pub queued: u32,
    /// When the oldest of these was confirmed.
    pub oldest: Option<Timestamp>,
    /// Kept by the server.
    pub received: u32,
    /// In a verified backup too.
    pub durable: u32,
    /// How many need a person.
    pub stuck: u32,
    /// The first fifty of them.
    pub stuck_rows: Vec<Stuck>,
}

/// Counts for the staff page.
pub fn counts(conn: &Connection) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    let mut states =
        conn.prepare_cached("SELECT state, count(*), min(created_at) FROM outbox GROUP BY state")?;
    let mut rows = states.query([])?;
    while let Some(row) = rows.next()? {
        let (word, number): (String, u32) = (row.get(0)?, row.get(1)?);
        match State::from_word(&word).ok_or(StoreError::Unreadable { what: "state" })? {
            State::Queued | State::Inflight => {
                counts.queued += number;
                let oldest = from_micros(row.get(2)?);
                counts.oldest = Some(counts.oldest.map_or(oldest, |known| known.min(oldest)));
            }
            State::Received => counts.received = number,
            State::Durable => counts.durable = number,
            State::Dead | State::Quarantined => counts.stuck += number,
        }
    }
    if counts.stuck > 0 {
        counts.stuck_rows = stuck(conn)?;
    }
    Ok(counts)
}

fn stuck(conn: &Connection) -> Result<Vec<Stuck>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT submission_id, code, procedure, state, coalesce(why, ''), changed_at FROM outbox
         WHERE state IN ('DEAD','QUARANTINED') ORDER BY seq LIMIT 50",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    let unreadable = |_| StoreError::Unreadable { what: "submission" };
    while let Some(row) = rows.next()? {
        found.push(Stuck {
            id: row.get::<_, String>(0)?.parse().map_err(|_| unreadable(()))?,
            code: row.get::<_, String>(1)?.parse().map_err(|_| unreadable(()))?,
            procedure: row.get(2)?,
            state: State::from_word(&row.get::<_, String>(3)?).ok_or(unreadable(()))?,
            why: row.get(4)?,
            since: from_micros(row.get(5)?),
        });
    }
    Ok(found)
}

/// The earliest moment at which something waits to be sent; nothing where nothing waits.
pub fn next_due(conn: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let due: Option<i64> = conn.query_row(
        "SELECT min(next_at) FROM outbox WHERE state='QUEUED'",
        [],
        |row| row.get(0),
    )?;
    Ok(due.map(from_micros))
}

/// A submission that the server signed for. Says nothing about the citizen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedFor {
    /// Place in this file.
    pub seq: i64,
    /// Its id.
    pub id: SubmissionId,
    /// The code on the paper.
    pub code: Code,
    /// Id of the procedure.
    pub procedure: String,
    /// When the citizen confirmed, or when it was taken in to be passed on.
    pub at: Timestamp,
    /// Whether the sealed body is still in this file.
    pub has_body: bool,
}

/// Those after a place that the server signed for, in order.
pub fn signed_for(conn: &Connection, after: i64, limit: u32) -> Result<Vec<SignedFor>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT seq, submission_id, code, procedure, created_at, envelope IS NOT NULL FROM outbox
         WHERE seq>?1 AND ack_body IS NOT NULL ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, limit])?;
    let mut found = Vec::new();
    let unreadable = || StoreError::Unreadable { what: "submission" };
    while let Some(row) = rows.next()? {
        found.push(SignedFor {
            seq: row.get(0)?,
            id: row.get::<_, String>(1)?.parse().map_err(|_| unreadable())?,
            code: row.get::<_, String>(2)?.parse().map_err(|_| unreadable())?,
            procedure: row.get(3)?,
            at: from_micros(row.get(4)?),
            has_body: row.get(5)?,
        });
    }
    Ok(found)
}

/// Whether a submission in this file has this code.
pub fn has_code(conn: &Connection, code: Code) -> Result<bool, StoreError> {
    Ok(conn
        .query_row("SELECT 1 FROM outbox WHERE code=?1", [code.plain()], |_| Ok(()))
        .optional()?
        .is_some())
}

/// The state of one submission.
pub fn state(conn: &Connection, id: SubmissionId) -> Result<Option<State>, StoreError> {
    let word: Option<String> = conn
        .query_row(
            "SELECT state FROM outbox WHERE submission_id=?1",
            [id.to_string()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(word.and_then(|word| State::from_word(&word)))
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
