//! `ventanilla office settings`: what administrators set, as a file and back.
//!
//! Beside a running office nothing is written behind its back: an import is a wish, which the office takes under the
//! same rules as a change in the console.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Subcommand;

use super::print;
use crate::app::office::FILE;
use crate::clock::Clock;
use crate::config::office::OfficeConfig;
use crate::domain::office::settings::Settings;
use crate::store::{self, Db};

/// How long an import waits for the office: it looks every twenty seconds.
const PATIENCE: Duration = Duration::from_secs(25);
/// How often it looks whether the office has answered.
const LOOK_EVERY: Duration = Duration::from_millis(500);

#[derive(Subcommand)]
pub(super) enum SettingsAction {
    /// Writes the settings in force as TOML, to a file or to standard output.
    Export {
        /// The file; it is written anew.
        file: Option<PathBuf>,
    },
    /// Asks the office to take the settings of a file: one of `export`, or an `office.toml`.
    Import {
        /// The file.
        file: PathBuf,
        /// Do not wait for the office's answer.
        #[arg(long)]
        no_wait: bool,
    },
}

pub(super) fn run(config: &OfficeConfig, action: SettingsAction) -> anyhow::Result<()> {
    match action {
        SettingsAction::Export { file } => export(config, file.as_deref()),
        SettingsAction::Import { file, no_wait } => import(config, &file, no_wait),
    }
}

fn open(config: &OfficeConfig) -> anyhow::Result<Db> {
    Ok(Db::open(&config.data.join(FILE), store::office::SCHEMA)?.db)
}

fn export(config: &OfficeConfig, file: Option<&Path>) -> anyhow::Result<()> {
    let settings = match open(config)?.read(store::office::newest_settings)? {
        Some(row) => row.settings,
        // No office has opened this file yet; this is what it will begin with.
        None => config.settings().map_err(anyhow::Error::msg)?,
    };
    let text = toml::to_string(&settings).context("The settings cannot be written as TOML")?;
    match file {
        None => print(text.trim_end()),
        Some(file) => {
            std::fs::write(file, &text).with_context(|| format!("{} cannot be written", file.display()))?;
            print(&format!("settings {}", file.display()));
        }
    }
    Ok(())
}

fn import(config: &OfficeConfig, file: &Path, no_wait: bool) -> anyhow::Result<()> {
    let settings = load(file)?;
    let db = open(config)?;
    let present = db.read(store::office::newest_settings)?.map(|row| row.settings);
    let faults = settings.new_faults(&present.unwrap_or_default());
    if !faults.is_empty() {
        let told: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
        bail!(
            "{} has faults, nothing was changed:\n{}",
            file.display(),
            told.join("\n")
        );
    }
    let now = Clock::System.now();
    let wish = db.write_blocking(move |c| {
        // An office that never ran begins with its file's; the wish comes on top.
        store::office::wish_settings(c, &settings, now)
    })?;
    let begin = Instant::now();
    while !no_wait && begin.elapsed() < PATIENCE {
        match db.read(move |c| store::office::wish_outcome(c, wish))? {
            Some(outcome) => match outcome.strip_prefix("refused ") {
                Some(why) => bail!("{why}"),
                None => {
                    print(&format!("settings {outcome}"));
                    return Ok(());
                }
            },
            None => std::thread::sleep(LOOK_EVERY),
        }
    }
    print("settings waiting: the office takes them at its next start");
    Ok(())
}

/// Settings of their own, or the part of an `office.toml`.
fn load(file: &Path) -> anyhow::Result<Settings> {
    match crate::config::load::<Settings>(file) {
        Ok(settings) => Ok(settings),
        Err(own) => match crate::config::load::<OfficeConfig>(file) {
            Ok(office) => office.settings().map_err(anyhow::Error::msg),
            Err(_) => Err(own.into()),
        },
    }
}
