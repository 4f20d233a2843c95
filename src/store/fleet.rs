//! What central knows of its devices: their last word, what is wrong with them, orders, and letters about alarms.
//!
//! Runs on both stores. Begin at [`put_report`] and [`change_alarms`].

use jiff::Timestamp;
use uuid::Uuid;

use super::StoreError;
use super::both::{Row, Sql, Value};
use crate::clock::from_micros;
use crate::domain::fleet::Report;
use crate::domain::fleet::alarm::{AlarmKind, Standing};
use crate::domain::fleet::order::OrderEnd;
use crate::domain::seal::Signed;

/// The tables in SQLite, as one migration step; PostgreSQL's are in `postgres.sql`.
pub const TABLES: &str = "
CREATE TABLE fleet_device (
    id TEXT PRIMARY KEY,
    office TEXT NOT NULL,
    carried_by TEXT NOT NULL,
    kid TEXT,
    heard_at INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT;
CREATE TABLE fleet_alarm (
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    since INTEGER NOT NULL,
    raised_at INTEGER,
    PRIMARY KEY (device, kind)
) STRICT;
CREATE TABLE fleet_order (
    id TEXT PRIMARY KEY,
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    issued_by TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    signed TEXT NOT NULL,
    outcome TEXT,
    detail TEXT,
    done_at INTEGER,
    media TEXT,
    attachment BLOB
) STRICT;
CREATE INDEX fleet_order_open ON fleet_order (device) WHERE outcome IS NULL;
CREATE TABLE fleet_letter (
    id TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    sent_at INTEGER,
    why TEXT
) STRICT;
";

/// One looks at alarms at a time, also where several nodes share a server.
pub const LOCK: i64 = 0x5643_454e_0005;

/// A device's last word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetRow {
    /// Its id.
    pub id: String,
    /// Its office.
    pub office: String,
    /// Who brought the report.
    pub carried_by: String,
    /// Name of its key, where it has one.
    pub kid: Option<String>,
    /// When it was heard.
    pub heard_at: Timestamp,
    /// What it said.
    pub report: Report,
}

/// Keeps a device's word in the place of an earlier one.
pub fn put_report(sql: &mut dyn Sql, row: &FleetRow) -> Result<(), StoreError> {
    let report = serde_json::to_string(&row.report).map_err(|_| StoreError::Unreadable { what: "report" })?;
    sql.run(
        "INSERT INTO fleet_device (id, office, carried_by, kid, heard_at, report) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET office=excluded.office, carried_by=excluded.carried_by, kid=excluded.kid,
             heard_at=excluded.heard_at, report=excluded.report
         WHERE excluded.heard_at >= fleet_device.heard_at",
        &[
            (&row.id).into(),
            (&row.office).into(),
            (&row.carried_by).into(),
            row.kid.clone().into(),
            row.heard_at.into(),
            report.into(),
        ],
    )?;
    Ok(())
}

/// Every device that was ever heard, by office and id.
pub fn devices(sql: &mut dyn Sql) -> Result<Vec<FleetRow>, StoreError> {
    let rows = sql.rows(
        "SELECT id, office, carried_by, kid, heard_at, report FROM fleet_device ORDER BY office, id",
        &[],
    )?;
    rows.iter()
        .map(|row| {
            Ok(FleetRow {
                id: row.text(0)?,
                office: row.text(1)?,
                carried_by: row.text(2)?,
                kid: row.maybe_text(3),
                heard_at: from_micros(row.int(4)?),
                report: serde_json::from_str(&row.text(5)?)
                    .map_err(|_| StoreError::Unreadable { what: "report" })?,
            })
        })
        .collect()
}

/// Forgets a device that is out of service; its orders stay on record.
pub fn forget(sql: &mut dyn Sql, id: &str) -> Result<(), StoreError> {
    sql.run("DELETE FROM fleet_device WHERE id=$1", &[id.into()])?;
    sql.run("DELETE FROM fleet_alarm WHERE device=$1", &[id.into()])?;
    Ok(())
}

/// What stands, by device.
pub fn alarms(sql: &mut dyn Sql) -> Result<Vec<(String, Standing)>, StoreError> {
    let rows = sql.rows(
        "SELECT device, kind, since, raised_at FROM fleet_alarm ORDER BY device, since, kind",
        &[],
    )?;
    let mut found = Vec::new();
    for row in &rows {
        // A word of a later version is passed over.
        let Some(kind) = AlarmKind::of(&row.text(1)?) else {
            continue;
        };
        let standing = Standing {
            kind,
            since: from_micros(row.int(2)?),
            raised_at: row.moment(3),
        };
        found.push((row.text(0)?, standing));
    }
    Ok(found)
}

/// Writes down what stands with a device from now on.
pub fn change_alarms(sql: &mut dyn Sql, device: &str, standing: &[Standing]) -> Result<(), StoreError> {
    sql.run("DELETE FROM fleet_alarm WHERE device=$1", &[device.into()])?;
    for one in standing {
        sql.run(
            "INSERT INTO fleet_alarm (device, kind, since, raised_at) VALUES ($1, $2, $3, $4)",
            &[
                device.into(),
                one.kind.code().into(),
                one.since.into(),
                one.raised_at.into(),
            ],
        )?;
    }
    Ok(())
}

/// An order and what became of it, without what it brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Its id.
    pub id: Uuid,
    /// For whom.
    pub device: String,
    /// What.
    pub kind: String,
    /// Who gave it.
    pub issued_by: String,
    /// When.
    pub issued_at: Timestamp,
    /// From when on nobody does it any more.
    pub expires_at: Timestamp,
    /// How it ended, once it did.
    pub end: Option<OrderEnd>,
    /// One word more.
    pub detail: String,
    /// When it ended.
    pub done_at: Option<Timestamp>,
    /// What kind of thing it brought back, where that is still here.
    pub media: Option<String>,
}

/// Keeps a new order.
pub fn add_order(sql: &mut dyn Sql, row: &OrderRow, signed: &Signed) -> Result<(), StoreError> {
    let signed = serde_json::to_string(signed).map_err(|_| StoreError::Unreadable { what: "order" })?;
    sql.run(
        "INSERT INTO fleet_order (id, device, kind, issued_by, issued_at, expires_at, signed)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            row.id.to_string().into(),
            (&row.device).into(),
            (&row.kind).into(),
            (&row.issued_by).into(),
            row.issued_at.into(),
            row.expires_at.into(),
            signed.into(),
        ],
    )?;
    Ok(())
}

/// Open orders for a device, as they are signed, oldest first.
pub fn open_orders(sql: &mut dyn Sql, device: &str, now: Timestamp) -> Result<Vec<Signed>, StoreError> {
    let rows = sql.rows(
        "SELECT signed FROM fleet_order WHERE device=$1 AND outcome IS NULL AND expires_at>$2 ORDER BY issued_at",
        &[device.into(), now.into()],
    )?;
    rows.iter()
        .map(|row| serde_json::from_str(&row.text(0)?).map_err(|_| StoreError::Unreadable { what: "order" }))
        .collect()
}

/// How many orders for a device are open.
pub fn count_open(sql: &mut dyn Sql, device: &str, now: Timestamp) -> Result<usize, StoreError> {
    Ok(open_orders(sql, device, now)?.len())
}

const ORDER: &str =
    "id, device, kind, issued_by, issued_at, expires_at, outcome, coalesce(detail, ''), done_at, media";

/// The newest orders.
pub fn orders(sql: &mut dyn Sql, limit: u32) -> Result<Vec<OrderRow>, StoreError> {
    let text = format!("SELECT {ORDER} FROM fleet_order ORDER BY issued_at DESC, id DESC LIMIT $1");
    sql.rows(&text, &[i64::from(limit).into()])?
        .iter()
        .map(order)
        .collect()
}

/// One order.
pub fn find_order(sql: &mut dyn Sql, id: Uuid) -> Result<Option<OrderRow>, StoreError> {
    let text = format!("SELECT {ORDER} FROM fleet_order WHERE id=$1");
    let row = sql.row(&text, &[id.to_string().into()])?;
    row.as_ref().map(order).transpose()
}

/// Orders whose time is over although nobody said what became of them.
pub fn overdue(sql: &mut dyn Sql, before: Timestamp) -> Result<Vec<OrderRow>, StoreError> {
    let text = format!("SELECT {ORDER} FROM fleet_order WHERE outcome IS NULL AND expires_at<$1 LIMIT 100");
    sql.rows(&text, &[before.into()])?.iter().map(order).collect()
}

fn order(row: &Row) -> Result<OrderRow, StoreError> {
    Ok(OrderRow {
        id: row
            .text(0)?
            .parse()
            .map_err(|_| StoreError::Unreadable { what: "order" })?,
        device: row.text(1)?,
        kind: row.text(2)?,
        issued_by: row.text(3)?,
        issued_at: from_micros(row.int(4)?),
        expires_at: from_micros(row.int(5)?),
        end: row.maybe_text(6).and_then(|word| OrderEnd::of(&word)),
        detail: row.text(7)?,
        done_at: row.moment(8),
        media: row.maybe_text(9),
    })
}

/// Writes down how an order ended; whether it was open until now.
pub fn end_order(
    sql: &mut dyn Sql,
    id: Uuid,
    end: OrderEnd,
    detail: &str,
    back: Option<(&str, Vec<u8>)>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (media, attachment) = match back {
        Some((media, bytes)) => (Value::from(media), Value::Bytes(bytes)),
        None => (Value::Nothing, Value::Nothing),
    };
    let touched = sql.run(
        "UPDATE fleet_order SET outcome=$2, detail=$3, done_at=$4, media=$5, attachment=$6
         WHERE id=$1 AND outcome IS NULL",
        &[
            id.to_string().into(),
            end.code().into(),
            detail.into(),
            now.into(),
            media,
            attachment,
        ],
    )?;
    Ok(touched > 0)
}

/// What an order brought back.
pub fn attachment(sql: &mut dyn Sql, id: Uuid) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    let row = sql.row(
        "SELECT media, attachment FROM fleet_order WHERE id=$1",
        &[id.to_string().into()],
    )?;
    Ok(row.and_then(|row| Some((row.maybe_text(0)?, row.maybe_bytes(1)?.to_vec()))))
}

/// Lets go of what orders brought back before `before`; that they were given and done stays.
pub fn drop_attachments(sql: &mut dyn Sql, before: Timestamp) -> Result<(), StoreError> {
    sql.run(
        "UPDATE fleet_order SET media=NULL, attachment=NULL WHERE media IS NOT NULL AND done_at<$1",
        &[before.into()],
    )?;
    Ok(())
}

/// A letter that is to be sent, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRow {
    /// Its id, the same at each attempt.
    pub id: Uuid,
    /// `mail`, or `webhook:` and its name.
    pub channel: String,
    /// In one line.
    pub subject: String,
    /// The text, or JSON.
    pub body: String,
    /// When it was written.
    pub made_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
}

/// Puts a letter into the outbox.
pub fn add_letter(sql: &mut dyn Sql, letter: &LetterRow) -> Result<(), StoreError> {
    sql.run(
        "INSERT INTO fleet_letter (id, channel, subject, body, made_at, attempts, next_at)
         VALUES ($1, $2, $3, $4, $5, 0, $5)",
        &[
            letter.id.to_string().into(),
            (&letter.channel).into(),
            (&letter.subject).into(),
            (&letter.body).into(),
            letter.made_at.into(),
        ],
    )?;
    Ok(())
}

/// Takes letters that are due; nobody else takes them before `until`.
pub fn take_letters(
    sql: &mut dyn Sql,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<LetterRow>, StoreError> {
    let rows = sql.rows(
        "SELECT id, channel, subject, body, made_at, attempts FROM fleet_letter
         WHERE sent_at IS NULL AND next_at<=$1 ORDER BY made_at, id LIMIT 20",
        &[now.into()],
    )?;
    let mut taken = Vec::new();
    for row in &rows {
        let id = row.text(0)?;
        sql.run(
            "UPDATE fleet_letter SET next_at=$2, attempts=attempts+1 WHERE id=$1",
            &[(&id).into(), until.into()],
        )?;
        taken.push(LetterRow {
            id: id
                .parse()
                .map_err(|_| StoreError::Unreadable { what: "letter" })?,
            channel: row.text(1)?,
            subject: row.text(2)?,
            body: row.text(3)?,
            made_at: from_micros(row.int(4)?),
            attempts: row.int(5)? + 1,
        });
    }
    Ok(taken)
}

/// A letter arrived.
pub fn letter_sent(sql: &mut dyn Sql, id: Uuid, now: Timestamp) -> Result<(), StoreError> {
    sql.run(
        "UPDATE fleet_letter SET sent_at=$2, why=NULL WHERE id=$1",
        &[id.to_string().into(), now.into()],
    )?;
    Ok(())
}

/// A letter did not arrive; it is tried again at `next`.
pub fn letter_failed(sql: &mut dyn Sql, id: Uuid, why: &str, next: Timestamp) -> Result<(), StoreError> {
    sql.run(
        "UPDATE fleet_letter SET next_at=$2, why=$3 WHERE id=$1",
        &[id.to_string().into(), next.into(), why.into()],
    )?;
    Ok(())
}

/// Letters that wait, and why the last of them did not go.
pub fn letters_waiting(sql: &mut dyn Sql) -> Result<(i64, Option<String>), StoreError> {
    let row = sql.row(
        "SELECT count(*), max(why) FROM fleet_letter WHERE sent_at IS NULL",
        &[],
    )?;
    match row {
        Some(row) => Ok((row.int(0)?, row.maybe_text(1))),
        None => Ok((0, None)),
    }
}

/// Forgets letters that were sent before `before`, and those that could not be since `never`.
pub fn drop_letters(sql: &mut dyn Sql, before: Timestamp, never: Timestamp) -> Result<(), StoreError> {
    sql.run(
        "DELETE FROM fleet_letter WHERE sent_at<$1 OR (sent_at IS NULL AND made_at<$2)",
        &[before.into(), never.into()],
    )?;
    Ok(())
}
