//! People who work here, and tokens for programs.
//!
//! Passwords are kept as argon2id, tokens as SHA-256 of 32 random bytes: the file alone opens nothing.
//! Nothing here asks whether a change is allowed or puts it on record; [`crate::app::office`] does both.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::attempts::{Guarded, failures};
use super::password::{Hashed, hash_password};
use super::second::asks_second_step;
use crate::clock::from_micros;
use crate::domain::staff::Role;
use crate::i18n::Language;
use crate::store::StoreError;

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

/// A person's account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Number of the account, for addresses.
    pub id: i64,
    /// Who.
    pub staff: Staff,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the password was set.
    pub password_at: Timestamp,
    /// When it was closed, if it is.
    pub disabled_at: Option<Timestamp>,
    /// Wrong passwords in a row.
    pub failures: u32,
    /// Whether a login asks for a code of the telephone too.
    pub second_step: bool,
}

/// A token, without its secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

/// SHA-256 of a secret that has enough entropy of its own.
pub(crate) fn fingerprint(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

pub(super) fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(crate::clock::random::<32>()))
}

pub(super) fn role(code: &str) -> Result<Role, StoreError> {
    Role::from_code(code).ok_or(StoreError::Unreadable { what: "role" })
}

/// Adds a person, or changes name, role and password of one. Hashes first: keep it out of a busy office.
pub fn create_user(
    c: &Connection,
    login: &str,
    name: &str,
    role: Role,
    password: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    put_account(c, login, name, role, &hash_password(password)?, now)
}

/// Adds a person, or changes name, role and password of one, whose account is open afterwards.
pub fn put_account(
    c: &Connection,
    login: &str,
    name: &str,
    role: Role,
    password: &Hashed,
    now: Timestamp,
) -> Result<(), StoreError> {
    c.execute(
        "INSERT INTO staff (login, name, role, password, created_at, password_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
         ON CONFLICT (login) DO UPDATE SET name = ?2, role = ?3, password = ?4, password_at = ?5, disabled_at = NULL",
        params![login, name, role.code(), password.0, now.as_microsecond()],
    )?;
    // Whoever held the old password is out.
    c.execute("DELETE FROM session WHERE login = ?1", [login])?;
    Ok(())
}

/// Sets a new password and ends the person's sessions.
pub fn set_password(
    c: &Connection,
    login: &str,
    password: &Hashed,
    now: Timestamp,
) -> Result<(), StoreError> {
    c.execute(
        "UPDATE staff SET password = ?2, password_at = ?3 WHERE login = ?1",
        params![login, password.0, now.as_microsecond()],
    )?;
    c.execute("DELETE FROM session WHERE login = ?1", [login])?;
    Ok(())
}

/// Shows a person under another name.
pub fn set_name(c: &Connection, login: &str, name: &str) -> Result<(), StoreError> {
    c.execute("UPDATE staff SET name = ?2 WHERE login = ?1", [login, name])?;
    Ok(())
}

/// Shows a person the console in another language.
pub fn set_language(c: &Connection, login: &str, language: Language) -> Result<(), StoreError> {
    c.execute(
        "UPDATE staff SET language = ?2 WHERE login = ?1",
        params![login, language.code()],
    )?;
    Ok(())
}

/// Gives a person other rights, from the next request on.
pub fn set_role(c: &Connection, login: &str, role: Role) -> Result<(), StoreError> {
    c.execute(
        "UPDATE staff SET role = ?2 WHERE login = ?1",
        params![login, role.code()],
    )?;
    Ok(())
}

/// Closes an account and ends its sessions, or opens it again.
pub fn set_disabled(c: &Connection, login: &str, at: Option<Timestamp>) -> Result<(), StoreError> {
    c.execute(
        "UPDATE staff SET disabled_at = ?2 WHERE login = ?1",
        params![login, at.map(Timestamp::as_microsecond)],
    )?;
    if at.is_some() {
        c.execute("DELETE FROM session WHERE login = ?1", [login])?;
    }
    Ok(())
}

/// Whether anybody can log in.
pub fn has_users(c: &Connection) -> Result<bool, StoreError> {
    Ok(c.query_row("SELECT EXISTS (SELECT 1 FROM staff)", [], |row| row.get(0))?)
}

const ACCOUNT: &str = "SELECT id, login, name, role, created_at, password_at, disabled_at FROM staff";

/// Everybody who has an account, by login.
pub fn accounts(c: &Connection) -> Result<Vec<Account>, StoreError> {
    let mut select = c.prepare(&format!("{ACCOUNT} ORDER BY login"))?;
    let rows = select.query_map([], raw)?.collect::<Result<Vec<_>, _>>()?;
    rows.into_iter().map(|row| account_of(c, row)).collect()
}

/// The account of a login.
pub fn account(c: &Connection, login: &str) -> Result<Option<Account>, StoreError> {
    let row = c
        .query_row(&format!("{ACCOUNT} WHERE login = ?1"), [login], raw)
        .optional()?;
    row.map(|row| account_of(c, row)).transpose()
}

struct Raw(i64, String, String, String, i64, i64, Option<i64>);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok(Raw(
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
    ))
}

fn account_of(c: &Connection, raw: Raw) -> Result<Account, StoreError> {
    let Raw(id, login, name, code, created_at, password_at, disabled_at) = raw;
    Ok(Account {
        id,
        failures: failures(c, Guarded::Account(&login))?.0,
        second_step: asks_second_step(c, &login)?,
        staff: Staff {
            login,
            name,
            role: role(&code)?,
        },
        created_at: from_micros(created_at),
        password_at: from_micros(password_at),
        disabled_at: disabled_at.map(from_micros),
    })
}

/// The hash of an open account's password; none where there is no such account or it is closed.
pub fn password_of(c: &Connection, login: &str) -> Result<Option<Hashed>, StoreError> {
    Ok(c.query_row(
        "SELECT password FROM staff WHERE login = ?1 AND disabled_at IS NULL",
        [login],
        |row| row.get(0).map(Hashed),
    )
    .optional()?)
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

/// Every token that works, by name.
pub fn tokens(c: &Connection) -> Result<Vec<Token>, StoreError> {
    let mut select = c.prepare("SELECT name, role, created_at FROM token ORDER BY name")?;
    let rows = select.query_map([], |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
    })?;
    rows.map(|row| {
        let (name, code, at) = row?;
        Ok(Token {
            name,
            role: role(&code)?,
            created_at: from_micros(at),
        })
    })
    .collect()
}

/// Whose token it is.
pub fn staff_of_token(c: &Connection, token: &str) -> Result<Option<Staff>, StoreError> {
    let found = c
        .prepare_cached("SELECT name, role FROM token WHERE hash = ?1")?
        .query_row(params![fingerprint(token)], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    let Some((name, code)) = found else {
        return Ok(None);
    };
    Ok(Some(Staff {
        login: name.clone(),
        name,
        role: role(&code)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Db;
    use crate::store::office::password::is_password;
    use crate::store::office::{SCHEMA, open_session, session};

    #[test]
    fn accounts_change_and_close_and_tokens_are_taken_back() {
        let db = Db::memory(SCHEMA).expect("open").db;
        let now = Timestamp::UNIX_EPOCH;
        db.write_blocking(move |c| {
            create_user(c, "ana", "Agente 07", Role::Agent, "clave larga", now)?;
            let secret = open_session(c, "ana", None, now)?;
            set_role(c, "ana", Role::Auditor)?;
            let found = session(c, &secret, now)?.expect("living");
            assert_eq!(found.staff.role, Role::Auditor, "from the next request on");
            set_disabled(c, "ana", Some(now))?;
            assert!(session(c, &secret, now)?.is_none());
            assert!(password_of(c, "ana")?.is_none());
            set_disabled(c, "ana", None)?;
            let hashed = password_of(c, "ana")?;
            assert!(is_password(hashed.as_ref(), "clave larga")?);
            set_password(c, "ana", &hash_password("otra clave")?, now)?;
            assert!(!is_password(password_of(c, "ana")?.as_ref(), "clave larga")?);
            assert_eq!(accounts(c)?, [account(c, "ana")?.expect("there")]);

            let token = create_token(c, "demo", Role::Supervisor, now)?;
            assert_eq!(staff_of_token(c, &token)?.expect("known").login, "demo");
            assert!(staff_of_token(c, "vt_x")?.is_none());
            assert_eq!(tokens(c)?.len(), 1);
            assert!(revoke_token(c, "demo")?);
            assert!(staff_of_token(c, &token)?.is_none());
            Ok(())
        })
        .expect("written");
    }
}
