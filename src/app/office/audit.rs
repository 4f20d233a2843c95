//! The audit log of a running office: what is put on record, hourly checkpoints, the check.
//!
//! A checkpoint is signed with the office's receipt key, or with `audit.key` in the data folder where there is none.
//! It is kept in the data file and in `audit.checkpoints` beside it; the console shows the newest for whoever keeps
//! one on paper or elsewhere, and `ventanilla audit verify --checkpoint` holds the log against it.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::http::Uri;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use super::auth::{Caller, Peer};
use super::hub::{Ask, OfficeApp, OfficeError, lock};
use crate::app::StartError;
use crate::app::outbox::keyfile;
use crate::config::office::OfficeConfig;
use crate::domain::audit::{AuditEvent, Checkpoint, Done, Entry, Findings, Verifier};
use crate::domain::event::{OfficeEvent, What};
use crate::domain::office::Command;
use crate::domain::office::settings::Difference;
use crate::domain::seal::{SigningKey, VerifyingKey, hex};
use crate::domain::staff::Permission;
use crate::store::StoreError;
use crate::store::office::{self as store, AuditFilter};

/// Who acts when the program itself does.
pub const OFFICE: &str = "office";
/// Who acts when somebody at the machine's own command line does.
pub const TERMINAL: &str = "terminal";

/// How long the end of the log may be without a signature.
const CHECKPOINT_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How many entries may be without one: on a busy day an hour is much to cut off unseen.
const CHECKPOINT_ENTRIES: u64 = 100;
/// The same reading again within this time is not a new entry, so that a program that polls does not fill the log.
const SAME_READING: SignedDuration = SignedDuration::from_mins(5);
/// File of the checkpoints, beside the data file.
const SIDECAR: &str = "audit.checkpoints";

/// What signs the log, and where its checkpoints go.
pub(super) struct Journal {
    key: SigningKey,
    sidecar: PathBuf,
    /// Last entry that is signed, and when it was.
    signed: Mutex<Option<(u64, Timestamp)>>,
    readings: Mutex<HashMap<(String, String), Timestamp>>,
}

impl Journal {
    pub(super) fn open(config: &OfficeConfig) -> Result<Self, StartError> {
        Ok(Self {
            key: keyfile::signing(&key_path(config))?,
            sidecar: config.data.join(SIDECAR),
            signed: Mutex::new(None),
            readings: Mutex::new(HashMap::new()),
        })
    }
}

fn key_path(config: &OfficeConfig) -> PathBuf {
    config
        .receipt_key
        .clone()
        .unwrap_or_else(|| config.data.join("audit.key"))
}

impl OfficeApp {
    /// Puts the start on record, and what is different since the last one.
    pub(super) async fn record_start(&self) -> Result<(), StoreError> {
        let now = self.now();
        let after_damage = self.quarantined().is_some();
        let settings = serde_json::to_vec(self.config()).unwrap_or_default();
        let settings = hex(&Sha256::digest(&settings));
        self.db
            .write(move |c| {
                begin_log(c, now, after_damage)?;
                let add = |event: &AuditEvent| store::append_audit(c, now, Some(OFFICE), None, event);
                add(&AuditEvent::OfficeStarted {
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                })?;
                if store::recorded_settings(c)?.as_ref() != Some(&settings) {
                    add(&AuditEvent::SettingsChanged { settings })?;
                }
                Ok(())
            })
            .await?;
        self.checkpoint().await
    }

    /// Puts the stop on record and signs the log as it is then.
    pub(super) async fn record_stop(&self) {
        let now = self.now();
        let stopped = self
            .db
            .write(move |c| store::append_audit(c, now, Some(OFFICE), None, &AuditEvent::OfficeStopped))
            .await;
        let signed = match stopped {
            Ok(_) => self.checkpoint().await,
            Err(error) => Err(error),
        };
        if let Err(error) = signed {
            warn!(error = %error, "the stop could not be put on record");
        }
    }

    /// Signs the log where an hour has passed, or much has happened.
    pub(super) async fn checkpoint_if_due(&self) {
        let now = self.now();
        let signed = *lock(&self.journal.signed);
        let newest = self.db.read(store::audit_head).map_or(u64::MAX, |(seq, _)| seq);
        let due = signed.is_none_or(|(seq, at)| {
            now.duration_since(at).abs() >= CHECKPOINT_EVERY
                || newest.saturating_sub(seq) >= CHECKPOINT_ENTRIES
        });
        if due && let Err(error) = self.checkpoint().await {
            warn!(error = %error, "the audit log could not be signed; it is tried again");
        }
    }

    /// Signs the newest entry, in the data file and beside it.
    async fn checkpoint(&self) -> Result<(), StoreError> {
        let (key, now) = (self.journal.key.clone(), self.now());
        let office = self.config.office.id.clone();
        let (seq, made) = self
            .db
            .write(move |c| {
                let (seq, hash) = store::audit_head(c)?;
                let checkpoint = Checkpoint::sign(&key, &office, &store::epoch(c)?, seq, now, hash);
                let newest = store::newest_checkpoint(c)?.and_then(|text| Checkpoint::parse(&text).ok());
                // Nothing happened since: one signature is enough.
                if newest.is_some_and(|one| (one.seq, &one.epoch) == (seq, &checkpoint.epoch)) {
                    return Ok((seq, None));
                }
                store::keep_checkpoint(c, &checkpoint)?;
                Ok((seq, Some(checkpoint)))
            })
            .await?;
        *lock(&self.journal.signed) = Some((seq, now));
        let Some(checkpoint) = made else { return Ok(()) };
        info!(entry = checkpoint.seq, "audit log signed");
        let sidecar = self.journal.sidecar.clone();
        let kept = tokio::task::spawn_blocking(move || keep_beside(&sidecar, &checkpoint.to_string())).await;
        match kept {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(error = %error, "the checkpoint is in the data file only"),
            Err(_) => warn!("the checkpoint is in the data file only"),
        }
        Ok(())
    }

    /// Puts something on record that changes nothing else.
    pub async fn record(&self, caller: &Caller, peer: &Peer, event: AuditEvent) -> Result<(), StoreError> {
        let (who, peer, now) = (caller.name(), peer.0.clone(), self.now());
        self.db
            .write(move |c| store::append_audit(c, now, who.as_deref(), Some(&peer), &event))
            .await?;
        Ok(())
    }

    /// Puts a reading on record, unless the same was a moment ago.
    pub(super) async fn record_reading(
        &self,
        caller: &Caller,
        peer: &Peer,
        permission: Permission,
        uri: &Uri,
    ) -> Result<(), StoreError> {
        let target: String = match (uri.path(), uri.query()) {
            // A program that follows the events asks for another number each time.
            (path, Some(query)) if !query.contains("after=") => format!("{path}?{query}"),
            (path, _) => path.to_owned(),
        };
        let target: String = target.chars().take(200).collect();
        let now = self.now();
        let reading = (caller.name().unwrap_or_default(), target.clone());
        {
            let mut readings = lock(&self.journal.readings);
            let known = readings.get(&reading);
            if known.is_some_and(|at| now.duration_since(*at).abs() < SAME_READING) {
                return Ok(());
            }
            readings.retain(|_, at| now.duration_since(*at).abs() < SAME_READING);
        }
        let event = AuditEvent::Read {
            what: permission.code().to_owned(),
            target,
        };
        self.record(caller, peer, event).await?;
        lock(&self.journal.readings).insert(reading, now);
        Ok(())
    }

    /// Whether a command is given by staff; kiosks and the office itself are none.
    pub(super) fn is_by_staff(&self, ask: &Ask) -> bool {
        ask.who
            .as_ref()
            .is_some_and(|who| !self.kiosk_ids().contains(who))
    }

    /// Entries of the log, newest first.
    pub fn audit_page(&self, filter: AuditFilter, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.db.read(move |c| store::audit_page(c, &filter, limit))
    }

    /// Everybody who stands in the log.
    pub fn audit_people(&self) -> Result<Vec<String>, StoreError> {
        self.db.read(store::audit_people)
    }

    /// The newest checkpoint, for whoever keeps it elsewhere.
    pub fn newest_checkpoint(&self) -> Result<Option<String>, StoreError> {
        self.db.read(store::newest_checkpoint)
    }

    /// Checks the whole log off the async threads, and puts that on record.
    pub async fn verify_audit(
        self: &Arc<Self>,
        caller: &Caller,
        peer: &Peer,
    ) -> Result<Findings, StoreError> {
        let (data, keys) = (self.config.data.clone(), vec![self.journal.key.verifying()]);
        let found = tokio::task::spawn_blocking(move || check(&data, keys, &[]))
            .await
            .map_err(|_| StoreError::Closed)??;
        let event = AuditEvent::Verified {
            entries: found.entries,
            faults: u64::try_from(found.faults.len()).unwrap_or(u64::MAX),
        };
        self.record(caller, peer, event).await?;
        Ok(found)
    }
}

/// Writes the first entry of a new data file; an old one is left alone.
pub fn begin_log(c: &Connection, now: Timestamp, after_damage: bool) -> Result<(), StoreError> {
    if store::audit_head(c)?.0 == 0 {
        store::append_audit(c, now, Some(OFFICE), None, &AuditEvent::LogBegan { after_damage })?;
    }
    Ok(())
}

/// What stands in the log about a command: its word and its counter, never a lane or a reason.
pub(super) fn commanded(
    command: &Command,
    request: &str,
    events: &[OfficeEvent],
    changes: Vec<Difference>,
    refused: Option<&OfficeError>,
) -> AuditEvent {
    if let (
        Command::Unmask {
            counter,
            submission,
            label,
        },
        None,
    ) = (command, refused)
    {
        return AuditEvent::Unmasked {
            counter: counter.0,
            submission: submission.clone(),
            label: label.clone(),
        };
    }
    let changed = events.iter().find_map(|event| match event.what {
        What::SettingsChanged { version, .. } => Some(version),
        _ => None,
    });
    if let Some(version) = changed {
        return AuditEvent::SettingsEdited { version, changes };
    }
    let mut words = request.split(' ');
    AuditEvent::Commanded {
        command: words.next().unwrap_or_default().to_owned(),
        counter: words.next().and_then(|word| word.parse().ok()),
        ticket: events
            .iter()
            .find_map(|event| event.ticket)
            .map(|id| id.to_string()),
        done: match (refused, events) {
            (Some(OfficeError::Refused(refusal)), _) => Done::Refused(refusal.code().to_owned()),
            (Some(OfficeError::KeyReused), _) => Done::Refused("idempotency_key_reused".to_owned()),
            (Some(OfficeError::Store(_)), _) => Done::Refused("store".to_owned()),
            (None, [first, .., last]) => Done::Events {
                from: first.seq,
                to: last.seq,
            },
            (None, [only]) => Done::Events {
                from: only.seq,
                to: only.seq,
            },
            (None, []) => Done::Nothing,
        },
    }
}

fn keep_beside(sidecar: &Path, line: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(sidecar)?;
    writeln!(file, "{line}")?;
    file.sync_all()
}

/// Checks the log of an office, running or not, without changing anything.
///
/// `keys` are public keys that sign for it, the office's own where none is given; `kept` are checkpoints that were
/// kept elsewhere.
///
/// # Errors
/// When the file or the key cannot be read; what is wrong with the log itself is in the findings.
pub fn verify(
    config: &OfficeConfig,
    keys: Vec<VerifyingKey>,
    kept: &[String],
) -> Result<Findings, StartError> {
    let file = config.data.join(super::FILE);
    if !file.exists() {
        return Err(StartError::Setup {
            what: format!("Data file {}", file.display()),
            problem: "it is not there; the office writes it at its first start".to_owned(),
        });
    }
    let keys = if keys.is_empty() {
        let path = key_path(config);
        if !path.exists() {
            return Err(StartError::Setup {
                what: format!("Key file {}", path.display()),
                problem: "it is not there; name the public key with --key".to_owned(),
            });
        }
        vec![keyfile::signing(&path)?.verifying()]
    } else {
        keys
    };
    Ok(check(&config.data, keys, kept)?)
}

fn check(data: &Path, keys: Vec<VerifyingKey>, kept: &[String]) -> Result<Findings, StoreError> {
    // Read before the data file: what is signed here was committed there before.
    let beside = std::fs::read_to_string(data.join(SIDECAR)).unwrap_or_default();
    let verifier = std::cell::RefCell::new(None);
    store::read_audit(
        &data.join(super::FILE),
        |epoch, checkpoints| {
            let all = checkpoints
                .iter()
                .chain(kept)
                .map(String::as_str)
                .chain(beside.lines().filter(|line| !line.trim().is_empty()));
            *verifier.borrow_mut() = Some(Verifier::new(epoch, keys, all));
        },
        |entry| {
            if let Some(verifier) = verifier.borrow_mut().as_mut() {
                verifier.entry(entry);
            }
        },
    )?;
    Ok(verifier.into_inner().map(Verifier::finish).unwrap_or_default())
}
