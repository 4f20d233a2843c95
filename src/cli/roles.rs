//! The roles that serve until they are told to stop.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use clap::Subcommand;
use tokio::runtime::Runtime;

use super::compose::{self, KioskFace};
use super::print;
use crate::app::Stop;
use crate::clock::Clock;
use crate::config;
use crate::config::central::CentralConfig;
use crate::config::kiosk::KioskConfig;
use crate::config::office::OfficeConfig;
use crate::kiosk::run::Display;
use crate::store::{self, Db};

/// `ventanilla office …`
#[derive(Subcommand)]
pub(super) enum OfficeAction {
    /// Makes a token for programs and prints it once.
    Token {
        /// What the token is for; making another one of this name takes back the first.
        #[arg(long)]
        name: String,
        /// `agent` or `supervisor`.
        #[arg(long, default_value = "supervisor")]
        role: String,
    },
    /// Makes a person who may log in; the password is read from standard input.
    User {
        /// What the person types.
        #[arg(long)]
        login: String,
        /// What others read.
        #[arg(long)]
        name: String,
        /// `agent` or `supervisor`.
        #[arg(long, default_value = "agent")]
        role: String,
    },
}

pub(super) fn kiosk(path: &Path, display: Display) -> anyhow::Result<()> {
    let config: KioskConfig = config::load(path)?;
    let config = config.resolved(path);
    let (runtime, stop) = begin()?;
    let mut face = runtime.block_on(KioskFace::start(
        config,
        display,
        true,
        Clock::System,
        stop.clone(),
    ))?;
    if let Some(address) = face.web_address() {
        print(&format!("kiosk http://{address}/kiosk"));
    }
    print("ready");
    let shown = face.run(&runtime, &stop);
    stop.stop();
    runtime.block_on(face.finished());
    shown
}

pub(super) fn office(path: &Path, action: Option<OfficeAction>) -> anyhow::Result<()> {
    let config: OfficeConfig = config::load(path)?;
    let config = config.resolved(path);
    match action {
        None => {
            let (runtime, stop) = begin()?;
            runtime.block_on(async {
                let office = compose::office(config, Clock::System, stop.clone()).await?;
                print(&format!("office http://{}", office.address));
                print(&format!("console http://{}/console", office.address));
                print(&format!("board http://{}/board", office.address));
                print("ready");
                office.finished().await;
                Ok(())
            })
        }
        Some(OfficeAction::Token { name, role }) => {
            let role = role_of(&role)?;
            let db = office_db(&config)?;
            let now = Clock::System.now();
            let token = db.write_blocking(move |c| store::office::create_token(c, &name, role, now))?;
            print(&format!("token {token}"));
            Ok(())
        }
        Some(OfficeAction::User { login, name, role }) => {
            let role = role_of(&role)?;
            let mut password = String::new();
            std::io::stdin()
                .read_to_string(&mut password)
                .context("The password cannot be read from standard input")?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            if password.chars().count() < 8 {
                bail!("The password is shorter than 8 characters; give a longer one on standard input");
            }
            let db = office_db(&config)?;
            let now = Clock::System.now();
            let shown = login.clone();
            db.write_blocking(move |c| store::office::create_user(c, &login, &name, role, &password, now))?;
            print(&format!("user {shown}"));
            Ok(())
        }
    }
}

fn office_db(config: &OfficeConfig) -> anyhow::Result<Db> {
    Ok(Db::open(&config.data.join(crate::app::office::FILE), store::office::SCHEMA)?.db)
}

fn role_of(word: &str) -> anyhow::Result<store::office::Role> {
    store::office::Role::from_code(word).with_context(|| {
        format!("There is no role {word}; write agent, supervisor, admin, auditor or technician")
    })
}

pub(super) fn central(path: &Path) -> anyhow::Result<()> {
    let config: CentralConfig = config::load(path)?;
    let config = config.resolved(path);
    let (runtime, stop) = begin()?;
    runtime.block_on(async {
        let central = compose::central(config, Clock::System, stop).await?;
        print(&format!("central http://{}", central.address));
        print("ready");
        central.finished().await;
        Ok(())
    })
}

/// The runtime, and a stop that the usual signals pull.
pub(super) fn begin() -> anyhow::Result<(Runtime, Stop)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("The program cannot start its threads")?;
    let stop = Stop::default();
    let told = stop.clone();
    runtime.spawn(async move {
        signalled().await;
        told.stop();
    });
    Ok((runtime, stop))
}

#[cfg(unix)]
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn signalled() {
    let _ = tokio::signal::ctrl_c().await;
}
