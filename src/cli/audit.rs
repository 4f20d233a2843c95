//! `ventanilla audit`: holds the log of an office or of central against its hashes and signatures.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;

use super::print;
use crate::app::central::journal;
use crate::app::office::audit::verify;
use crate::app::outbox::keyfile;
use crate::config::central::CentralConfig;
use crate::config::{self, office::OfficeConfig};
use crate::domain::audit::Findings;
use crate::domain::seal::VerifyingKey;

/// `ventanilla audit …`
#[derive(Subcommand)]
pub(super) enum AuditAction {
    /// Says whether the log is whole, and if not which entry is wrong. The office may be running.
    Verify {
        /// Settings of the office.
        #[arg(long, required_unless_present = "central", conflicts_with = "central")]
        config: Option<PathBuf>,
        /// Settings of central, for its log.
        #[arg(long)]
        central: Option<PathBuf>,
        /// A public key that signs for the log; the office's own without it.
        #[arg(long)]
        key: Vec<PathBuf>,
        /// A checkpoint that was kept elsewhere, beginning with VA1.
        #[arg(long)]
        checkpoint: Vec<String>,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(action: AuditAction) -> anyhow::Result<()> {
    let AuditAction::Verify {
        config: office,
        central,
        key,
        checkpoint,
        json,
    } = action;
    let keys = key
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            VerifyingKey::parse(&text).with_context(|| format!("{} is no public key", path.display()))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let found = match (office, central) {
        (_, Some(path)) => of_central(&path, keys, &checkpoint)?,
        (Some(path), None) => {
            let config: OfficeConfig = config::load(&path)?;
            verify(&config.resolved(&path), keys, &checkpoint)?
        }
        (None, None) => bail!("Whose log is meant? Add --config office.toml or --central central.toml"),
    };
    print(&if json { as_json(&found) } else { as_text(&found) });
    if !found.is_sound() {
        bail!(
            "The audit log is not as it was written: {} faults",
            found.faults.len()
        );
    }
    Ok(())
}

fn of_central(path: &Path, keys: Vec<VerifyingKey>, kept: &[String]) -> anyhow::Result<Findings> {
    let config: CentralConfig = config::load(path)?;
    let config = config.resolved(path);
    let keys = if keys.is_empty() {
        vec![keyfile::signing(&config.receipt_key)?.verifying()]
    } else {
        keys
    };
    let desk = super::municipal::open(&config)?;
    Ok(desk
        .runtime
        .block_on(journal::verify(&desk.store, &config, keys, kept))?)
}

fn as_text(found: &Findings) -> String {
    let mut lines = vec![
        format!("entries {}", found.entries),
        format!("last {}", found.last),
        format!("signatures {}", found.checkpoints),
    ];
    lines.extend(found.faults.iter().map(|fault| format!("fault {fault}")));
    lines.extend(found.notes.iter().map(|note| format!("note {note}")));
    lines.push(if found.is_sound() { "sound" } else { "broken" }.to_owned());
    lines.join("\n")
}

fn as_json(found: &Findings) -> String {
    let faults: Vec<_> = found
        .faults
        .iter()
        .map(|fault| json!({"fault": fault.code(), "entry": fault.entry(), "text": fault.to_string()}))
        .collect();
    let notes: Vec<_> = found.notes.iter().map(ToString::to_string).collect();
    let report = json!({
        "sound": found.is_sound(),
        "entries": found.entries,
        "last": found.last,
        "signatures": found.checkpoints,
        "faults": faults,
        "notes": notes,
    });
    format!("{report:#}")
}
