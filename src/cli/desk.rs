//! The back office of central from the command line: tokens, the key, taking out and erasing.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use zeroize::Zeroizing;

use super::municipal::Desk;
use super::print;
use crate::app::catalogue::Shelf;
use crate::app::central::export::{self, Asked};
use crate::app::central::{FormBook, retention};
use crate::app::office::audit::TERMINAL;
use crate::app::outbox::keyfile;
use crate::clock::{Clock, random};
use crate::config::central::CentralConfig;
use crate::domain::desk::{CentralEvent, DeskRole};
use crate::domain::seal::{OpeningKey, hex, locked};
use crate::domain::submission::peers::TokenHash;
use crate::store::{chain, desk as rows};

/// Longest name of a token.
const NAME_MAX: usize = 60;

/// `ventanilla central token …`
#[derive(Subcommand)]
pub(super) enum TokenAction {
    /// Makes a token and prints it once.
    Add {
        /// What it is for; another one of this name stops working.
        #[arg(long)]
        name: String,
        /// reader opens single cases, exporter takes procedures out, registrar says how far a case is, admin lets
        /// devices in and reads the log, collector hands forms in from ODK Collect.
        #[arg(long, value_parser = role)]
        role: DeskRole,
    },
    /// Lists the tokens, without their secrets.
    List,
    /// Takes a token back.
    Revoke {
        /// Which.
        #[arg(long)]
        name: String,
    },
}

fn role(text: &str) -> Result<DeskRole, String> {
    DeskRole::of(text).ok_or_else(|| "Write reader, exporter, registrar, admin or collector".to_owned())
}

pub(super) fn token(desk: &Desk, action: TokenAction) -> anyhow::Result<()> {
    let now = Clock::System.now();
    match action {
        TokenAction::Add { name, role } => {
            let name = name.trim().to_owned();
            if name.is_empty() || name.chars().count() > NAME_MAX {
                bail!("The name of a token has 1 to {NAME_MAX} characters");
            }
            let token = Zeroizing::new(format!("vd_{}", hex(&random::<32>())));
            let hash = TokenHash::of(&token);
            desk.runtime.block_on(desk.store.change(move |sql| {
                rows::put_token(sql, &name, hash, role, now)?;
                let event = CentralEvent::DeskTokenMade { name, role };
                chain::append(sql, now, Some(TERMINAL), None, &event)
            }))?;
            print(&token);
        }
        TokenAction::List => {
            for token in desk.runtime.block_on(desk.store.look(rows::tokens))? {
                print(&format!(
                    "{}\t{}\t{}",
                    token.name,
                    token.role.code(),
                    token.made_at.strftime("%Y-%m-%d")
                ));
            }
        }
        TokenAction::Revoke { name } => {
            let which = name.clone();
            let done = desk.runtime.block_on(desk.store.change(move |sql| {
                let done = rows::revoke_token(sql, &which)?;
                if done {
                    let event = CentralEvent::DeskTokenRevoked { name: which };
                    chain::append(sql, now, Some(TERMINAL), None, &event)?;
                }
                Ok(done)
            }))?;
            if !done {
                bail!("There is no token {name}; `list` names them");
            }
            print(&format!("revoked {name}"));
        }
    }
    Ok(())
}

/// Reads the municipality's key of the settings and asks for its passphrase where it is locked.
pub(super) fn unlocked(config: &CentralConfig) -> anyhow::Result<OpeningKey> {
    let path = config
        .municipality_key
        .as_deref()
        .context("Central has no municipality_key to unlock; name its file in the settings")?;
    open_key(path)
}

/// Reads a key that opens submissions, bare or locked.
pub(super) fn open_key(path: &Path) -> anyhow::Result<OpeningKey> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    if !locked::is_locked(&text) {
        return Ok(keyfile::opening(path)?);
    }
    let passphrase = passphrase("Passphrase: ")?;
    locked::unlock(&text, &passphrase).with_context(|| format!("{} stays locked", path.display()))
}

/// Asks for a new passphrase, twice on a terminal.
pub(super) fn new_passphrase() -> anyhow::Result<Zeroizing<String>> {
    let first = passphrase("New passphrase: ")?;
    if std::io::stdin().is_terminal() && passphrase("The same again: ")? != first {
        bail!("The two passphrases are not the same; nothing was written");
    }
    Ok(first)
}

fn passphrase(question: &str) -> anyhow::Result<Zeroizing<String>> {
    if std::io::stdin().is_terminal() {
        let typed = rpassword::prompt_password(question);
        return typed
            .map(Zeroizing::new)
            .context("The passphrase cannot be read from the terminal");
    }
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .read_to_string(&mut text)
        .context("The passphrase cannot be read from standard input")?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// `ventanilla central export …`
#[derive(Args)]
pub(super) struct ExportArguments {
    /// The municipality's private key, bare or locked.
    #[arg(long)]
    key: PathBuf,
    /// Id of the procedure.
    #[arg(long)]
    procedure: String,
    /// As a table, or with everything.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Only what came after this place.
    #[arg(long, default_value_t = 0)]
    after: i64,
    /// Why; is put on record.
    #[arg(long)]
    reason: String,
    /// Where it goes, outside the folders of central; only its owner reads it. Without it, standard output.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Json,
}

pub(super) fn export(desk: &Desk, config: &CentralConfig, arguments: &ExportArguments) -> anyhow::Result<()> {
    if let Some(output) = &arguments.output {
        stays_away(config, output)?;
    }
    let key = open_key(&arguments.key)?;
    let shelf = config
        .published
        .as_ref()
        .map(|published| Shelf::new(&config.data, published))
        .transpose()?;
    let forms = FormBook::load(shelf.as_ref());
    let mut asked = Asked {
        procedure: arguments.procedure.clone(),
        after: arguments.after,
        limit: export::LIMIT_MAX,
        format: match arguments.format {
            Format::Csv => "csv",
            Format::Json => "json",
        },
        reason: arguments.reason.clone(),
        who: TERMINAL.to_owned(),
        from: None,
    };
    let mut whole = export::Export::default();
    loop {
        let now = Clock::System.now();
        let page = desk
            .runtime
            .block_on(export::gather(&desk.store, &key, &asked, now))?;
        let next = page.next;
        whole.extend(page);
        match next {
            Some(next) => asked.after = next,
            None => break,
        }
    }
    let text = match arguments.format {
        Format::Csv => export::csv(&whole, &forms),
        Format::Json => export::json(&whole),
    };
    match &arguments.output {
        Some(output) => {
            keyfile::write_private(output, &text)?;
            print(&format!(
                "export {}\nsubmissions {}",
                output.display(),
                whole.len()
            ));
        }
        None => print(text.trim_end()),
    }
    Ok(())
}

/// What citizens said never lies in the clear where central's data and copies are.
fn stays_away(config: &CentralConfig, output: &Path) -> anyhow::Result<()> {
    let parent = std::path::absolute(output)?;
    let parent = parent.parent().unwrap_or(Path::new("/"));
    let parent =
        std::fs::canonicalize(parent).with_context(|| format!("{} is no folder", parent.display()))?;
    let copies = config.backup.as_ref().map(|backup| backup.folder.clone());
    for own in [Some(config.data.clone()), copies].into_iter().flatten() {
        if std::fs::canonicalize(&own).is_ok_and(|own| parent.starts_with(own)) {
            bail!(
                "What citizens said never goes into {}; choose another folder",
                own.display()
            );
        }
    }
    Ok(())
}

/// `ventanilla central erase …`
#[derive(Args)]
pub(super) struct EraseArguments {
    /// One submission; without it, all whose time is over.
    #[arg(long, requires = "reason")]
    id: Option<String>,
    /// Why; is put on record.
    #[arg(long)]
    reason: Option<String>,
}

pub(super) fn erase(desk: &Desk, config: &CentralConfig, arguments: &EraseArguments) -> anyhow::Result<()> {
    let now = Clock::System.now();
    if let (Some(id), Some(reason)) = (&arguments.id, &arguments.reason) {
        let id = id
            .parse::<crate::domain::id::SubmissionId>()
            .context("The id of a submission is a UUID")?
            .to_string();
        let done = desk
            .runtime
            .block_on(retention::erase_one(&desk.store, &id, TERMINAL, reason, now))?;
        if !done {
            bail!("Submission {id} is not here, or was erased before");
        }
        print(&format!("erased {id}"));
        return Ok(());
    }
    let rule = config
        .retention
        .as_ref()
        .context("The settings have no [retention], so no content's time is ever over")?;
    let erased = desk
        .runtime
        .block_on(retention::erase_due(&desk.store, rule, TERMINAL, now))?;
    print(&format!("erased {erased}"));
    Ok(())
}
