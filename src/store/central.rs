//! The municipality's file: what was handed in and who read it.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::{Schema, StoreError, backup, chain, devices, inbox, lives};

/// Every table of the municipality's file.
pub const SCHEMA: Schema = Schema {
    application_id: 0x5643_454e,
    migrations: &[
        inbox::TABLES,
        TABLES,
        lives::TABLES,
        backup::TABLES,
        inbox::DOUBTS,
        devices::TABLES,
        chain::TABLES,
    ],
};

const TABLES: &str = "
CREATE TABLE access (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    act TEXT NOT NULL,
    about TEXT NOT NULL,
    reason TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
";

/// One act of a person that must be found again later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// When.
    pub at: Timestamp,
    /// Whose token.
    pub who: String,
    /// What was done: `read-content`.
    pub act: &'static str,
    /// To which submission.
    pub about: String,
    /// Why, in the person's words; may be empty.
    pub reason: String,
}

/// Writes an act down before it happens; each entry hashes the one before, so that a removed one shows.
pub fn record_access(conn: &Connection, access: &Access) -> Result<(), StoreError> {
    let previous: Option<[u8; 32]> = conn
        .query_row("SELECT hash FROM access ORDER BY seq DESC LIMIT 1", [], |row| {
            row.get(0)
        })
        .optional()?;
    let hash = access_hash(&previous.unwrap_or_default(), access);
    conn.execute(
        "INSERT INTO access (at, who, act, about, reason, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            access.at.as_microsecond(),
            access.who,
            access.act,
            access.about,
            access.reason,
            hash
        ],
    )?;
    Ok(())
}

/// How many acts are written down, and whether the chain of their hashes is whole.
pub fn check_accesses(conn: &Connection) -> Result<(u32, bool), StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT at, who, act, about, reason, hash FROM access ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let (mut number, mut previous) = (0, [0_u8; 32]);
    while let Some(row) = rows.next()? {
        let act: String = row.get(2)?;
        let hash = chain(
            &previous,
            row.get(0)?,
            [
                &row.get::<_, String>(1)?,
                &act,
                &row.get::<_, String>(3)?,
                &row.get::<_, String>(4)?,
            ],
        );
        if hash != row.get::<_, [u8; 32]>(5)? {
            return Ok((number, false));
        }
        previous = hash;
        number += 1;
    }
    Ok((number, true))
}

/// The hash of an entry after the one before it.
pub(super) fn access_hash(previous: &[u8; 32], access: &Access) -> [u8; 32] {
    chain(
        previous,
        access.at.as_microsecond(),
        [&access.who, access.act, &access.about, &access.reason],
    )
}

fn chain(previous: &[u8; 32], at: i64, words: [&str; 4]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(at.to_be_bytes());
    for word in words {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Db;

    #[test]
    fn a_removed_act_shows() {
        let db = Db::memory(SCHEMA).expect("open").db;
        let shows = db
            .write_blocking(|conn| {
                for n in 0..3 {
                    let access = Access {
                        at: Timestamp::from_second(n).expect("time"),
                        who: "staff".into(),
                        act: "read-content",
                        about: n.to_string(),
                        reason: String::new(),
                    };
                    record_access(conn, &access)?;
                }
                assert_eq!(check_accesses(conn)?, (3, true));
                conn.execute("DELETE FROM access WHERE seq=2", [])?;
                check_accesses(conn)
            })
            .expect("written");
        assert_eq!(shows, (1, false));
    }
}
