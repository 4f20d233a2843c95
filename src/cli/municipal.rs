//! Central from the command line: it serves, and its file is copied and restored.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::{compose, desk, openrosa, print, roles};
use crate::app::backup::{self, Source};
use crate::app::outbox::keyfile;
use crate::app::service::{Service, keep_alive};
use crate::app::{central as app, office};
use crate::clock::Clock;
use crate::config;
use crate::config::backup::BackupConfig;
use crate::config::central::CentralConfig;
use crate::config::office::OfficeConfig;
use crate::domain::seal::{SigningKey, VerifyingKey};
use crate::store::devices::Place;
use crate::store::municipal::Municipal;
use crate::store::{self, Db};

/// `ventanilla central …`
#[derive(Subcommand)]
pub(super) enum CentralAction {
    /// Puts a copy in the place of central's file; the file that is there is moved aside, never deleted.
    Restore {
        /// The manifest of the copy, `central-….manifest.json`.
        #[arg(long)]
        from: PathBuf,
    },
    /// After a restore: says which submissions central once signed for and lacks for good, by their receipts' codes.
    Lost {
        /// A copy of the data file of a hub (`office.db`) or of a kiosk (`kiosk.db`).
        #[arg(long)]
        sender: PathBuf,
    },
    /// Tokens of the back office.
    Token {
        #[command(subcommand)]
        action: desk::TokenAction,
    },
    /// Takes the contents of a procedure out, where the key is; central need not run.
    Export(desk::ExportArguments),
    /// Erases contents: one with --id and --reason, or all whose time is over by [retention].
    Erase(desk::EraseArguments),
    /// Servers that submissions are handed on to: ODK Central, Kobo, Ona or another central.
    Onward {
        #[command(subcommand)]
        action: openrosa::OnwardAction,
    },
    /// Makes a one-time code that lets an office's hub or a kiosk in; it lasts 15 minutes.
    EnrolCode {
        /// Its name: for a hub the id of the office, which its settings carry too.
        #[arg(long)]
        device: String,
        /// Id of its office.
        #[arg(long)]
        office: String,
    },
    /// Takes a device out of service; what it holds stays on it.
    RevokeDevice {
        /// Which.
        device: String,
    },
    /// Publishes a version of the appliance's system: machines fetch it within the hour and install it at night.
    PublishSystem {
        /// The update that `ventanilla update sign` made.
        update: PathBuf,
        /// Public key of who may publish versions; may be given several times.
        #[arg(long, required = true)]
        key: Vec<PathBuf>,
    },
    /// Publishes a signed catalogue: offices and kiosks fetch it within minutes.
    Publish {
        /// The bundle that `ventanilla catalogue sign` made.
        bundle: PathBuf,
    },
}

/// `ventanilla backup …`
#[derive(Args)]
pub(super) struct BackupArguments {
    /// Settings of central.
    #[arg(long, required_unless_present = "office", conflicts_with = "office")]
    central: Option<PathBuf>,
    /// Settings of an office.
    #[arg(long)]
    office: Option<PathBuf>,
    /// Folder of the copy, on another disk; without it, the one of the settings.
    #[arg(long)]
    to: Option<PathBuf>,
    /// How many copies stay.
    #[arg(long)]
    keep: Option<usize>,
    /// Let a copy on the disk of the data count: senders then forget what it holds.
    #[arg(long)]
    same_disk: bool,
}

pub(super) fn central(
    path: &Path,
    store: Option<String>,
    unlock: bool,
    action: Option<CentralAction>,
) -> anyhow::Result<()> {
    let config: CentralConfig = config::load(path)?;
    let mut config = config.resolved(path);
    config.store = store.or(config.store);
    match action {
        None => {
            let key = unlock.then(|| desk::unlocked(&config)).transpose()?;
            let (runtime, stop) = roles::begin()?;
            runtime.block_on(async {
                let central = compose::central(config, Clock::System, stop.clone()).await?;
                if let Some(key) = key {
                    central.central.unlock(key).await?;
                }
                print(&format!("central http://{}", central.address));
                if let Some(address) = central.tls_address {
                    print(&format!("devices https://{address}"));
                }
                print("ready");
                let service = Service::from_environment();
                service.ready();
                tokio::spawn(keep_alive(service, stop, async || ()));
                central.finished().await;
                Ok(())
            })
        }
        Some(CentralAction::Lost { sender }) => lost(&open(&config)?, &sender),
        Some(CentralAction::Token { action }) => desk::token(&open(&config)?, action),
        Some(CentralAction::Export(arguments)) => desk::export(&open(&config)?, &config, &arguments),
        Some(CentralAction::Erase(arguments)) => desk::erase(&open(&config)?, &config, &arguments),
        Some(CentralAction::Onward { action }) => openrosa::onward(&open(&config)?, &config, action),
        Some(CentralAction::EnrolCode { device, office }) => {
            let secret = config.tls.as_ref().map(|_| config.data.as_path());
            super::devices::invite(&open(&config)?, Place { device, office }, secret)
        }
        Some(CentralAction::RevokeDevice { device }) => super::devices::revoke(&open(&config)?, device),
        Some(CentralAction::Publish { bundle }) => super::publish::publish(&config, &bundle),
        Some(CentralAction::PublishSystem { update, key }) => publish_system(&config, &update, &key),
        Some(CentralAction::Restore { from }) => {
            let key = keyfile::signing(&config.receipt_key)?;
            restore(&app::source(&config), &from, &[key.verifying()])
        }
    }
}

fn publish_system(config: &CentralConfig, update: &Path, keys: &[PathBuf]) -> anyhow::Result<()> {
    let keys = keys
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            VerifyingKey::parse(text.trim()).with_context(|| format!("{} is no public key", path.display()))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let release = crate::app::depot::Depot::new(&config.data).publish(update, &keys)?;
    print(&format!(
        "published {} {}\nversion {}",
        release.profile, release.arch, release.version
    ));
    Ok(())
}

fn lost(desk: &Desk, sender: &Path) -> anyhow::Result<()> {
    let file = Db::open_existing(sender, store::office::SCHEMA)
        .or_else(|_| Db::open_existing(sender, store::kiosk::SCHEMA))
        .with_context(|| format!("{} is no data file of a hub or a kiosk", sender.display()))?;
    let lost = desk.runtime.block_on(app::lost::lost(&desk.store, &file))?;
    for one in &lost.gone {
        print(&format!(
            "gone\t{}\t{}\t{}\t{}",
            one.code,
            one.procedure,
            one.at.strftime("%Y-%m-%d %H:%M"),
            one.id
        ));
    }
    print(&format!(
        "signed for {}\ncome again by themselves {}\ngone {}",
        lost.signed_for,
        lost.coming,
        lost.gone.len()
    ));
    Ok(())
}

/// Central's store, beside a running central or without one.
pub(super) struct Desk {
    pub runtime: tokio::runtime::Runtime,
    pub store: Municipal,
}

pub(super) fn open(config: &CentralConfig) -> anyhow::Result<Desk> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("The program cannot start its threads")?;
    let store = runtime.block_on(app::open_store(config, Clock::System.now()))?;
    Ok(Desk { runtime, store })
}

pub(super) fn restore_office(config: &OfficeConfig, from: &Path) -> anyhow::Result<()> {
    let key = office_key(config)?;
    restore(&office::line::source(config), from, &[key.verifying()])
}

fn restore(source: &Source, from: &Path, keys: &[VerifyingKey]) -> anyhow::Result<()> {
    let restored = backup::restore(source, from, keys, Clock::System.now())?;
    print(&format!(
        "restored {}\nsubmissions {}\nlast {}\nepoch {}",
        restored.manifest.file, restored.manifest.submissions, restored.manifest.server_seq, restored.epoch
    ));
    if let Some(aside) = restored.replaced {
        print(&format!("replaced {}", aside.display()));
    }
    Ok(())
}

pub(super) fn backup(arguments: &BackupArguments) -> anyhow::Result<()> {
    let (source, settings, key) = if let Some(path) = &arguments.central {
        let config: CentralConfig = config::load(path)?;
        let config = config.resolved(path);
        (
            app::source(&config),
            config.backup.clone(),
            keyfile::signing(&config.receipt_key)?,
        )
    } else if let Some(path) = &arguments.office {
        let config: OfficeConfig = config::load(path)?;
        let config = config.resolved(path);
        (
            office::line::source(&config),
            config.backup.clone(),
            office_key(&config)?,
        )
    } else {
        bail!("Whose file is meant? Add --central central.toml or --office office.toml")
    };
    let folder = arguments
        .to
        .clone()
        .or_else(|| settings.as_ref().map(|settings| settings.folder.clone()))
        .context("There is no folder for the copy; add --to, or [backup] to the settings")?;
    let same_disk = arguments.same_disk || settings.as_ref().is_some_and(|settings| settings.same_disk);
    let keep = arguments
        .keep
        .or_else(|| settings.as_ref().map(|BackupConfig { keep, .. }| *keep));
    let db = Db::open_existing(&source.path, source.schema)?;
    let made = backup::make(&source, &db, &folder, &key, Clock::System.now(), same_disk)?;
    if let Some(keep) = keep {
        backup::thin_out(source.role, &folder, keep, &made.manifest)?;
    }
    print(&format!(
        "backup {}\nsubmissions {}\nlast {}\ncounts {}",
        made.manifest.display(),
        made.copied.submissions,
        made.copied.server_seq,
        if made.counts { "yes" } else { "no" }
    ));
    if !made.counts {
        bail!(
            "The copy in {} is good but does not count: it is on the disk of the data; choose a folder on another disk",
            folder.display()
        );
    }
    Ok(())
}

fn office_key(config: &OfficeConfig) -> anyhow::Result<SigningKey> {
    let path = config
        .receipt_key
        .as_deref()
        .context("The office has no receipt_key, so it takes no submissions and signs no copies")?;
    Ok(keyfile::signing(path)?)
}
