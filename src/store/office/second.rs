//! The second step of a login: secrets of telephones, and codes on paper.
//!
//! A step and a code on paper are used up in the transaction that lets somebody in, so that no code counts twice.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::staff::fingerprint;
use crate::domain::staff::totp::{Secret, typed_recovery, verify};
use crate::store::StoreError;

/// Somebody's second step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecondStep {
    /// What the telephone knows.
    pub secret: Secret,
    /// Whether it is asked for: the first code was given.
    pub confirmed: bool,
    /// The newest step whose code was taken.
    pub last_step: Option<u64>,
}

/// How somebody proved the second step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// By a code of the telephone.
    Telephone,
    /// By a code on paper, of which so many are left.
    Paper(u64),
}

/// Somebody's second step, asked for or only begun.
pub fn second_step(c: &Connection, login: &str) -> Result<Option<SecondStep>, StoreError> {
    let found = c
        .prepare_cached("SELECT secret, confirmed_at, last_step FROM second_step WHERE login = ?1")?
        .query_row([login], |row| {
            Ok((
                row.get::<_, [u8; 20]>(0)?,
                row.get::<_, Option<i64>>(1)?,
                row.get::<_, Option<i64>>(2)?,
            ))
        })
        .optional()?;
    Ok(found.map(|(secret, confirmed, last)| SecondStep {
        secret: Secret::new(secret),
        confirmed: confirmed.is_some(),
        last_step: last.and_then(|step| u64::try_from(step).ok()),
    }))
}

/// Whether a login asks for a second step.
pub fn asks_second_step(c: &Connection, login: &str) -> Result<bool, StoreError> {
    Ok(second_step(c, login)?.is_some_and(|step| step.confirmed))
}

/// Begins a second step; one that is only begun is replaced, one that is asked for stays.
pub fn begin_second_step(
    c: &Connection,
    login: &str,
    secret: &Secret,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let written = c.execute(
        "INSERT INTO second_step (login, secret, begun_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (login) DO UPDATE SET secret = ?2, begun_at = ?3, last_step = NULL WHERE confirmed_at IS NULL",
        params![login, secret.bytes().as_slice(), now.as_microsecond()],
    )?;
    Ok(written > 0)
}

/// Asks for the second step from now on, with these codes on paper.
pub fn confirm_second_step(
    c: &Connection,
    login: &str,
    codes: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    c.execute(
        "UPDATE second_step SET confirmed_at = ?2 WHERE login = ?1",
        params![login, now.as_microsecond()],
    )?;
    c.execute("DELETE FROM recovery_code WHERE login = ?1", [login])?;
    for code in codes {
        c.execute(
            "INSERT INTO recovery_code (hash, login) VALUES (?1, ?2)",
            params![fingerprint(code), login],
        )?;
    }
    Ok(())
}

/// Checks what somebody typed and uses it up; none where it is wrong or was used before.
pub fn prove_second_step(
    c: &Connection,
    login: &str,
    given: &str,
    now: Timestamp,
) -> Result<Option<Proof>, StoreError> {
    let Some(step) = second_step(c, login)? else {
        return Ok(None);
    };
    if let Some(used) = verify(&step.secret, given, now, step.last_step) {
        c.execute(
            "UPDATE second_step SET last_step = ?2 WHERE login = ?1",
            params![login, i64::try_from(used).unwrap_or(i64::MAX)],
        )?;
        return Ok(Some(Proof::Telephone));
    }
    let Some(code) = typed_recovery(given) else {
        return Ok(None);
    };
    let used = c.execute(
        "DELETE FROM recovery_code WHERE hash = ?1 AND login = ?2",
        params![fingerprint(&code), login],
    )?;
    if used == 0 {
        return Ok(None);
    }
    Ok(Some(Proof::Paper(recovery_left(c, login)?)))
}

/// Codes on paper that were not used yet.
pub fn recovery_left(c: &Connection, login: &str) -> Result<u64, StoreError> {
    let left: i64 = c.query_row(
        "SELECT count(*) FROM recovery_code WHERE login = ?1",
        [login],
        |row| row.get(0),
    )?;
    Ok(u64::try_from(left).unwrap_or(0))
}

/// Asks for no second step any more; whether there was one.
pub fn drop_second_step(c: &Connection, login: &str) -> Result<bool, StoreError> {
    c.execute("DELETE FROM recovery_code WHERE login = ?1", [login])?;
    Ok(c.execute("DELETE FROM second_step WHERE login = ?1", [login])? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::staff::Role;
    use crate::domain::staff::totp::recovery_code;
    use crate::store::Db;
    use crate::store::office::{SCHEMA, create_user};

    #[test]
    fn a_code_is_used_up_and_a_confirmed_step_is_not_replaced() {
        let db = Db::memory(SCHEMA).expect("open").db;
        let now = Timestamp::from_second(1_234_567_890).expect("a moment");
        db.write_blocking(move |c| {
            create_user(c, "ana", "Ana", Role::Admin, "x", now)?;
            create_user(c, "luz", "Luz", Role::Admin, "x", now)?;
            let secret = Secret::new(*b"12345678901234567890");
            assert!(begin_second_step(c, "ana", &Secret::new([7; 20]), now)?);
            assert!(begin_second_step(c, "ana", &secret, now)?, "only begun");
            assert!(!asks_second_step(c, "ana")?);
            assert_eq!(
                prove_second_step(c, "ana", "005924", now)?,
                Some(Proof::Telephone)
            );
            assert_eq!(prove_second_step(c, "ana", "005924", now)?, None, "once");
            let paper = recovery_code(*b"0123456789");
            confirm_second_step(c, "ana", &[paper.clone(), recovery_code([1; 10])], now)?;
            assert!(asks_second_step(c, "ana")?);
            assert!(!begin_second_step(c, "ana", &Secret::new([7; 20]), now)?);
            assert_eq!(prove_second_step(c, "luz", &paper, now)?, None, "hers, not mine");
            assert_eq!(
                prove_second_step(c, "ana", &paper.to_lowercase(), now)?,
                Some(Proof::Paper(1))
            );
            assert_eq!(prove_second_step(c, "ana", &paper, now)?, None, "once");
            assert!(drop_second_step(c, "ana")? && !drop_second_step(c, "ana")?);
            assert_eq!(recovery_left(c, "ana")?, 0);
            Ok(())
        })
        .expect("written");
    }
}
