//! Submissions that were handed in, in the office's and in the municipality's file.
//!
//! The first item of an id stays for ever; the same one again gets the same signed word, another one is a conflict.
//! Nothing here can open an envelope.
//! Begin at [`ingest`].

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{StoreError, backup, lives};
use crate::clock::from_micros;
use crate::domain::id::SubmissionId;
use crate::domain::receipt::Code;
use crate::domain::seal::SigningKey;
use crate::domain::submission::durable::Mark;
use crate::domain::submission::peers::{Arrival, Delivery};
use crate::domain::submission::{AckBody, Acknowledgement, Hash, Item, Verdict};

/// The tables, as one migration step.
pub const TABLES: &str = "
CREATE TABLE inbox (
    server_seq INTEGER PRIMARY KEY AUTOINCREMENT,
    submission_id TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    envelope BLOB NOT NULL,
    office TEXT NOT NULL,
    device_id TEXT NOT NULL,
    outbox_epoch TEXT NOT NULL,
    device_seq INTEGER NOT NULL,
    procedure TEXT NOT NULL,
    procedure_name TEXT NOT NULL,
    form_id TEXT NOT NULL,
    form_version TEXT NOT NULL,
    code TEXT NOT NULL,
    queue TEXT,
    created_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    received_from TEXT NOT NULL,
    ack_body TEXT NOT NULL,
    ack_signature TEXT NOT NULL,
    ack_epoch TEXT NOT NULL,
    ack_kid TEXT NOT NULL
) STRICT;
CREATE INDEX inbox_code ON inbox (code);
CREATE INDEX inbox_device ON inbox (device_id, outbox_epoch, device_seq);
CREATE TABLE inbox_alarm (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('conflict','fork')),
    submission_id TEXT NOT NULL,
    hash BLOB NOT NULL,
    device_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    UNIQUE (kind, submission_id, hash)
) STRICT;
";

/// Which submissions to look at twice, and the alarms for it; a later migration step.
pub const DOUBTS: &str = "
ALTER TABLE inbox ADD COLUMN doubt TEXT;
CREATE TABLE inbox_alarm_2 (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('conflict','fork','chain')),
    submission_id TEXT NOT NULL,
    hash BLOB NOT NULL,
    device_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    UNIQUE (kind, submission_id, hash)
) STRICT;
INSERT INTO inbox_alarm_2 SELECT * FROM inbox_alarm;
DROP TABLE inbox_alarm;
ALTER TABLE inbox_alarm_2 RENAME TO inbox_alarm;
";

/// With what an arriving item is stamped.
#[derive(Debug)]
pub struct Stamp<'a> {
    /// Life of this file.
    pub epoch: &'a str,
    /// Now, by this server's clock.
    pub now: Timestamp,
    /// The key that signs for it.
    pub key: &'a SigningKey,
}

/// What the keeper of a file adds to [`keep`].
pub struct Hooks<'a> {
    /// Done once for each new item, in its transaction.
    pub on_accepted: &'a OnAccepted,
    /// Whether all of it is passed on, so that what is durable above is durable here.
    pub relays: bool,
}

/// See [`Hooks::on_accepted`].
pub type OnAccepted = dyn Fn(&Connection, &Delivery, Timestamp) -> Result<(), StoreError> + Send + Sync;

/// Keeps a batch: one verdict for each item in order, and how far copies of this file reach.
///
/// A sender that shows our own word for something that is not here begins a new life, named by `random`.
pub fn keep(
    conn: &Connection,
    arrival: &Arrival,
    key: &SigningKey,
    now: Timestamp,
    random: [u8; 16],
    hooks: &Hooks<'_>,
) -> Result<(Vec<Verdict>, Mark), StoreError> {
    let mut epoch = lives::epoch(conn)?;
    if let Some(word) = &arrival.last_word
        && let Some(said) = word.unproven().filter(|said| said.server_epoch == epoch)
        && !stands(conn, &said)?
        // Nearly always it stands, so that the signature need not be looked at while everybody waits for the writer.
        && word.read(&[key.verifying()]).is_some()
    {
        epoch = lives::rotate(conn, lives::Why::SenderKnowsMore, random, now)?;
    }
    let stamp = Stamp {
        epoch: &epoch,
        now,
        key,
    };
    let verdicts = arrival
        .deliveries
        .iter()
        .map(|delivery| keep_one(conn, delivery, &stamp, hooks))
        .collect::<Result<_, _>>()?;
    if hooks.relays {
        backup::advance_relayed(conn, &epoch)?;
    }
    let server_seq = backup::reach(conn, &epoch)?;
    let mark = Mark {
        server_epoch: epoch,
        server_seq,
    };
    Ok((verdicts, mark))
}

/// One item in a savepoint of its own: one that does not fit leaves the others alone.
fn keep_one(
    conn: &Connection,
    delivery: &Delivery,
    stamp: &Stamp<'_>,
    hooks: &Hooks<'_>,
) -> Result<Verdict, StoreError> {
    conn.prepare_cached("SAVEPOINT item")?.execute([])?;
    let kept = ingest(conn, delivery, stamp).and_then(|verdict| {
        if matches!(verdict, Verdict::Accepted(_)) {
            (hooks.on_accepted)(conn, delivery, stamp.now)?;
        }
        Ok(verdict)
    });
    match kept {
        Ok(verdict) => {
            conn.prepare_cached("RELEASE item")?.execute([])?;
            Ok(verdict)
        }
        Err(problem @ (StoreError::Conflict(_) | StoreError::Unreadable { .. })) => {
            tracing::error!(submission = %delivery.item.id, error = %problem, "an item could not be kept");
            conn.execute_batch("ROLLBACK TO item; RELEASE item")?;
            Ok(Verdict::RetryLater)
        }
        Err(problem) => Err(problem),
    }
}

/// Keeps an item that passed every check, or says why it does not.
///
/// Whether it is [`Verdict::Accepted`] tells the caller to do what happens once: all in the same transaction.
pub fn ingest(conn: &Connection, delivery: &Delivery, stamp: &Stamp<'_>) -> Result<Verdict, StoreError> {
    let (header, item) = (&delivery.header, &delivery.item);
    let known = conn
        .prepare_cached(
            "SELECT server_seq, hash, received_at, ack_body, ack_signature, ack_epoch, ack_kid FROM inbox
             WHERE submission_id=?1",
        )?
        .query_row([item.id.to_string()], known_row)
        .optional()?;
    if let Some(known) = known {
        return again(conn, delivery, stamp, known);
    }
    let doubt = doubt(conn, delivery)?;
    if let Some(kind) = doubt {
        alarm(conn, kind, delivery, stamp.now)?;
    }
    // The place is needed inside the signed word; the writer is alone, so the next one is ours.
    let server_seq = lives::last_seq(conn)? + 1;
    let ack = acknowledge(item, server_seq, stamp.now, stamp);
    conn.prepare_cached(
        "INSERT INTO inbox (server_seq, submission_id, hash, signature, envelope, office, device_id, outbox_epoch,
                            device_seq, procedure, procedure_name, form_id, form_version, code, queue, created_at,
                            received_at, received_from, ack_body, ack_signature, ack_epoch, ack_kid, doubt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                 ?23)",
    )?
    .execute(params![
            server_seq,
            item.id.to_string(),
            item.hash.0,
            item.signature,
            item.envelope,
            header.office,
            header.device_id,
            header.outbox_epoch,
            header.device_seq,
            header.procedure,
            header.procedure_name,
            header.form_id,
            header.form_version,
            header.code.plain(),
            header.queue,
            header.created_at.as_microsecond(),
            stamp.now.as_microsecond(),
            delivery.sender,
            ack.body,
            ack.signature,
            stamp.epoch,
            stamp.key.kid(),
            doubt,
        ])?;
    Ok(Verdict::Accepted(ack))
}

/// What about a new item contradicts what its device handed in before.
///
/// Two devices with one key and one count, as after a disk was copied, show as a fork: the same place twice; or as
/// a broken chain: an item that does not follow the one before it. All are kept, and a person has to look.
fn doubt(conn: &Connection, delivery: &Delivery) -> Result<Option<&'static str>, StoreError> {
    let header = &delivery.header;
    // How many stand at a place, and whether one of them has this hash.
    let mut place = conn.prepare_cached(
        "SELECT count(*), coalesce(max(lower(hex(hash))=?4), 0) FROM inbox
         WHERE device_id=?1 AND outbox_epoch=?2 AND device_seq=?3",
    )?;
    let mut at = |seq: u32| {
        place.query_row(
            params![header.device_id, header.outbox_epoch, seq, header.prev_hash],
            |row| Ok((row.get::<_, u32>(0)?, row.get::<_, bool>(1)?)),
        )
    };
    if at(header.device_seq)?.0 > 0 {
        return Ok(Some("fork"));
    }
    let (before, follows) = at(header.device_seq.saturating_sub(1))?;
    Ok((before > 0 && !follows).then_some("chain"))
}

struct Known {
    server_seq: i64,
    hash: [u8; 32],
    received_at: i64,
    ack: Acknowledgement,
    epoch: String,
    kid: String,
}

fn known_row(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        server_seq: row.get(0)?,
        hash: row.get(1)?,
        received_at: row.get(2)?,
        ack: Acknowledgement {
            body: row.get(3)?,
            signature: row.get(4)?,
        },
        epoch: row.get(5)?,
        kid: row.get(6)?,
    })
}

fn again(
    conn: &Connection,
    delivery: &Delivery,
    stamp: &Stamp<'_>,
    known: Known,
) -> Result<Verdict, StoreError> {
    let item = &delivery.item;
    if known.hash != item.hash.0 {
        alarm(conn, "conflict", delivery, stamp.now)?;
        return Ok(Verdict::Conflict);
    }
    if known.epoch == stamp.epoch && known.kid == stamp.key.kid() {
        return Ok(Verdict::Duplicate(known.ack));
    }
    // Signed in an earlier life of this file or with an earlier key: the sender needs today's word.
    let ack = acknowledge(item, known.server_seq, from_micros(known.received_at), stamp);
    conn.execute(
        "UPDATE inbox SET ack_body=?2, ack_signature=?3, ack_epoch=?4, ack_kid=?5 WHERE server_seq=?1",
        params![
            known.server_seq,
            ack.body,
            ack.signature,
            stamp.epoch,
            stamp.key.kid()
        ],
    )?;
    Ok(Verdict::Duplicate(ack))
}

pub(super) fn acknowledge(
    item: &Item,
    server_seq: i64,
    received_at: Timestamp,
    stamp: &Stamp<'_>,
) -> Acknowledgement {
    let body = AckBody {
        submission_id: item.id,
        hash: item.hash.to_hex(),
        server_seq,
        server_epoch: stamp.epoch.to_owned(),
        received_at,
        kid: stamp.key.kid().to_owned(),
    };
    Acknowledgement::sign(&body, stamp.key)
}

fn alarm(
    conn: &Connection,
    kind: &'static str,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), StoreError> {
    tracing::error!(
        kind,
        submission = %delivery.item.id,
        device = %delivery.header.device_id,
        sender = %delivery.sender,
        "a submission contradicts an earlier one"
    );
    conn.execute(
        "INSERT INTO inbox_alarm (at, kind, submission_id, hash, device_id, sender)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        params![
            now.as_microsecond(),
            kind,
            delivery.item.id.to_string(),
            delivery.item.hash.0,
            delivery.header.device_id,
            delivery.sender,
        ],
    )?;
    Ok(())
}

/// What is known of a submission without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxRow {
    /// Place in this server's order.
    pub server_seq: i64,
    /// Its id.
    pub id: SubmissionId,
    /// Hash of the envelope.
    pub hash: Hash,
    /// The office.
    pub office: String,
    /// The device that sealed it.
    pub device_id: String,
    /// The device's own count.
    pub device_seq: u32,
    /// Id of the procedure.
    pub procedure: String,
    /// Its name in Spanish.
    pub procedure_name: String,
    /// Id of the form.
    pub form_id: String,
    /// Version of the form.
    pub form_version: String,
    /// The code on the paper.
    pub code: Code,
    /// Queue of the turn that goes with it.
    pub queue: Option<String>,
    /// When the citizen confirmed, by the device's clock.
    pub created_at: Timestamp,
    /// When it was committed here.
    pub received_at: Timestamp,
}

const COLUMNS: &str = "server_seq, submission_id, hash, office, device_id, device_seq, procedure, procedure_name, \
                       form_id, form_version, code, queue, created_at, received_at";

fn inbox_row(row: &Row<'_>) -> Result<InboxRow, StoreError> {
    let unreadable = || StoreError::Unreadable { what: "submission" };
    Ok(InboxRow {
        server_seq: row.get(0)?,
        id: row.get::<_, String>(1)?.parse().map_err(|_| unreadable())?,
        hash: Hash(row.get(2)?),
        office: row.get(3)?,
        device_id: row.get(4)?,
        device_seq: row.get(5)?,
        procedure: row.get(6)?,
        procedure_name: row.get(7)?,
        form_id: row.get(8)?,
        form_version: row.get(9)?,
        code: row.get::<_, String>(10)?.parse().map_err(|_| unreadable())?,
        queue: row.get(11)?,
        created_at: from_micros(row.get(12)?),
        received_at: from_micros(row.get(13)?),
    })
}

fn rows(conn: &Connection, tail: &str, values: impl rusqlite::Params) -> Result<Vec<InboxRow>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM inbox {tail}"))?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(inbox_row(row)?);
    }
    Ok(found)
}

/// Which submissions are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only what came after this place.
    pub after: i64,
    /// Most of them in one answer.
    pub limit: u32,
    /// Only of this procedure.
    pub procedure: Option<String>,
    /// Only of this office.
    pub office: Option<String>,
}

/// Up to `limit` submissions that came after `after`, in order.
pub fn list(conn: &Connection, after: i64, limit: u32) -> Result<Vec<InboxRow>, StoreError> {
    let wanted = Wanted {
        after,
        limit,
        ..Wanted::default()
    };
    list_wanted(conn, &wanted)
}

/// The submissions that are asked for, in order.
pub fn list_wanted(conn: &Connection, wanted: &Wanted) -> Result<Vec<InboxRow>, StoreError> {
    rows(
        conn,
        "WHERE server_seq>?1 AND (?3 IS NULL OR procedure=?3) AND (?4 IS NULL OR office=?4)
         ORDER BY server_seq LIMIT ?2",
        params![wanted.after, wanted.limit, wanted.procedure, wanted.office],
    )
}

/// One submission.
pub fn find(conn: &Connection, id: SubmissionId) -> Result<Option<InboxRow>, StoreError> {
    Ok(rows(conn, "WHERE submission_id=?1", [id.to_string()])?.pop())
}

/// Whether the very thing that `word` speaks of is here: the same submission, at its place, since that moment.
///
/// The moment counts, for after a file was set back an old letter may have put the submission at its place again.
pub fn stands(conn: &Connection, word: &AckBody) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("SELECT 1 FROM inbox WHERE server_seq=?1 AND submission_id=?2 AND received_at=?3")?
        .exists(params![
            word.server_seq,
            word.submission_id.to_string(),
            word.received_at.as_microsecond()
        ])?)
}

/// The submissions with this code on their paper: nearly always one, but 35 bits do repeat in a large city.
pub fn by_code(conn: &Connection, code: Code) -> Result<Vec<InboxRow>, StoreError> {
    rows(
        conn,
        "WHERE code=?1 ORDER BY server_seq DESC LIMIT 5",
        [code.plain()],
    )
}

/// The sealed bytes, if they still are those that were acknowledged; nothing where they were erased.
pub fn read(conn: &Connection, id: SubmissionId) -> Result<Option<Item>, StoreError> {
    let found: Option<([u8; 32], [u8; 64], Vec<u8>)> = conn
        .query_row(
            "SELECT hash, signature, envelope FROM inbox WHERE submission_id=?1",
            [id.to_string()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    let Some((hash, signature, envelope)) = found else {
        return Ok(None);
    };
    // An erased content leaves nothing behind but its hash.
    if envelope.is_empty() {
        return Ok(None);
    }
    let hash = Hash(hash);
    if Hash::of(&envelope) != hash {
        tracing::error!(submission = %id, "a kept envelope is no longer what was acknowledged");
        return Err(StoreError::Unreadable { what: "envelope" });
    }
    Ok(Some(Item {
        id,
        hash,
        signature,
        envelope,
    }))
}

/// A device's submissions in one life of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// The device.
    pub device_id: String,
    /// Its office.
    pub office: String,
    /// Life of the device's file.
    pub outbox_epoch: String,
    /// Its highest count that arrived.
    pub last_seq: u32,
    /// When its last one arrived.
    pub last_received: Timestamp,
    /// Counts below the highest that did not arrive; the first twenty.
    pub missing: Vec<u32>,
    /// How many of its submissions contradict others: a copied disk shows here.
    pub doubts: u32,
}

/// What arrived from each device and what is missing in between.
pub fn devices(conn: &Connection) -> Result<Vec<DeviceRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT device_id, max(office), outbox_epoch, max(device_seq), max(received_at), count(DISTINCT device_seq),
                count(doubt)
         FROM inbox GROUP BY device_id, outbox_epoch ORDER BY device_id, max(server_seq)",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut device = DeviceRow {
            device_id: row.get(0)?,
            office: row.get(1)?,
            outbox_epoch: row.get(2)?,
            last_seq: row.get(3)?,
            last_received: from_micros(row.get(4)?),
            missing: Vec::new(),
            doubts: row.get(6)?,
        };
        if row.get::<_, u32>(5)? < device.last_seq {
            device.missing = missing(conn, &device)?;
        }
        found.push(device);
    }
    Ok(found)
}

fn missing(conn: &Connection, device: &DeviceRow) -> Result<Vec<u32>, StoreError> {
    const SHOWN: usize = 20;
    let mut statement = conn.prepare_cached(
        "SELECT DISTINCT device_seq FROM inbox WHERE device_id=?1 AND outbox_epoch=?2 ORDER BY device_seq",
    )?;
    let mut rows = statement.query(params![device.device_id, device.outbox_epoch])?;
    let (mut next, mut found) = (1, Vec::new());
    while let Some(row) = rows.next()? {
        let here: u32 = row.get(0)?;
        found.extend((next..here).take(SHOWN - found.len()));
        if found.len() == SHOWN {
            break;
        }
        next = here + 1;
    }
    Ok(found)
}

/// How many submissions contradicted earlier ones.
pub fn alarms(conn: &Connection) -> Result<u32, StoreError> {
    Ok(conn.query_row("SELECT count(*) FROM inbox_alarm", [], |row| row.get(0))?)
}

#[cfg(test)]
#[path = "inbox_tests.rs"]
mod tests;
