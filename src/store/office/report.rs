//! Rows behind the report of a day.

use jiff::Timestamp;
use rusqlite::Connection;

use super::tickets::word;
use crate::clock::from_micros;
use crate::domain::ticket::{BusinessDate, Lane, QueueId, Status};
use crate::store::StoreError;

/// What the report needs of a ticket.
#[derive(Clone, PartialEq, Debug)]
pub struct DayRow {
    /// Its last queue.
    pub queue: QueueId,
    /// Its lane.
    pub lane: Lane,
    /// Where it ended.
    pub status: Status,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it was first called.
    pub first_called_at: Option<Timestamp>,
    /// When attention began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// All tickets of a day.
pub fn day_rows(c: &Connection, date: BusinessDate) -> Result<Vec<DayRow>, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT queue, lane, status, issued_at, first_called_at, started_at, ended_at
         FROM ticket WHERE business_date = ?1",
    )?;
    let rows = select.query_map([date.to_string()], |row| {
        let time = |column: usize| row.get::<_, Option<i64>>(column).map(|at| at.map(from_micros));
        Ok((
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            DayRow {
                queue: QueueId(row.get(0)?),
                lane: Lane::General,
                status: Status::Waiting,
                issued_at: from_micros(row.get(3)?),
                first_called_at: time(4)?,
                started_at: time(5)?,
                ended_at: time(6)?,
            },
        ))
    })?;
    rows.map(|row| {
        let (lane, status, mut row) = row?;
        let unreadable = || StoreError::Unreadable { what: "ticket" };
        row.lane = word(&lane).ok_or_else(unreadable)?;
        row.status = word(&status).ok_or_else(unreadable)?;
        Ok(row)
    })
    .collect()
}
