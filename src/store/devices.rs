//! Devices that were enrolled, and the one-time codes that let them in; in an office's file and at the municipality.
//!
//! A device is a name with the keys it had; the newest counts, the earlier ones still prove what they signed.
//! Of a code only its hash is kept. Begin at [`redeem`].

use jiff::Timestamp;

use super::StoreError;
use super::both::{Sql, Value};
use crate::domain::seal::VerifyingKey;
use crate::domain::submission::peers::TokenHash;

/// The tables in SQLite, as one migration step; PostgreSQL's are in `postgres.sql`.
pub const TABLES: &str = "
CREATE TABLE device (
    id TEXT NOT NULL,
    kid TEXT NOT NULL,
    office TEXT NOT NULL,
    key TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL,
    vouched_by TEXT,
    revoked_at INTEGER,
    seq INTEGER NOT NULL,
    PRIMARY KEY (id, kid)
) STRICT;
CREATE TABLE enrol_code (
    hash TEXT PRIMARY KEY,
    device TEXT NOT NULL,
    office TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    used_kid TEXT
) STRICT;
";

/// A key of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKeyRow {
    /// The device.
    pub id: String,
    /// Its office.
    pub office: String,
    /// Its key.
    pub key: VerifyingKey,
    /// When it was let in.
    pub enrolled_at: Timestamp,
    /// The hub that vouched for it, where it was enrolled at its office.
    pub vouched_by: Option<String>,
    /// When it was taken out of service.
    pub revoked_at: Option<Timestamp>,
}

/// For whom a code is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The device's name.
    pub device: String,
    /// Its office.
    pub office: String,
}

/// Keeps a code; the ones that were made for the same device before are void.
pub fn keep_code(
    sql: &mut dyn Sql,
    hash: TokenHash,
    place: &Place,
    made_by: &str,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    sql.run(
        "DELETE FROM enrol_code WHERE device=$1",
        &[place.device.as_str().into()],
    )?;
    sql.run(
        "INSERT INTO enrol_code (hash, device, office, expires_at, made_by) VALUES ($1, $2, $3, $4, $5)",
        &[
            hash.to_hex().into(),
            place.device.as_str().into(),
            place.office.as_str().into(),
            expires_at.into(),
            made_by.into(),
        ],
    )?;
    Ok(())
}

/// For whom a code is, if it may still be redeemed with the key `kid`: not over, and not used with another key.
pub fn place_of_code(
    sql: &mut dyn Sql,
    hash: TokenHash,
    kid: &str,
    now: Timestamp,
) -> Result<Option<Place>, StoreError> {
    let row = sql.row(
        "SELECT device, office, expires_at, used_kid FROM enrol_code WHERE hash=$1",
        &[hash.to_hex().into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    // The same key again: the answer was lost on the way.
    let fits = row.maybe_text(3).is_none_or(|used| used == kid);
    if !fits || row.int(2)? < now.as_microsecond() {
        return Ok(None);
    }
    Ok(Some(Place {
        device: row.text(0)?,
        office: row.text(1)?,
    }))
}

/// Lets a device in with its code; nothing where the code is none, over, or used with another key.
pub fn redeem(
    sql: &mut dyn Sql,
    hash: TokenHash,
    key: &VerifyingKey,
    now: Timestamp,
) -> Result<Option<Place>, StoreError> {
    let Some(place) = place_of_code(sql, hash, key.kid(), now)? else {
        return Ok(None);
    };
    let used = sql.run(
        "UPDATE enrol_code SET used_kid=$2 WHERE hash=$1 AND (used_kid IS NULL OR used_kid=$2)",
        &[hash.to_hex().into(), key.kid().into()],
    )?;
    if used == 0 {
        return Ok(None);
    }
    put(sql, &place, key, None, now)?;
    Ok(Some(place))
}

/// Writes a device down; it serves with this key from now on.
pub fn put(
    sql: &mut dyn Sql,
    place: &Place,
    key: &VerifyingKey,
    vouched_by: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sql.run(
        "INSERT INTO device (id, kid, office, key, enrolled_at, vouched_by, seq)
         VALUES ($1, $2, $3, $4, $5, $6, (SELECT coalesce(max(seq), 0) + 1 FROM device))
         ON CONFLICT (id, kid) DO UPDATE SET office=excluded.office, revoked_at=NULL, seq=excluded.seq",
        &[
            place.device.as_str().into(),
            key.kid().into(),
            place.office.as_str().into(),
            key.to_text().trim().into(),
            now.into(),
            vouched_by.into(),
        ],
    )?;
    Ok(())
}

/// Takes a device out of service with all its keys; whether there was one in service.
pub fn revoke(sql: &mut dyn Sql, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    sql.run("DELETE FROM enrol_code WHERE device=$1", &[id.into()])?;
    let touched = sql.run(
        "UPDATE device SET revoked_at=$2 WHERE id=$1 AND revoked_at IS NULL",
        &[id.into(), now.into()],
    )?;
    Ok(touched > 0)
}

/// Every key of every device, the newest of a device last.
pub fn all(sql: &mut dyn Sql) -> Result<Vec<DeviceKeyRow>, StoreError> {
    let rows = sql.rows(
        "SELECT id, office, key, enrolled_at, vouched_by, revoked_at FROM device ORDER BY id, seq",
        &[] as &[Value],
    )?;
    rows.iter()
        .map(|row| {
            Ok(DeviceKeyRow {
                id: row.text(0)?,
                office: row.text(1)?,
                key: VerifyingKey::parse(&row.text(2)?)
                    .map_err(|_| StoreError::Unreadable { what: "device key" })?,
                enrolled_at: crate::clock::from_micros(row.int(3)?),
                vouched_by: row.maybe_text(4),
                revoked_at: row.moment(5),
            })
        })
        .collect()
}
