//! People who work here, their sessions, and tokens for programs.
//!
//! Passwords are kept as argon2id, sessions and tokens as SHA-256 of 32 random bytes: the file alone opens nothing.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::tickets::word;
use crate::domain::ticket::CounterNumber;
use crate::store::StoreError;

/// How long a session lives: one long working day.
pub const SESSION_HOURS: i64 = 12;

/// What somebody may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Works at a counter.
    Agent,
    /// Also sees the whole office and releases counters.
    Supervisor,
}

impl Role {
    fn code(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
        }
    }
}

/// Somebody who may use the console or the API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Staff {
    /// Login of a person, or name of a token.
    pub login: String,
    /// As shown in the console.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// A person who is logged in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Who.
    pub staff: Staff,
    /// The counter they chose.
    pub counter: Option<CounterNumber>,
}

/// SHA-256 of a secret that has enough entropy of its own.
pub(crate) fn fingerprint(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(crate::clock::random::<32>()))
}

/// Adds a person, or changes name, role and password of one.
pub fn create_user(
    c: &Connection,
    login: &str,
    name: &str,
    role: Role,
    password: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|_| StoreError::Unreadable { what: "password" })?
        .to_string();
    c.execute(
        "INSERT INTO staff (login, name, role, password, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (login) DO UPDATE SET name = ?2, role = ?3, password = ?4",
        params![login, name, role.code(), hash, now.as_microsecond()],
    )?;
    // Whoever held the old password is out.
    c.execute("DELETE FROM session WHERE login = ?1", [login])?;
    Ok(())
}

/// Whether anybody can log in.
pub fn has_users(c: &Connection) -> Result<bool, StoreError> {
    Ok(c.query_row("SELECT EXISTS (SELECT 1 FROM staff)", [], |row| row.get(0))?)
}

/// Who `login` is, if the password is right. Slow on purpose: keep it off the async threads and off the writer.
pub fn verify_password(c: &Connection, login: &str, password: &str) -> Result<Option<Staff>, StoreError> {
    let found = c
        .query_row(
            "SELECT name, role, password FROM staff WHERE login = ?1",
            [login],
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                ))
            },
        )
        .optional()?;
    let Some((name, role, hash)) = found else {
        // The same work as for a known login, so that the time does not tell who works here.
        let _ = Argon2::default().hash_password(password.as_bytes());
        return Ok(None);
    };
    let unreadable = || StoreError::Unreadable { what: "password" };
    let hash = PasswordHash::new(&hash).map_err(|_| unreadable())?;
    if Argon2::default()
        .verify_password(password.as_bytes(), &hash)
        .is_err()
    {
        return Ok(None);
    }
    Ok(Some(Staff {
        login: login.to_owned(),
        name,
        role: word(&role).ok_or_else(unreadable)?,
    }))
}

/// Begins a session and returns its secret, which goes into a cookie and nowhere else.
pub fn open_session(c: &Connection, login: &str, now: Timestamp) -> Result<String, StoreError> {
    let oldest = now
        .checked_sub(SignedDuration::from_hours(SESSION_HOURS))
        .unwrap_or(now);
    c.execute(
        "DELETE FROM session WHERE created_at < ?1",
        [oldest.as_microsecond()],
    )?;
    let secret = fresh("");
    c.execute(
        "INSERT INTO session (hash, login, counter, created_at) VALUES (?1, ?2, NULL, ?3)",
        params![fingerprint(&secret), login, now.as_microsecond()],
    )?;
    Ok(secret)
}

/// The living session of a secret.
pub fn session(c: &Connection, secret: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
    let oldest = now
        .checked_sub(SignedDuration::from_hours(SESSION_HOURS))
        .unwrap_or(now);
    let found = c
        .prepare_cached(
            "SELECT staff.login, name, role, counter FROM session JOIN staff USING (login)
             WHERE hash = ?1 AND session.created_at >= ?2",
        )?
        .query_row(params![fingerprint(secret), oldest.as_microsecond()], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, Option<u16>>(3)?,
            ))
        })
        .optional()?;
    Ok(found.and_then(|(login, name, role, counter)| {
        let role = word(&role)?;
        Some(Session {
            staff: Staff { login, name, role },
            counter: counter.map(CounterNumber),
        })
    }))
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
    let oldest = now
        .checked_sub(SignedDuration::from_hours(SESSION_HOURS))
        .unwrap_or(now);
    Ok(c.query_row(
        "SELECT name FROM session JOIN staff USING (login)
         WHERE counter = ?1 AND login <> ?2 AND session.created_at >= ?3 LIMIT 1",
        params![counter.0, login, oldest.as_microsecond()],
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

/// Makes a token for a program and returns it; it cannot be read again. A token of the same name is replaced.
pub fn create_token(c: &Connection, name: &str, role: Role, now: Timestamp) -> Result<String, StoreError> {
    let token = fresh("vt_");
    c.execute("DELETE FROM token WHERE name = ?1", [name])?;
    c.execute(
        "INSERT INTO token (hash, name, role, created_at) VALUES (?1, ?2, ?3, ?4)",
        params![fingerprint(&token), name, role.code(), now.as_microsecond()],
    )?;
    Ok(token)
}

/// Takes a token's power away; whether there was one.
pub fn revoke_token(c: &Connection, name: &str) -> Result<bool, StoreError> {
    Ok(c.execute("DELETE FROM token WHERE name = ?1", [name])? > 0)
}

/// Whose token it is.
pub fn staff_of_token(c: &Connection, token: &str) -> Result<Option<Staff>, StoreError> {
    let found = c
        .prepare_cached("SELECT name, role FROM token WHERE hash = ?1")?
        .query_row(params![fingerprint(token)], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    Ok(found.and_then(|(name, role)| {
        let role = word(&role)?;
        Some(Staff {
            login: name.clone(),
            name,
            role,
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Db;

    #[test]
    fn passwords_sessions_and_tokens_open_only_what_they_should() {
        let db = Db::memory(super::super::SCHEMA).expect("open").db;
        let now = Timestamp::UNIX_EPOCH;
        db.write_blocking(move |c| {
            create_user(c, "agente", "Agente 07", Role::Agent, "clave larga", now)?;
            assert!(verify_password(c, "agente", "otra")?.is_none());
            assert!(verify_password(c, "nadie", "clave larga")?.is_none());
            let staff = verify_password(c, "agente", "clave larga")?.expect("right");
            assert_eq!((staff.name.as_str(), staff.role), ("Agente 07", Role::Agent));
            let secret = open_session(c, "agente", now)?;
            set_session_counter(c, &secret, Some(CounterNumber(4)))?;
            let found = session(c, &secret, now)?.expect("living");
            assert_eq!(found.counter, Some(CounterNumber(4)));
            let tomorrow = now + SignedDuration::from_hours(SESSION_HOURS + 1);
            assert!(session(c, &secret, tomorrow)?.is_none());
            end_session(c, &secret)?;
            assert!(session(c, &secret, now)?.is_none());
            let token = create_token(c, "demo", Role::Supervisor, now)?;
            assert_eq!(staff_of_token(c, &token)?.expect("known").login, "demo");
            assert!(staff_of_token(c, "vt_x")?.is_none());
            assert!(revoke_token(c, "demo")?);
            assert!(staff_of_token(c, &token)?.is_none());
            Ok(())
        })
        .expect("written");
    }
}
