//! Who is logged in where. The file keeps only a hash of each cookie.
//!
//! A session that was not used for a while, or is older than a working day, is not thrown away but *locked*: it
//! opens nothing, yet it still knows its counter, so that the turn at a counter is not lost while somebody proves
//! again who they are.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::staff::{Staff, fingerprint, fresh, role};
use crate::clock::from_micros;
use crate::domain::ticket::CounterNumber;
use crate::i18n::Language;
use crate::store::StoreError;

/// A session that was not used for this long locks itself.
pub const IDLE_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// So does one that is this old, however much it is used.
pub const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(8);
/// Hours after which it is forgotten, and its cookie with it.
pub const SESSION_HOURS: i64 = 24;
/// A counter belongs to whoever used it within this time; then a colleague may take it over.
const COUNTER_HELD: SignedDuration = SignedDuration::from_hours(1);

/// A person who is logged in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Number of the session, for lists; its secret is in the cookie only.
    pub id: i64,
    /// Who.
    pub staff: Staff,
    /// The counter they chose.
    pub counter: Option<CounterNumber>,
    /// Whether the person has to prove again who they are.
    pub locked: bool,
    /// When it was used last, to the minute.
    pub used_at: Timestamp,
    /// The language they chose for the console.
    pub language: Option<Language>,
}

/// A line of the list of sessions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub login: String,
    /// At which counter.
    pub counter: Option<CounterNumber>,
    /// From which address.
    pub peer: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// Used last.
    pub used_at: Timestamp,
}

fn micros_before(now: Timestamp, time: SignedDuration) -> i64 {
    now.checked_sub(time).unwrap_or(now).as_microsecond()
}

fn forgotten(now: Timestamp) -> i64 {
    micros_before(now, SignedDuration::from_hours(SESSION_HOURS))
}

/// Begins a session and returns its secret, which goes into a cookie and nowhere else.
pub fn open_session(
    c: &Connection,
    login: &str,
    peer: Option<&str>,
    now: Timestamp,
) -> Result<String, StoreError> {
    c.execute("DELETE FROM session WHERE created_at < ?1", [forgotten(now)])?;
    let secret = fresh("");
    c.execute(
        "INSERT INTO session (hash, login, counter, peer, created_at, used_at) VALUES (?1, ?2, NULL, ?3, ?4, ?4)",
        params![fingerprint(&secret), login, peer, now.as_microsecond()],
    )?;
    Ok(secret)
}

/// The session of a secret, locked or not; none when it was ended, forgotten, or its account closed.
pub fn session(c: &Connection, secret: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
    let found = c
        .prepare_cached(
            "SELECT session.id, staff.login, name, role, counter, session.created_at, used_at, language
             FROM session JOIN staff USING (login)
             WHERE hash = ?1 AND session.created_at >= ?2 AND disabled_at IS NULL",
        )?
        .query_row(params![fingerprint(secret), forgotten(now)], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, Option<u16>>(4)?,
                row.get::<_, i64>(5)?,
                row.get::<_, i64>(6)?,
                row.get::<_, Option<String>>(7)?,
            ))
        })
        .optional()?;
    let Some((id, login, name, code, counter, created_at, used_at, language)) = found else {
        return Ok(None);
    };
    let used_at = from_micros(used_at);
    Ok(Some(Session {
        id,
        staff: Staff {
            login,
            name,
            role: role(&code)?,
        },
        counter: counter.map(CounterNumber),
        locked: now.duration_since(used_at) >= IDLE_AFTER
            || now.duration_since(from_micros(created_at)) >= SESSION_LIFE,
        used_at,
        language: language.and_then(|code| Language::from_code(&code)),
    }))
}

/// Notes that a person did something.
pub fn use_session(c: &Connection, id: i64, now: Timestamp) -> Result<(), StoreError> {
    c.prepare_cached("UPDATE session SET used_at = max(used_at, ?2) WHERE id = ?1")?
        .execute(params![id, now.as_microsecond()])?;
    Ok(())
}

/// Notes which counter a session works at.
pub fn set_session_counter(
    c: &Connection,
    secret: &str,
    counter: Option<CounterNumber>,
) -> Result<(), StoreError> {
    c.execute(
        "UPDATE session SET counter = ?2 WHERE hash = ?1",
        params![fingerprint(secret), counter.map(|n| n.0)],
    )?;
    Ok(())
}

/// Another person whose session works at `counter`.
pub fn other_at_counter(
    c: &Connection,
    counter: CounterNumber,
    login: &str,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    Ok(c.query_row(
        "SELECT name FROM session JOIN staff USING (login)
         WHERE counter = ?1 AND login <> ?2 AND used_at >= ?3 AND disabled_at IS NULL LIMIT 1",
        params![counter.0, login, micros_before(now, COUNTER_HELD)],
        |row| row.get(0),
    )
    .optional()?)
}

/// Ends a session.
pub fn end_session(c: &Connection, secret: &str) -> Result<(), StoreError> {
    c.execute(
        "DELETE FROM session WHERE hash = ?1",
        params![fingerprint(secret)],
    )?;
    Ok(())
}

/// Ends every session of a person; how many there were.
pub fn end_sessions(c: &Connection, login: &str) -> Result<u64, StoreError> {
    let ended = c.execute("DELETE FROM session WHERE login = ?1", [login])?;
    Ok(u64::try_from(ended).unwrap_or(0))
}

/// Sessions that are not forgotten yet, newest first.
pub fn sessions(c: &Connection, now: Timestamp) -> Result<Vec<SessionRow>, StoreError> {
    let mut select = c.prepare(
        "SELECT id, login, counter, peer, created_at, used_at FROM session WHERE created_at >= ?1 ORDER BY id DESC",
    )?;
    let rows = select.query_map([forgotten(now)], |row| {
        Ok(SessionRow {
            id: row.get(0)?,
            login: row.get(1)?,
            counter: row.get::<_, Option<u16>>(2)?.map(CounterNumber),
            peer: row.get(3)?,
            created_at: from_micros(row.get(4)?),
            used_at: from_micros(row.get(5)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::staff::Role;
    use crate::store::Db;
    use crate::store::office::{SCHEMA, create_user};

    #[test]
    fn a_session_locks_when_idle_or_old_and_keeps_its_counter() {
        let db = Db::memory(SCHEMA).expect("open").db;
        let start = Timestamp::UNIX_EPOCH;
        let minute = move |n| start + SignedDuration::from_mins(n);
        db.write_blocking(move |c| {
            create_user(c, "ana", "Agente 07", Role::Agent, "clave larga", start)?;
            let secret = open_session(c, "ana", Some("10.0.0.4"), start)?;
            set_session_counter(c, &secret, Some(CounterNumber(4)))?;
            let at = |n| session(c, &secret, minute(n));
            let id = at(14)?.expect("living").id;
            assert!(!at(14)?.expect("living").locked);
            let idle = at(15)?.expect("living");
            assert!(idle.locked && idle.counter == Some(CounterNumber(4)));
            use_session(c, id, minute(14))?;
            assert!(!at(28)?.expect("living").locked);
            // However much it is used, it locks after eight hours, and is forgotten after a day.
            use_session(c, id, minute(479))?;
            assert!(!at(479)?.expect("living").locked && at(480)?.expect("living").locked);
            assert_eq!(sessions(c, minute(480))?.len(), 1);
            assert!(at(24 * 60 + 1)?.is_none());
            // The counter is held for an hour, and for nobody who left.
            let other = |n| other_at_counter(c, CounterNumber(4), "luz", minute(n));
            assert_eq!(other(479 + 59)?.as_deref(), Some("Agente 07"));
            assert_eq!(other(479 + 61)?, None);
            end_session(c, &secret)?;
            assert!(at(1)?.is_none());
            Ok(())
        })
        .expect("written");
    }
}
