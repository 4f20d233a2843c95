//! The OpenRosa servers of central from the command line: what they take, what waits for them, and trying again.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;

use super::municipal::Desk;
use super::{desk, print};
use crate::app::catalogue::Shelf;
use crate::app::central::FormBook;
use crate::app::central::onward::{self, Pass};
use crate::clock::Clock;
use crate::config::central::CentralConfig;
use crate::config::openrosa::OnwardConfig;
use crate::domain::openrosa::form_key;
use crate::domain::openrosa::sealed::FormKey;
use crate::store::onward as rows;
use crate::sync::openrosa::plan::Trouble;
use crate::sync::plan::LineState;

/// Longest name of a file of a form.
const NAME_MAX: usize = 120;

/// `ventanilla central … onward …`
#[derive(Subcommand)]
pub(super) enum OnwardAction {
    /// Says what waits for each server, and what a person has to look at.
    List,
    /// Asks a server whether it takes submissions, and compares its forms with ours. Sends nothing.
    Check {
        /// Its name in the settings.
        server: String,
    },
    /// Gets the forms of a server, with their files, into a folder.
    Forms {
        /// Its name in the settings.
        server: String,
        /// A folder; each form has one of its own in it.
        #[arg(short, long)]
        output: PathBuf,
        /// Only this form.
        #[arg(long)]
        form: Option<String>,
    },
    /// Hands on what waits, where the key is; central need not run.
    Send {
        /// Its name in the settings.
        server: String,
        /// The municipality's private key, bare or locked.
        #[arg(long)]
        key: PathBuf,
    },
    /// Puts what is stuck back into the queue.
    Retry {
        /// Its name in the settings.
        server: String,
        /// Only this submission.
        #[arg(long)]
        id: Option<String>,
    },
}

pub(super) fn onward(desk: &Desk, config: &CentralConfig, action: OnwardAction) -> anyhow::Result<()> {
    match action {
        OnwardAction::List => list(desk, config),
        OnwardAction::Check { server } => check(desk, config, named(config, &server)?),
        OnwardAction::Forms { server, output, form } => {
            forms(desk, named(config, &server)?, &output, form.as_deref())
        }
        OnwardAction::Send { server, key } => send(desk, named(config, &server)?, &key),
        OnwardAction::Retry { server, id } => retry(desk, named(config, &server)?, id),
    }
}

fn named<'a>(config: &'a CentralConfig, name: &str) -> anyhow::Result<&'a OnwardConfig> {
    config
        .onward
        .iter()
        .find(|one| one.name == name)
        .with_context(|| format!("There is no server {name} in the settings; add it as [[onward]]"))
}

fn list(desk: &Desk, config: &CentralConfig) -> anyhow::Result<()> {
    if config.onward.is_empty() {
        print("No submission is handed on; a server is set up as [[onward]] in the settings");
    }
    for one in &config.onward {
        let name = one.name.clone();
        let counts = desk
            .runtime
            .block_on(desk.store.look(move |sql| rows::counts(sql, &name)))?;
        print(&format!(
            "{}\tqueued {}\treceived {}\theld {}\tstuck {}",
            one.name, counts.queued, counts.received, counts.held, counts.stuck
        ));
        for row in counts.rows {
            print(&format!(
                "\t{}\t{}\t{}\t{}",
                row.id,
                row.form_id,
                row.why,
                row.since.strftime("%Y-%m-%d %H:%M")
            ));
        }
    }
    Ok(())
}

/// What is wrong and the way out; the address of the server is not said.
fn explained(name: &str, trouble: &Trouble) -> anyhow::Error {
    let way = match trouble.state {
        LineState::Refused => {
            "it does not know this account, or the account may not do this; look at user and password_file"
        }
        LineState::Foreign => "something answers that is not an OpenRosa server; look at the address",
        LineState::Busy => "it has no time or is being repaired; try again later",
        LineState::Down | LineState::Unknown | LineState::Up => {
            "nobody answers; look at the address and the network"
        }
    };
    anyhow::anyhow!("The server {name} says {}: {way}", trouble.why)
}

fn check(desk: &Desk, config: &CentralConfig, one: &OnwardConfig) -> anyhow::Result<()> {
    let shelf = config
        .published
        .as_ref()
        .map(|published| Shelf::new(&config.data, published))
        .transpose()?;
    let book = FormBook::load(shelf.as_ref());
    let server = onward::server(one, Clock::System)?;
    desk.runtime.block_on(async {
        let failed = |trouble| explained(&one.name, &trouble);
        let ready = server.ready().await.map_err(failed)?;
        print(&format!(
            "submissions taken\nlength {}\nconflicts {}",
            ready.length,
            if server.can_look_up() {
                "looked up"
            } else {
                "for a person"
            }
        ));
        let list = server.forms().await.map_err(failed)?;
        let mut unsendable = 0_usize;
        for entry in &list {
            let xml = server.form(entry).await.map_err(failed)?;
            let sealed = match form_key(&xml).as_deref().map(FormKey::read) {
                None => "in the clear",
                Some(Ok(_)) => "encrypted",
                Some(Err(_)) => {
                    unsendable += 1;
                    "its public key is no key"
                }
            };
            let ours = match book.newest(&entry.id) {
                None => "not ours".to_owned(),
                Some(form) if form.version() == entry.version => "same version".to_owned(),
                Some(form) => format!("ours is version {}", form.version()),
            };
            print(&format!(
                "form\t{}\t{}\t{ours}\t{sealed}",
                entry.id, entry.version
            ));
        }
        let there = |id: &str| list.iter().any(|entry| entry.id == id);
        for form in book.all().into_iter().filter(|form| !there(form.id())) {
            print(&format!("missing\t{}\t{}", form.id(), form.version()));
        }
        if unsendable > 0 {
            bail!("{unsendable} forms ask for encryption to what is no key; set them up again at the server");
        }
        Ok(())
    })
}

fn forms(desk: &Desk, one: &OnwardConfig, output: &Path, only: Option<&str>) -> anyhow::Result<()> {
    let server = onward::server(one, Clock::System)?;
    desk.runtime.block_on(async {
        let failed = |trouble| explained(&one.name, &trouble);
        let list = server.forms().await.map_err(failed)?;
        let wanted: Vec<_> = list
            .into_iter()
            .filter(|entry| only.is_none_or(|id| entry.id == id))
            .collect();
        if wanted.is_empty() {
            bail!("The server {} lists no such form", one.name);
        }
        for entry in wanted {
            let folder = output.join(plain(&entry.id)?);
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
            let xml = server.form(&entry).await.map_err(failed)?;
            let path = folder.join("form.xml");
            std::fs::write(&path, xml).with_context(|| format!("{} cannot be written", path.display()))?;
            print(&format!("form {} {}", entry.id, path.display()));
            for file in server.media(&entry).await.map_err(failed)? {
                let path = folder.join(plain(&file.name)?);
                let bytes = server.file(&file).await.map_err(failed)?;
                std::fs::write(&path, bytes)
                    .with_context(|| format!("{} cannot be written", path.display()))?;
                print(&format!("file {} {}", file.name, path.display()));
            }
        }
        Ok(())
    })
}

/// A name of the server as the name of a file: it must not lead anywhere else.
fn plain(name: &str) -> anyhow::Result<&str> {
    let is_plain = !name.is_empty()
        && name.len() <= NAME_MAX
        && !name.starts_with('.')
        && !name
            .chars()
            .any(|c| c.is_control() || matches!(c, '/' | '\\' | ':'));
    if is_plain {
        Ok(name)
    } else {
        bail!("The server names something {name:?}, which is no name of a file; rename it there")
    }
}

fn send(desk: &Desk, one: &OnwardConfig, key: &Path) -> anyhow::Result<()> {
    let key = desk::open_key(key)?;
    let mut courier = onward::courier(one, &desk.store, &Clock::System)?;
    let counts = || {
        let name = one.name.clone();
        desk.runtime
            .block_on(desk.store.look(move |sql| rows::counts(sql, &name)))
    };
    let before = counts()?.received;
    while desk.runtime.block_on(courier.pass(Some(&key)))? == Pass::More {}
    let after = counts()?;
    print(&format!(
        "handed on {}\nqueued {}\nheld {}\nstuck {}",
        after.received - before,
        after.queued,
        after.held,
        after.stuck
    ));
    match (courier.line.state, courier.line.why) {
        (LineState::Up | LineState::Unknown, _) => Ok(()),
        (state, why) => Err(explained(
            &one.name,
            &Trouble {
                state,
                why: why.unwrap_or_default(),
                retry_after: None,
            },
        )),
    }
}

fn retry(desk: &Desk, one: &OnwardConfig, id: Option<String>) -> anyhow::Result<()> {
    let (name, now) = (one.name.clone(), Clock::System.now());
    let moved = desk.runtime.block_on(
        desk.store
            .change(move |sql| rows::revive(sql, &name, id.as_deref(), now)),
    )?;
    print(&format!("queued {moved}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_server_leads_nowhere_else() {
        for good in ["residencia", "lista de parroquias.csv", "ñ.svg"] {
            assert!(plain(good).is_ok(), "{good}");
        }
        for bad in ["", "..", ".ssh", "a/b", "..\\x", "C:x", "a\nb", &"x".repeat(200)] {
            assert!(plain(bad).is_err(), "{bad}");
        }
    }
}
