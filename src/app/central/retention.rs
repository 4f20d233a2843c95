//! Erases contents whose time is over: once a day, or by `ventanilla central erase`.
//!
//! What stays is an entry of the audit log with id, hash, procedure and moment; the case's row keeps its state.
//! Copies hold the content until they are thinned out. Begin at [`erase_due`].

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{error, info};

use super::{CENTRAL, CentralApp};
use crate::app::Stop;
use crate::config::central::RetentionConfig;
use crate::domain::desk::CentralEvent;
use crate::domain::seal::hex;
use crate::store::both::Sql;
use crate::store::desk::{self, DueRow, Until};
use crate::store::municipal::Municipal;
use crate::store::{StoreError, chain};

/// How often the task looks whether a day has passed; a machine that sleeps at night must not miss it.
const LOOK_EVERY: Duration = Duration::from_secs(3600);
/// How many go in one transaction.
const AT_ONCE: u32 = 100;

/// Erases what is due, once a day, until told to stop.
pub(super) async fn run(central: Arc<CentralApp>, stop: Stop) {
    let Some(rule) = central.config.retention.clone() else {
        return;
    };
    let mut last: Option<Timestamp> = None;
    loop {
        let now = central.clock.now();
        let due = last.is_none_or(|at| now.duration_since(at).abs() >= SignedDuration::from_hours(24));
        if due {
            match erase_due(&central.store, &rule, CENTRAL, now).await {
                Ok(_) => last = Some(now),
                Err(problem) => {
                    error!(%problem, "contents whose time is over could not be erased; it is tried again")
                }
            }
        }
        tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Erases every content whose time is over; how many.
///
/// # Errors
/// When the store does not answer; what was erased before stays erased.
pub async fn erase_due(
    store: &Municipal,
    rule: &RetentionConfig,
    who: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut erased = 0;
    for procedure in store.look(desk::procedures).await? {
        let Some(days) = rule.procedures.get(&procedure).copied().or(rule.days) else {
            continue;
        };
        let until = Until {
            done_before: days_ago(now, days),
            open_before: rule.open_days.map(|days| days_ago(now, days)),
        };
        loop {
            let (procedure, who) = (procedure.clone(), who.to_owned());
            let some = store
                .change(move |sql| {
                    let due = desk::due(sql, &procedure, until, AT_ONCE)?;
                    for row in &due {
                        erase(sql, row, &who, "schedule", now)?;
                    }
                    Ok(due.len())
                })
                .await?;
            if some == 0 {
                break;
            }
            erased += some as u64;
        }
    }
    if erased > 0 {
        store.sweep().await?;
        info!(erased, "contents whose time was over are erased");
    }
    Ok(erased)
}

/// Erases one content because somebody says why; whether it was here.
///
/// # Errors
/// When the store does not answer.
pub async fn erase_one(
    store: &Municipal,
    id: &str,
    who: &str,
    why: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (id, who, why) = (id.to_owned(), who.to_owned(), why.to_owned());
    let done = store
        .change(move |sql| {
            let Some(row) = desk::erasable(sql, &id)? else {
                return Ok(false);
            };
            erase(sql, &row, &who, &why, now)?;
            Ok(true)
        })
        .await?;
    if done {
        store.sweep().await?;
    }
    Ok(done)
}

fn erase(sql: &mut dyn Sql, row: &DueRow, who: &str, why: &str, now: Timestamp) -> Result<(), StoreError> {
    desk::erase(sql, &row.id, now)?;
    let event = CentralEvent::Erased {
        submission: row.id.clone(),
        hash: hex(&row.hash),
        procedure: row.procedure.clone(),
        received_at: row.received_at.as_microsecond(),
        why: why.to_owned(),
    };
    chain::append(sql, now, Some(who), None, &event)?;
    Ok(())
}

fn days_ago(now: Timestamp, days: u32) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(i64::from(days) * 24))
        .unwrap_or(Timestamp::MIN)
}
