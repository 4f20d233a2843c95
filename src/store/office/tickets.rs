//! One row a ticket: the projection of its events.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::from_micros;
use crate::domain::id::TicketId;
use crate::domain::ticket::{
    BusinessDate, CounterNumber, KioskId, Lane, Place, QueueId, Series, Status, Ticket,
};
use crate::store::StoreError;

/// Writes where a ticket stands now.
pub fn project(c: &Connection, ticket: &Ticket) -> Result<(), StoreError> {
    let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
    c.prepare_cached(
        "INSERT INTO ticket (id, business_date, series, number, queue, lane, arrival_seq, status, counter, calls,
             leased, kiosk, submission, issued_at, first_called_at, last_called_at, started_at, ended_at, note)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
         ON CONFLICT (id) DO UPDATE SET queue = ?5, lane = ?6, arrival_seq = ?7, status = ?8, counter = ?9,
             calls = ?10, first_called_at = ?15, last_called_at = ?16, started_at = ?17, ended_at = ?18, note = ?19",
    )?
    .execute(params![
        ticket.id.to_string(),
        ticket.business_date.to_string(),
        ticket.series.as_str(),
        ticket.number,
        ticket.queue.as_str(),
        ticket.lane.code(),
        i64::try_from(ticket.place.arrival_seq).unwrap_or(i64::MAX),
        ticket.status.code(),
        ticket.counter.map(|n| n.0),
        ticket.calls,
        ticket.leased,
        ticket.kiosk.as_ref().map(KioskId::as_str),
        ticket.submission.map(|id| id.to_string()),
        ticket.issued_at.as_microsecond(),
        micros(ticket.first_called_at),
        micros(ticket.last_called_at),
        micros(ticket.started_at),
        micros(ticket.ended_at),
        ticket.note,
    ])?;
    Ok(())
}

/// Ends a ticket of a day that is over.
pub fn expire(c: &Connection, id: TicketId, at: Timestamp) -> Result<(), StoreError> {
    c.prepare_cached("UPDATE ticket SET status = 'expired', ended_at = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), at.as_microsecond()])?;
    Ok(())
}

/// A ticket of any day, as far as the projection knows it: the finer parts of its place are in the events only.
pub fn ticket(c: &Connection, id: TicketId) -> Result<Option<Ticket>, StoreError> {
    let raw = c
        .prepare_cached(
            "SELECT business_date, series, number, queue, lane, arrival_seq, status, counter, calls, leased, kiosk,
                 submission, issued_at, first_called_at, last_called_at, started_at, ended_at, note
             FROM ticket WHERE id = ?1",
        )?
        .query_row([id.to_string()], |row| {
            let time = |column: usize| row.get::<_, Option<i64>>(column).map(|at| at.map(from_micros));
            Ok((
                (row.get::<_, String>(0)?, row.get::<_, String>(4)?, row.get::<_, String>(6)?),
                Ticket {
                    id,
                    series: Series(row.get(1)?),
                    number: row.get(2)?,
                    queue: QueueId(row.get(3)?),
                    lane: Lane::General,
                    business_date: BusinessDate(jiff::civil::Date::ZERO),
                    place: Place::at(u64::try_from(row.get::<_, i64>(5)?).unwrap_or(0)),
                    arrival: Place::FRONT,
                    slot: None,
                    due: true,
                    returns: 0,
                    issued_at: from_micros(row.get(12)?),
                    leased: row.get(9)?,
                    kiosk: row.get::<_, Option<String>>(10)?.map(KioskId),
                    submission: row
                        .get::<_, Option<String>>(11)?
                        .and_then(|id| id.parse().ok()),
                    status: Status::Waiting,
                    counter: row.get::<_, Option<u16>>(7)?.map(CounterNumber),
                    calls: row.get(8)?,
                    first_called_at: time(13)?,
                    last_called_at: time(14)?,
                    started_at: time(15)?,
                    ended_at: time(16)?,
                    note: row.get(17)?,
                },
            ))
        })
        .optional()?;
    let Some(((date, lane, status), mut ticket)) = raw else {
        return Ok(None);
    };
    let unreadable = || StoreError::Unreadable { what: "ticket" };
    ticket.arrival = ticket.place;
    ticket.business_date = date.parse().map_err(|_| unreadable())?;
    ticket.lane = word(&lane).ok_or_else(unreadable)?;
    ticket.status = word(&status).ok_or_else(unreadable)?;
    Ok(Some(ticket))
}

/// Reads one of the words of an enum.
pub(super) fn word<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}
