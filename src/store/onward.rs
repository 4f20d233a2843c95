//! What central hands on to OpenRosa servers: one row for each submission and server.
//!
//! The states are those of an outbox: QUEUED, INFLIGHT, RECEIVED, DEAD. The content is not here: it stays sealed where
//! it is and is opened anew at each try. One transition is one statement. Begin at [`feed`], [`take`] and [`settle`].

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::StoreError;
use super::both::{Row, Sql, Value};
use crate::clock::from_micros;
use crate::domain::submission::transit::State;

/// The tables in SQLite, as one migration step; PostgreSQL's are in `postgres.sql`.
pub const TABLES: &str = "
CREATE TABLE onward (
    destination TEXT NOT NULL,
    submission_id TEXT NOT NULL,
    server_seq INTEGER NOT NULL,
    form_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('QUEUED','INFLIGHT','RECEIVED','DEAD')),
    attempts INTEGER NOT NULL DEFAULT 0,
    why TEXT,
    there TEXT NOT NULL DEFAULT '[]',
    receipt TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (destination, submission_id)
) STRICT;
CREATE INDEX onward_due ON onward (destination, state, server_seq);
";

/// Nobody else feeds or takes meanwhile; any fixed number serves.
const LOCK: i64 = 0x5643_454e_0005;
/// How long one that is on the line may be silent before another node takes it; longer than any request.
const LEASE: SignedDuration = SignedDuration::from_mins(10);
/// Why one waits for its form; such ones go on by themselves.
pub const FORM_CLOSED: &str = "form_closed";

/// A submission on its way to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnwardRow {
    /// The submission.
    pub id: String,
    /// Files that are there already.
    pub there: BTreeSet<String>,
}

/// What becomes of one after a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handed {
    /// The server has it.
    Received {
        /// What it said about it.
        receipt: Option<String>,
    },
    /// The line failed; it waits again.
    Again {
        /// In one word, without personal data.
        why: String,
    },
    /// A person has to look, or its form has to be opened.
    Dead {
        /// In one word, without personal data.
        why: String,
    },
}

fn cursor(destination: &str) -> String {
    format!("onward:{destination}")
}

/// Puts the next submissions into the queue of a server, at most `limit` looked at; whether there may be more.
///
/// Without `procedures` all of them are meant. Whatever was put in once is never put in again.
pub fn feed(
    sql: &mut dyn Sql,
    destination: &str,
    procedures: Option<&[String]>,
    limit: u32,
    now: Timestamp,
) -> Result<bool, StoreError> {
    sql.alone(LOCK)?;
    let key = cursor(destination);
    let row = sql.row("SELECT value FROM meta WHERE key=$1", &[key.as_str().into()])?;
    let after: i64 = row.and_then(|row| row.maybe_text(0)?.parse().ok()).unwrap_or(0);
    let text = format!(
        "SELECT server_seq, CAST(submission_id AS text), form_id, procedure FROM {}
         WHERE server_seq>$1 ORDER BY server_seq LIMIT $2",
        sql.bodies()
    );
    let rows = sql.rows(&text, &[after.into(), i64::from(limit).into()])?;
    let Some(last) = rows.last() else {
        return Ok(false);
    };
    let last = last.int(0)?;
    for row in &rows {
        let procedure = row.text(3)?;
        if procedures.is_some_and(|wanted| !wanted.contains(&procedure)) {
            continue;
        }
        sql.run(
            "INSERT INTO onward (destination, submission_id, server_seq, form_id, state, created_at, changed_at)
             VALUES ($1, $2, $3, $4, 'QUEUED', $5, $5) ON CONFLICT DO NOTHING",
            &[
                destination.into(),
                row.text(1)?.into(),
                row.int(0)?.into(),
                row.text(2)?.into(),
                now.into(),
            ],
        )?;
    }
    sql.run(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value=excluded.value",
        &[key.into(), last.to_string().into()],
    )?;
    Ok(rows.len() >= limit as usize)
}

/// A row is due: it waits, or whoever had it on the line is silent. A moment to come was written by a clock that was
/// wrong.
const DUE: &str =
    "destination=$1 AND (state='QUEUED' OR (state='INFLIGHT' AND (changed_at<$2 OR changed_at>$3)))";

fn due_values(destination: &str, now: Timestamp) -> [Value; 3] {
    let moved = |span: SignedDuration| now.checked_add(span).unwrap_or(now);
    [destination.into(), moved(-LEASE).into(), moved(LEASE).into()]
}

/// Whether something is due.
pub fn is_due(sql: &mut dyn Sql, destination: &str, now: Timestamp) -> Result<bool, StoreError> {
    let text = format!("SELECT server_seq FROM onward WHERE {DUE} LIMIT 1");
    Ok(sql.row(&text, &due_values(destination, now))?.is_some())
}

/// Marks the next one that is due as on the line and returns it; those that failed before come after the others, so that
/// one at which the server stumbles holds up nobody.
pub fn take(sql: &mut dyn Sql, destination: &str, now: Timestamp) -> Result<Option<OnwardRow>, StoreError> {
    sql.alone(LOCK)?;
    let text =
        format!("SELECT submission_id, there FROM onward WHERE {DUE} ORDER BY attempts, server_seq LIMIT 1");
    let Some(row) = sql.row(&text, &due_values(destination, now))? else {
        return Ok(None);
    };
    let taken = OnwardRow {
        id: row.text(0)?,
        there: serde_json::from_str(&row.text(1)?).unwrap_or_default(),
    };
    sql.run(
        "UPDATE onward SET state='INFLIGHT', changed_at=$3 WHERE destination=$1 AND submission_id=$2",
        &[destination.into(), taken.id.as_str().into(), now.into()],
    )?;
    Ok(Some(taken))
}

/// Writes down which files are there, while the rest is on the line.
pub fn progress(
    sql: &mut dyn Sql,
    destination: &str,
    id: &str,
    there: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let there = serde_json::to_string(there).unwrap_or_else(|_| "[]".to_owned());
    sql.run(
        "UPDATE onward SET there=$3, changed_at=$4 WHERE destination=$1 AND submission_id=$2 AND state='INFLIGHT'",
        &[destination.into(), id.into(), there.into(), now.into()],
    )?;
    Ok(())
}

/// Writes down what became of one that was on the line.
pub fn settle(
    sql: &mut dyn Sql,
    destination: &str,
    id: &str,
    handed: &Handed,
    now: Timestamp,
) -> Result<(), StoreError> {
    let this = [destination.into(), id.into(), Value::from(now)];
    let done = |more: Vec<Value>| this.iter().cloned().chain(more).collect::<Vec<_>>();
    match handed {
        Handed::Received { receipt } => sql.run(
            "UPDATE onward SET state='RECEIVED', why=NULL, receipt=$4, changed_at=$3
             WHERE destination=$1 AND submission_id=$2 AND state='INFLIGHT'",
            &done(vec![receipt.as_deref().into()]),
        )?,
        Handed::Again { why } => sql.run(
            "UPDATE onward SET state='QUEUED', why=$4, attempts=attempts+1, changed_at=$3
             WHERE destination=$1 AND submission_id=$2 AND state='INFLIGHT'",
            &done(vec![why.as_str().into()]),
        )?,
        Handed::Dead { why } => sql.run(
            "UPDATE onward SET state='DEAD', why=$4, attempts=attempts+1, changed_at=$3
             WHERE destination=$1 AND submission_id=$2 AND state='INFLIGHT'",
            &done(vec![why.as_str().into()]),
        )?,
    };
    Ok(())
}

/// The server takes these forms again: what waited for one of them waits in the queue.
pub fn reopen(
    sql: &mut dyn Sql,
    destination: &str,
    forms: &BTreeSet<String>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let waiting = sql.rows(
        "SELECT DISTINCT form_id FROM onward WHERE destination=$1 AND state='DEAD' AND why=$2",
        &[destination.into(), FORM_CLOSED.into()],
    )?;
    let mut moved = 0;
    for row in waiting {
        let form = row.text(0)?;
        if forms.contains(&form) {
            moved += sql.run(
                "UPDATE onward SET state='QUEUED', changed_at=$4
                 WHERE destination=$1 AND state='DEAD' AND why=$2 AND form_id=$3",
                &[destination.into(), FORM_CLOSED.into(), form.into(), now.into()],
            )?;
        }
    }
    Ok(moved)
}

/// A person says: try again. One, or all that are stuck; how many.
pub fn revive(
    sql: &mut dyn Sql,
    destination: &str,
    id: Option<&str>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    sql.run(
        "UPDATE onward SET state='QUEUED', attempts=0, why='revived', changed_at=$3
         WHERE destination=$1 AND state='DEAD' AND (CAST($2 AS text) IS NULL OR submission_id=$2)",
        &[destination.into(), id.into(), now.into()],
    )
}

/// One that a person has to look at. Says nothing about the citizen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StuckRow {
    /// The submission.
    pub id: String,
    /// Its form.
    pub form_id: String,
    /// In one word.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

/// How the queue of a server stands. Nothing personal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnwardCounts {
    /// Waiting or on the line.
    pub queued: i64,
    /// Since when the oldest of these waits.
    pub oldest: Option<Timestamp>,
    /// Kept by the server.
    pub received: i64,
    /// Waiting for their form to be taken.
    pub held: i64,
    /// How many need a person.
    pub stuck: i64,
    /// The first fifty of both.
    pub rows: Vec<StuckRow>,
}

/// How the queue of a server stands.
pub fn counts(sql: &mut dyn Sql, destination: &str) -> Result<OnwardCounts, StoreError> {
    let mut counts = OnwardCounts::default();
    let rows = sql.rows(
        "SELECT state, coalesce(why, ''), count(*), min(created_at) FROM onward WHERE destination=$1
         GROUP BY state, coalesce(why, '')",
        &[destination.into()],
    )?;
    for row in rows {
        let state = State::from_word(&row.text(0)?).ok_or(StoreError::Unreadable { what: "state" })?;
        let (why, number) = (row.text(1)?, row.int(2)?);
        match state {
            State::Queued | State::Inflight => {
                counts.queued += number;
                counts.oldest = match (counts.oldest, row.moment(3)) {
                    (Some(known), Some(other)) => Some(known.min(other)),
                    (known, other) => known.or(other),
                };
            }
            State::Received | State::Durable => counts.received += number,
            State::Dead | State::Quarantined if why == FORM_CLOSED => counts.held += number,
            State::Dead | State::Quarantined => counts.stuck += number,
        }
    }
    if counts.held + counts.stuck > 0 {
        let rows = sql.rows(
            "SELECT submission_id, form_id, coalesce(why, ''), changed_at FROM onward
             WHERE destination=$1 AND state='DEAD' ORDER BY server_seq LIMIT 50",
            &[destination.into()],
        )?;
        counts.rows = rows.iter().map(stuck).collect::<Result<_, _>>()?;
    }
    Ok(counts)
}

fn stuck(row: &Row) -> Result<StuckRow, StoreError> {
    Ok(StuckRow {
        id: row.text(0)?,
        form_id: row.text(1)?,
        why: row.text(2)?,
        since: from_micros(row.int(3)?),
    })
}

/// Where one stands, if it was ever put in.
pub fn state(sql: &mut dyn Sql, destination: &str, id: &str) -> Result<Option<State>, StoreError> {
    let row = sql.row(
        "SELECT state FROM onward WHERE destination=$1 AND submission_id=$2",
        &[destination.into(), id.into()],
    )?;
    Ok(row.and_then(|row| State::from_word(&row.maybe_text(0)?)))
}
