//! The roles that serve until they are told to stop.

use std::path::Path;

use anyhow::Context;
use tokio::runtime::Runtime;

use super::compose::{self, KioskFace};
use super::{print, staff};
use crate::app::Stop;
use crate::clock::Clock;
use crate::config;
use crate::config::kiosk::KioskConfig;
use crate::config::office::OfficeConfig;
use crate::kiosk::run::Display;

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

pub(super) fn office(path: &Path, action: Option<staff::OfficeAction>) -> anyhow::Result<()> {
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
        Some(action) => staff::run(&config, action),
    }
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
