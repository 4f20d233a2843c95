//! The audit log of central: what is put on record, its signed checkpoints, and its check.
//!
//! The chain is the office's ([`crate::domain::audit`]); it lies in either store. Checkpoints are signed with the
//! receipt key, kept in the store and in `audit.checkpoints` in the data folder.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{info, warn};

use super::guard::Clerk;
use super::{CENTRAL, CentralApp};
use crate::app::{StartError, Stop};
use crate::config::central::CentralConfig;
use crate::domain::audit::{Checkpoint, Findings, Verifier};
use crate::domain::desk::CentralEvent;
use crate::domain::seal::{SigningKey, VerifyingKey};
use crate::store::municipal::Municipal;
use crate::store::{StoreError, chain};

/// How long the end of the log may be without a signature.
const SIGN_EVERY: Duration = Duration::from_secs(3600);
/// How many entries are read at once for a check.
const PAGE: u32 = 1000;
/// File of the checkpoints in the data folder.
const SIDECAR: &str = "audit.checkpoints";

impl CentralApp {
    /// Puts an act of staff on record.
    pub(super) async fn record(&self, clerk: &Clerk, event: CentralEvent) -> Result<(), StoreError> {
        let (now, name, from) = (self.clock.now(), clerk.name.clone(), clerk.from.clone());
        self.store
            .change(move |sql| chain::append(sql, now, Some(&name), Some(&from), &event))
            .await?;
        Ok(())
    }

    /// Puts on record what the program itself did.
    pub(super) async fn note(&self, event: CentralEvent) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store
            .change(move |sql| chain::append(sql, now, Some(CENTRAL), None, &event))
            .await?;
        Ok(())
    }
}

/// Signs the log at the start, every hour and at the stop.
pub(super) async fn run(central: Arc<CentralApp>, stop: Stop) {
    loop {
        let signed = sign(&central.store, &central.key, &central.config, central.clock.now()).await;
        if let Err(problem) = signed {
            warn!(%problem, "the audit log could not be signed; it is tried again");
        }
        if stop.is_stopped() {
            return;
        }
        tokio::select! {
            () = stop.stopped() => {}
            () = tokio::time::sleep(SIGN_EVERY) => {}
        }
    }
}

async fn sign(
    store: &Municipal,
    key: &SigningKey,
    config: &CentralConfig,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = key.clone();
    let made = store
        .change(move |sql| {
            let (seq, hash) = chain::head(sql)?;
            let checkpoint = Checkpoint::sign(&key, CENTRAL, &chain::name(sql)?, seq, now, hash);
            let last = chain::checkpoints(sql)?.pop();
            let last = last.and_then(|text| Checkpoint::parse(&text).ok());
            // Nothing happened since: one signature is enough.
            if last.is_some_and(|last| last.seq == seq) {
                return Ok(None);
            }
            chain::keep_checkpoint(sql, &checkpoint)?;
            Ok(Some(checkpoint))
        })
        .await?;
    let Some(checkpoint) = made else { return Ok(()) };
    info!(entry = checkpoint.seq, "audit log signed");
    let path = config.data.join(SIDECAR);
    let kept = tokio::task::spawn_blocking(move || keep_beside(&path, &checkpoint.to_string())).await;
    if !matches!(kept, Ok(Ok(()))) {
        warn!("the checkpoint is in the store only");
    }
    Ok(())
}

fn keep_beside(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_data()
}

/// Holds the log against its hashes, its checkpoints and those in `kept`.
///
/// # Errors
/// When the store does not answer.
pub async fn verify(
    store: &Municipal,
    config: &CentralConfig,
    keys: Vec<VerifyingKey>,
    kept: &[String],
) -> Result<Findings, StartError> {
    // Read before the store: what is signed here was committed there before.
    let beside = std::fs::read_to_string(config.data.join(SIDECAR)).unwrap_or_default();
    let (name, inside) = store
        .look(|sql| Ok((chain::name(sql)?, chain::checkpoints(sql)?)))
        .await?;
    let all = inside
        .iter()
        .chain(kept)
        .map(String::as_str)
        .chain(beside.lines().filter(|line| !line.trim().is_empty()));
    let mut verifier = Verifier::new(&name, keys, all);
    let mut after = 0;
    loop {
        let page = store.look(move |sql| chain::entries(sql, after, PAGE)).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for entry in &page {
            verifier.entry(entry);
        }
    }
    Ok(verifier.finish())
}
