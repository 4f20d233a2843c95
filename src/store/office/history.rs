//! The events themselves.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::settings::settings_before;
use crate::clock::from_micros;
use crate::domain::event::OfficeEvent;
use crate::domain::id::TicketId;
use crate::domain::office::{LEASE_DAYS, Office, OfficeSetup};
use crate::domain::ticket::{BusinessDate, CounterNumber};
use crate::store::StoreError;

/// Number of the newest event; 0 in a new file.
pub fn last_seq(c: &Connection) -> Result<u64, StoreError> {
    let seq: Option<i64> = c
        .prepare_cached("SELECT max(seq) FROM event")?
        .query_row([], |row| row.get(0))?;
    Ok(seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0))
}

/// When the newest event happened, by the office's time.
pub fn newest_at(c: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let at = c
        .query_row("SELECT at FROM event ORDER BY seq DESC LIMIT 1", [], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(at.map(from_micros))
}

/// Adds events to the history.
pub fn append(c: &Connection, events: &[OfficeEvent]) -> Result<(), StoreError> {
    let mut insert = c.prepare_cached(
        "INSERT INTO event (seq, at, business_date, type, ticket, counter, cause, who, details)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for event in events {
        let details = serde_json::to_string(&event.what).map_err(|_| StoreError::Unreadable {
            what: "event to be written",
        })?;
        insert.execute(params![
            i64::try_from(event.seq).unwrap_or(i64::MAX),
            event.at.as_microsecond(),
            event.business_date.to_string(),
            event.what.kind(),
            event.ticket.map(|id| id.to_string()),
            event.counter.map(|n| n.0),
            event.cause,
            event.who,
            details,
        ])?;
    }
    Ok(())
}

/// The first `limit` events after `seq`, in order.
pub fn events_after(c: &Connection, seq: u64, limit: u32) -> Result<Vec<OfficeEvent>, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT seq, at, business_date, ticket, counter, cause, who, details
         FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let rows = select.query_map(params![i64::try_from(seq).unwrap_or(i64::MAX), limit], raw)?;
    rows.map(|row| event(row?)).collect()
}

/// The calls of a day, newest first.
pub fn calls_of(c: &Connection, date: BusinessDate, limit: u32) -> Result<Vec<OfficeEvent>, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT seq, at, business_date, ticket, counter, cause, who, details
         FROM event WHERE business_date = ?1 AND type = 'called' ORDER BY seq DESC LIMIT ?2",
    )?;
    let rows = select.query_map(params![date.to_string(), limit], raw)?;
    rows.map(|row| event(row?)).collect()
}

/// Everything that happened on the days from `from` to `to`, in order.
pub fn events_between(
    c: &Connection,
    from: BusinessDate,
    to: BusinessDate,
) -> Result<Vec<OfficeEvent>, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT seq, at, business_date, ticket, counter, cause, who, details
         FROM event WHERE business_date >= ?1 AND business_date <= ?2 ORDER BY seq",
    )?;
    let rows = select.query_map([from.to_string(), to.to_string()], raw)?;
    rows.map(|row| event(row?)).collect()
}

/// What kiosks told of their counts on `from` and later, in order.
pub fn events_counted(c: &Connection, from: BusinessDate) -> Result<Vec<OfficeEvent>, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT seq, at, business_date, ticket, counter, cause, who, details
         FROM event WHERE type = 'kiosk_counted' AND business_date >= ?1 ORDER BY seq",
    )?;
    let rows = select.query_map([from.to_string()], raw)?;
    rows.map(|row| event(row?)).collect()
}

/// The life of a ticket, in order.
pub fn events_of_ticket(c: &Connection, id: TicketId) -> Result<Vec<OfficeEvent>, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT seq, at, business_date, ticket, counter, cause, who, details
         FROM event WHERE ticket = ?1 ORDER BY seq",
    )?;
    let rows = select.query_map([id.to_string()], raw)?;
    rows.map(|row| event(row?)).collect()
}

/// The state of the newest day in the file, under the settings that were in force then and since.
///
/// `given` is what the machine's own configuration says: the place and its zone, and the settings of a file that has
/// none of its own.
pub fn load(c: &Connection, given: &Arc<OfficeSetup>) -> Result<Office, StoreError> {
    let newest: Option<String> = c
        .query_row(
            "SELECT business_date FROM event ORDER BY seq DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    let Some(newest) = newest else {
        return Ok(Office::new(setup_before(c, given, 1)?));
    };
    let date: BusinessDate = newest.parse().map_err(|_| StoreError::Unreadable {
        what: "business date",
    })?;
    let still_leased = (0..LEASE_DAYS).fold(date, |date, _| date.yesterday());
    let mut select = c.prepare(
        "SELECT seq, at, business_date, ticket, counter, cause, who, details FROM event
         WHERE business_date = ?1
         UNION ALL
         SELECT seq, at, business_date, ticket, counter, cause, who, details FROM event
         WHERE business_date >= ?2 AND business_date < ?1 AND type IN ('leased', 'series_continued')
         ORDER BY seq",
    )?;
    let rows = select.query_map([date.to_string(), still_leased.to_string()], raw)?;
    let events: Vec<OfficeEvent> = rows.map(|row| event(row?)).collect::<Result<_, _>>()?;
    let last_arrival: Option<i64> =
        c.query_row("SELECT max(arrival_seq) FROM ticket", [], |row| row.get(0))?;
    let last_arrival = last_arrival.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    // A change of an earlier day is not among these events, so the day begins under what it brought.
    let begun = events.iter().find(|event| event.business_date == date);
    let setup = setup_before(c, given, begun.map_or(1, |event| event.seq))?;
    Ok(Office::restore(setup, last_arrival, &events))
}

/// The set-up under which the event `seq` was decided.
fn setup_before(c: &Connection, given: &Arc<OfficeSetup>, seq: u64) -> Result<Arc<OfficeSetup>, StoreError> {
    let Some(row) = settings_before(c, seq)? else {
        return Ok(Arc::clone(given));
    };
    let setup = row.settings.setup(&given.base(), row.version);
    setup
        .map(Arc::new)
        .map_err(|_| StoreError::Unreadable { what: "settings" })
}

struct Raw {
    seq: i64,
    at: i64,
    date: String,
    ticket: Option<String>,
    counter: Option<u16>,
    cause: Option<String>,
    who: Option<String>,
    details: String,
}

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok(Raw {
        seq: row.get(0)?,
        at: row.get(1)?,
        date: row.get(2)?,
        ticket: row.get(3)?,
        counter: row.get(4)?,
        cause: row.get(5)?,
        who: row.get(6)?,
        details: row.get(7)?,
    })
}

fn event(raw: Raw) -> Result<OfficeEvent, StoreError> {
    let unreadable = || StoreError::Unreadable { what: "event" };
    Ok(OfficeEvent {
        seq: u64::try_from(raw.seq).map_err(|_| unreadable())?,
        at: from_micros(raw.at),
        business_date: raw.date.parse().map_err(|_| unreadable())?,
        ticket: raw
            .ticket
            .map(|id| id.parse().map_err(|_| unreadable()))
            .transpose()?,
        counter: raw.counter.map(CounterNumber),
        cause: raw.cause,
        who: raw.who,
        what: serde_json::from_str(&raw.details).map_err(|_| unreadable())?,
    })
}
