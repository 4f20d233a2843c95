//! The roles that serve until they are told to stop.

use std::path::Path;

use anyhow::Context;
use tokio::runtime::Runtime;

use super::compose::{self, KioskFace};
use super::{print, staff};
use crate::app::Stop;
use crate::app::service::{Service, keep_alive};
use crate::clock::Clock;
use crate::config;
use crate::config::kiosk::KioskConfig;
use crate::config::office::OfficeConfig;
use crate::kiosk::run::Display;

pub(super) fn kiosk(path: &Path, display: Display) -> anyhow::Result<()> {
    let config: KioskConfig = config::load(path)?;
    let config = config.resolved(path);
    if display == Display::Screen {
        let wanted = config.screen.display_environment().map_err(anyhow::Error::msg)?;
        begin_again_with(&wanted)?;
    }
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

pub(super) fn office(path: &Path, action: Option<staff::OfficeAction>) -> anyhow::Result<()> {
    let config: OfficeConfig = config::load(path)?;
    let config = config.resolved(path);
    match action {
        None => {
            let (runtime, stop) = begin()?;
            let told = stop.clone();
            runtime.block_on(async {
                let office = compose::office(config, Clock::System, stop.clone()).await?;
                print(&format!("office http://{}", office.address));
                if let Some(address) = office.tls_address {
                    print(&format!("devices https://{address}"));
                }
                print(&format!("console http://{}/console", office.address));
                print(&format!("board http://{}/board", office.address));
                print("ready");
                let service = Service::from_environment();
                service.ready();
                let hub = office.office.clone();
                // The thread that writes must come round too: without it the hub only looks alive.
                let check = move || {
                    let hub = hub.clone();
                    async move {
                        if let Err(problem) = hub.db().write(|_| Ok(())).await {
                            tracing::error!(%problem, "the office's file takes nothing");
                        }
                    }
                };
                tokio::spawn(keep_alive(service.clone(), told.clone(), check));
                office.finished().await;
                service.stopping();
                Ok(())
            })
        }
        Some(action) => staff::run(&config, action),
    }
}

/// Slint reads how the display hangs from the environment alone, and a program may not safely change its own: it
/// begins again in the same process, so that the service manager notices nothing. Returns where nothing is missing.
pub(super) fn begin_again_with(wanted: &[(&str, String)]) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt;

    if wanted
        .iter()
        .all(|(name, value)| std::env::var(name).is_ok_and(|is| is == *value))
    {
        return Ok(());
    }
    let mut program = std::process::Command::new(std::env::current_exe()?);
    program.args(std::env::args_os().skip(1));
    program.envs(wanted.iter().map(|(name, value)| (name, value)));
    Err(program.exec()).context("The program cannot begin again with the settings of the display")
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
