//! The back office's rows: tokens, and what is known of each case beside its sealed content.
//!
//! Begin at [`case`] and [`erase`]. A case without a row is one that nobody touched yet.

use std::collections::HashMap;

use jiff::Timestamp;

use super::StoreError;
use super::both::{Row, Sql, Value};
use crate::clock::from_micros;
use crate::domain::desk::{CaseStatus, DeskRole, Review};
use crate::domain::submission::peers::TokenHash;

/// The tables in SQLite, as one migration step; PostgreSQL's are in `postgres.sql`.
pub const TABLES: &str = "
CREATE TABLE desk_token (
    name TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
CREATE TABLE case_file (
    submission_id TEXT PRIMARY KEY,
    review TEXT,
    findings TEXT,
    proof TEXT,
    status TEXT,
    note TEXT,
    status_at INTEGER,
    erased_at INTEGER
) STRICT;
";

/// A token of the back office, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskToken {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: DeskRole,
    /// When it was made.
    pub made_at: Timestamp,
}

/// Keeps a token; one of the same name no longer works.
pub fn put_token(
    sql: &mut dyn Sql,
    name: &str,
    hash: TokenHash,
    role: DeskRole,
    now: Timestamp,
) -> Result<(), StoreError> {
    sql.run(
        "INSERT INTO desk_token (name, hash, role, made_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET hash=excluded.hash, role=excluded.role, made_at=excluded.made_at",
        &[name.into(), hash.to_hex().into(), role.code().into(), now.into()],
    )?;
    Ok(())
}

/// Takes a token back; whether there was one.
pub fn revoke_token(sql: &mut dyn Sql, name: &str) -> Result<bool, StoreError> {
    Ok(sql.run("DELETE FROM desk_token WHERE name=$1", &[name.into()])? > 0)
}

/// Every token that works, by name.
pub fn tokens(sql: &mut dyn Sql) -> Result<Vec<DeskToken>, StoreError> {
    let rows = sql.rows("SELECT name, role, made_at FROM desk_token ORDER BY name", &[])?;
    rows.iter().map(token).collect()
}

/// Whose token it is.
pub fn token_of(sql: &mut dyn Sql, hash: TokenHash) -> Result<Option<DeskToken>, StoreError> {
    let row = sql.row(
        "SELECT name, role, made_at FROM desk_token WHERE hash=$1",
        &[hash.to_hex().into()],
    )?;
    row.as_ref().map(token).transpose()
}

fn token(row: &Row) -> Result<DeskToken, StoreError> {
    Ok(DeskToken {
        name: row.text(0)?,
        role: DeskRole::of(&row.text(1)?).ok_or(StoreError::Unreadable { what: "role" })?,
        made_at: from_micros(row.int(2)?),
    })
}

/// What is known of a case beside its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseRow {
    /// What came of holding it against its form, and the findings as JSON.
    pub review: Option<(Review, String)>,
    /// What the last digits are compared with; empty where its form asks for no identity number.
    pub proof: Option<String>,
    /// How far it is, where somebody said so.
    pub status: Option<CaseStatus>,
    /// What the citizen reads beside it.
    pub note: Option<String>,
    /// When that was said.
    pub status_at: Option<Timestamp>,
    /// When the content was erased.
    pub erased_at: Option<Timestamp>,
}

const COLUMNS: &str = "submission_id, review, findings, proof, status, note, status_at, erased_at";
/// How many cases are asked for at once.
const AT_ONCE: usize = 100;

/// What is known of these cases; those that nobody touched are left out.
pub fn cases(sql: &mut dyn Sql, ids: &[String]) -> Result<HashMap<String, CaseRow>, StoreError> {
    let mut found = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        // Always as many parameters, so that the statement is prepared once.
        let places: Vec<String> = (1..=AT_ONCE).map(|n| format!("${n}")).collect();
        let mut values: Vec<Value> = ids.iter().map(Value::from).collect();
        values.resize(AT_ONCE, Value::from(""));
        let text = format!(
            "SELECT {COLUMNS} FROM case_file WHERE submission_id IN ({})",
            places.join(", ")
        );
        for row in sql.rows(&text, &values)? {
            found.insert(row.text(0)?, case_row(&row));
        }
    }
    Ok(found)
}

/// What is known of one case.
pub fn case(sql: &mut dyn Sql, id: &str) -> Result<CaseRow, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM case_file WHERE submission_id=$1");
    let row = sql.row(&text, &[id.into()])?;
    Ok(row.as_ref().map(case_row).unwrap_or_default())
}

fn case_row(row: &Row) -> CaseRow {
    let review = match row.maybe_text(1).as_deref() {
        Some("accepted") => Some(Review::Accepted),
        Some(_) => Some(Review::AcceptedWithFindings),
        None => None,
    };
    CaseRow {
        review: review.map(|review| (review, row.maybe_text(2).unwrap_or_default())),
        proof: row.maybe_text(3),
        status: row.maybe_text(4).and_then(|code| CaseStatus::of(&code)),
        note: row.maybe_text(5),
        status_at: row.moment(6),
        erased_at: row.moment(7),
    }
}

/// Writes down what came of holding a submission against its form; an erased one stays erased.
pub fn put_review(
    sql: &mut dyn Sql,
    id: &str,
    review: Review,
    findings: &str,
    proof: &str,
) -> Result<(), StoreError> {
    sql.run(
        "INSERT INTO case_file (submission_id, review, findings, proof) VALUES ($1, $2, $3, $4)
         ON CONFLICT (submission_id) DO UPDATE
         SET review=excluded.review, findings=excluded.findings, proof=excluded.proof
         WHERE case_file.erased_at IS NULL",
        &[id.into(), review.code().into(), findings.into(), proof.into()],
    )?;
    Ok(())
}

/// Writes down how far a case is.
pub fn put_status(
    sql: &mut dyn Sql,
    id: &str,
    status: CaseStatus,
    note: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sql.run(
        "INSERT INTO case_file (submission_id, status, note, status_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (submission_id) DO UPDATE
         SET status=excluded.status, note=excluded.note, status_at=excluded.status_at",
        &[id.into(), status.code().into(), note.into(), now.into()],
    )?;
    Ok(())
}

/// A content whose time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRow {
    /// The submission.
    pub id: String,
    /// Hash of its envelope.
    pub hash: [u8; 32],
    /// Its procedure.
    pub procedure: String,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// How long contents of a procedure stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// Those whose case was done before this moment go.
    pub done_before: Timestamp,
    /// Those that arrived before this moment go although their case is open; nothing keeps them.
    pub open_before: Option<Timestamp>,
}

/// Procedures that anything was handed in for.
pub fn procedures(sql: &mut dyn Sql) -> Result<Vec<String>, StoreError> {
    let text = format!(
        "SELECT DISTINCT procedure FROM {} ORDER BY procedure",
        sql.bodies()
    );
    sql.rows(&text, &[])?.iter().map(|row| row.text(0)).collect()
}

/// Contents of a procedure whose time is over, at most `limit`.
pub fn due(sql: &mut dyn Sql, procedure: &str, until: Until, limit: u32) -> Result<Vec<DueRow>, StoreError> {
    let text = format!(
        "SELECT CAST(s.submission_id AS text), s.hash, s.procedure, s.received_at
         FROM {} s LEFT JOIN case_file c ON c.submission_id=CAST(s.submission_id AS text)
         WHERE s.procedure=$1 AND c.erased_at IS NULL
           AND ((c.status='done' AND c.status_at<$2)
                OR (coalesce(c.status, 'received')<>'done' AND s.received_at<$3))
         ORDER BY s.server_seq LIMIT $4",
        sql.bodies()
    );
    let open_before = until.open_before.unwrap_or(Timestamp::MIN);
    let rows = sql.rows(
        &text,
        &[
            procedure.into(),
            until.done_before.into(),
            open_before.into(),
            i64::from(limit).into(),
        ],
    )?;
    rows.iter().map(due_row).collect()
}

/// A submission as what would stay of it, if its content is still here.
pub fn erasable(sql: &mut dyn Sql, id: &str) -> Result<Option<DueRow>, StoreError> {
    if case(sql, id)?.erased_at.is_some() {
        return Ok(None);
    }
    let text = format!(
        "SELECT CAST(submission_id AS text), hash, procedure, received_at FROM {} WHERE {}",
        sql.bodies(),
        sql.is_this_body()
    );
    let row = sql.row(&text, &[id.into()])?;
    row.as_ref().map(due_row).transpose()
}

fn due_row(row: &Row) -> Result<DueRow, StoreError> {
    Ok(DueRow {
        id: row.text(0)?,
        hash: row.array(1)?,
        procedure: row.text(2)?,
        received_at: from_micros(row.int(3)?),
    })
}

/// Overwrites a content and what was found out from it; id, hash, moments and state stay.
pub fn erase(sql: &mut dyn Sql, id: &str, now: Timestamp) -> Result<(), StoreError> {
    let text = format!(
        "UPDATE {} SET envelope=$2 WHERE {}",
        sql.bodies(),
        sql.is_this_body()
    );
    sql.run(&text, &[id.into(), Value::Bytes(Vec::new())])?;
    sql.run(
        "INSERT INTO case_file (submission_id, erased_at) VALUES ($1, $2)
         ON CONFLICT (submission_id) DO UPDATE
         SET erased_at=excluded.erased_at, review=NULL, findings=NULL, proof=NULL, note=NULL",
        &[id.into(), now.into()],
    )?;
    Ok(())
}

/// How far submissions were held against their forms: a place in central's order.
pub fn reviewed_to(sql: &mut dyn Sql) -> Result<i64, StoreError> {
    let row = sql.row("SELECT value FROM meta WHERE key='reviewed'", &[])?;
    Ok(row.and_then(|row| row.maybe_text(0)?.parse().ok()).unwrap_or(0))
}

/// Moves that place on.
pub fn put_reviewed_to(sql: &mut dyn Sql, seq: i64) -> Result<(), StoreError> {
    sql.run(
        "INSERT INTO meta (key, value) VALUES ('reviewed', $1) ON CONFLICT (key) DO UPDATE SET value=excluded.value",
        &[seq.to_string().into()],
    )?;
    Ok(())
}
