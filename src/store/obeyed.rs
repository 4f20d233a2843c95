//! Orders of central that this device did, so that none is done twice, and what it has to say of them.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::StoreError;
use crate::domain::seal::Signed;

/// The table, as one migration step of a device's file.
pub const TABLES: &str = "
CREATE TABLE fleet_obeyed (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    result TEXT,
    told INTEGER NOT NULL DEFAULT 0
) STRICT;
";

/// Most results in one request.
const AT_ONCE: u32 = 3;

/// Writes down that an order is begun; false where it was before.
pub fn begin(c: &Connection, id: Uuid, kind: &str, now: Timestamp) -> Result<bool, StoreError> {
    let new = c.execute(
        "INSERT INTO fleet_obeyed (id, kind, begun_at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
        params![id.to_string(), kind, now.as_microsecond()],
    )?;
    Ok(new > 0)
}

/// Keeps what came of an order until somebody has it.
pub fn finish(c: &Connection, id: Uuid, result: &Signed) -> Result<(), StoreError> {
    let text = serde_json::to_string(result).map_err(|_| StoreError::Unreadable { what: "result" })?;
    c.execute(
        "UPDATE fleet_obeyed SET result=?2 WHERE id=?1",
        params![id.to_string(), text],
    )?;
    Ok(())
}

/// Orders that were begun and did not end.
pub fn unfinished(c: &Connection) -> Result<Vec<Uuid>, StoreError> {
    let mut statement = c.prepare_cached("SELECT id FROM fleet_obeyed WHERE result IS NULL")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|id| {
        id.map_err(StoreError::from)?
            .parse()
            .map_err(|_| StoreError::Unreadable { what: "order" })
    })
    .collect()
}

/// Results that nobody above has yet, oldest first.
pub fn untold(c: &Connection) -> Result<Vec<Signed>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT result FROM fleet_obeyed WHERE told=0 AND result IS NOT NULL ORDER BY begun_at LIMIT ?1",
    )?;
    let rows = statement.query_map([AT_ONCE], |row| row.get::<_, String>(0))?;
    rows.map(|text| {
        serde_json::from_str(&text.map_err(StoreError::from)?)
            .map_err(|_| StoreError::Unreadable { what: "result" })
    })
    .collect()
}

/// Central has these results: what they brought back goes, that they were done stays.
pub fn told(c: &Connection, ids: &[Uuid]) -> Result<(), StoreError> {
    for id in ids {
        c.execute(
            "UPDATE fleet_obeyed SET told=1, result='' WHERE id=?1",
            [id.to_string()],
        )?;
    }
    Ok(())
}

/// Forgets what was done before `before`; such orders are over for everybody.
pub fn forget(c: &Connection, before: Timestamp) -> Result<(), StoreError> {
    c.execute(
        "DELETE FROM fleet_obeyed WHERE begun_at<?1",
        [before.as_microsecond()],
    )?;
    Ok(())
}
