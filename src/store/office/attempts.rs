//! Wrong passwords in a row, by account and by address, kept so that a restart does not forgive them.
//!
//! A try is counted *before* the password is looked at and taken back when it was right: a hundred tries at once,
//! or a plug pulled in between, get nobody more tries than one after the other.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::clock::from_micros;
use crate::domain::staff::backoff::{FORGET_AFTER, Gate, LOCK_TRIES, Subject, gate};
use crate::store::StoreError;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub enum Guarded<'a> {
    /// An account by its login, whether there is one or not.
    Account(&'a str),
    /// Where tries come from.
    Address(&'a str),
}

impl Guarded<'_> {
    fn subject(self) -> Subject {
        match self {
            Self::Account(_) => Subject::Account,
            Self::Address(_) => Subject::Address,
        }
    }

    fn key(self) -> [u8; 32] {
        let text = match self {
            Self::Account(login) => format!("account {}", login.to_lowercase()),
            Self::Address(address) => format!("address {address}"),
        };
        Sha256::digest(text.as_bytes()).into()
    }
}

/// Wrong tries in a row, and when the newest was.
pub fn failures(c: &Connection, guarded: Guarded<'_>) -> Result<(u32, Timestamp), StoreError> {
    let found = c
        .prepare_cached("SELECT failures, last_at FROM attempt WHERE subject = ?1")?
        .query_row(params![guarded.key()], |row| {
            Ok((row.get(0)?, from_micros(row.get(1)?)))
        })
        .optional()?;
    Ok(found.unwrap_or((0, Timestamp::UNIX_EPOCH)))
}

/// Counts a try where all of `guarded` let it through; otherwise counts nothing and says what stands in the way.
///
/// The second value is the highest count of an account after this try.
pub fn charge(c: &Connection, guarded: &[Guarded<'_>], now: Timestamp) -> Result<(Gate, u32), StoreError> {
    let mut found = Vec::with_capacity(guarded.len());
    let mut worst = Gate::Open;
    for one in guarded {
        let (count, last) = failures(c, *one)?;
        let next = gate(one.subject(), count, last, now);
        worst = match (worst, next) {
            (Gate::Locked, _) | (_, Gate::Locked) => Gate::Locked,
            (Gate::Wait(a), Gate::Wait(b)) => Gate::Wait(a.max(b)),
            (Gate::Wait(at), Gate::Open) | (Gate::Open, Gate::Wait(at)) => Gate::Wait(at),
            (Gate::Open, Gate::Open) => Gate::Open,
        };
        let old = now.duration_since(last) >= FORGET_AFTER && count < LOCK_TRIES;
        found.push((one, if old { 0 } else { count }));
    }
    if worst != Gate::Open {
        return Ok((worst, 0));
    }
    let forget = now.checked_sub(FORGET_AFTER).unwrap_or(now).as_microsecond();
    c.execute(
        "DELETE FROM attempt WHERE last_at < ?1 AND failures < ?2",
        params![forget, LOCK_TRIES],
    )?;
    let mut highest = 0;
    for (one, count) in found {
        c.prepare_cached(
            "INSERT INTO attempt (subject, failures, last_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (subject) DO UPDATE SET failures = ?2, last_at = ?3",
        )?
        .execute(params![one.key(), count + 1, now.as_microsecond()])?;
        if one.subject() == Subject::Account {
            highest = highest.max(count + 1);
        }
    }
    Ok((Gate::Open, highest))
}

/// Forgets the wrong tries; whether there were any.
pub fn forgive(c: &Connection, guarded: Guarded<'_>) -> Result<bool, StoreError> {
    Ok(c.execute("DELETE FROM attempt WHERE subject = ?1", params![guarded.key()])? > 0)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::store::Db;
    use crate::store::office::SCHEMA;

    #[test]
    fn tries_are_counted_before_they_are_made_and_outlive_a_restart() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("office.db");
        let start = Timestamp::UNIX_EPOCH;
        let ana = |address: &'static str| [Guarded::Account("Ana"), Guarded::Address(address)];
        let db = Db::open(&file, SCHEMA).expect("open").db;
        db.write_blocking(move |c| {
            for n in 1..=5 {
                assert_eq!(charge(c, &ana("10.0.0.1"), start)?, (Gate::Open, n));
            }
            let until = start + SignedDuration::from_secs(15);
            assert_eq!(charge(c, &ana("10.0.0.2"), start)?.0, Gate::Wait(until));
            // The address waits too, whoever is tried from it.
            let spray = [Guarded::Account("luz"), Guarded::Address("10.0.0.1")];
            assert_eq!(charge(c, &spray, start)?.0, Gate::Wait(until));
            assert_eq!(
                failures(c, Guarded::Account("luz"))?.0,
                0,
                "a refused try is not counted"
            );
            Ok(())
        })
        .expect("written");
        drop(db);
        let db = Db::open(&file, SCHEMA).expect("open again").db;
        db.write_blocking(move |c| {
            let mut now = start;
            for n in 6..=15 {
                now += SignedDuration::from_hours(3);
                assert_eq!(charge(c, &[Guarded::Account("ana")], now)?, (Gate::Open, n));
            }
            now += SignedDuration::from_hours(1000);
            assert_eq!(charge(c, &ana("10.0.0.9"), now)?.0, Gate::Locked);
            assert!(forgive(c, Guarded::Account("ana"))?);
            assert_eq!(charge(c, &ana("10.0.0.9"), now)?, (Gate::Open, 1));
            Ok(())
        })
        .expect("written");
    }
}
