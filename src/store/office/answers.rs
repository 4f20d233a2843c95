//! The same key gets the same answer, also after a restart and on another day.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::id::TicketId;
use crate::store::StoreError;

/// What was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What was asked, so that a key used twice for different things is found out.
    pub request: String,
    /// The ticket it was about.
    pub ticket: Option<TicketId>,
    /// The answer, as JSON.
    pub body: String,
}

/// The answer given earlier to `key`.
pub fn find_answer(c: &Connection, key: &str) -> Result<Option<Answer>, StoreError> {
    let found = c
        .prepare_cached("SELECT request, ticket, body FROM answer WHERE key = ?1")?
        .query_row([key], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, String>(2)?,
            ))
        })
        .optional()?;
    Ok(found.map(|(request, ticket, body)| Answer {
        request,
        ticket: ticket.and_then(|id| id.parse().ok()),
        body,
    }))
}

/// Keeps the answer to `key`; a newer one takes the place of the older.
pub fn keep_answer(c: &Connection, key: &str, answer: &Answer, at: Timestamp) -> Result<(), StoreError> {
    c.prepare_cached(
        "INSERT INTO answer (key, request, ticket, body, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (key) DO UPDATE SET request = ?2, ticket = ?3, body = ?4, at = ?5",
    )?
    .execute(params![
        key,
        answer.request,
        answer.ticket.map(|id| id.to_string()),
        answer.body,
        at.as_microsecond()
    ])?;
    Ok(())
}

/// Drops answers older than `before`; returns how many.
pub fn forget_answers(c: &Connection, before: Timestamp) -> Result<usize, StoreError> {
    Ok(c.execute("DELETE FROM answer WHERE at < ?1", [before.as_microsecond()])?)
}
