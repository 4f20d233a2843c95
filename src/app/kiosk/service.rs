//! What a technician at the kiosk asks for: how it is, a test page, a restart. Nothing of a citizen is looked at.

use std::net::{IpAddr, ToSocketAddrs, UdpSocket};
use std::path::Path;

use jiff::SignedDuration;
use tracing::{info, warn};

use super::Shell;
use super::around::state_word;
use super::orders;
use super::papers::{Paper, stamp};
use super::print::Papers;
use crate::app::diagnose::{Occasion, report};
use crate::app::{Stop, fleet};
use crate::devices::printer::{Status, compose};
use crate::domain::fleet::DoctorState;
use crate::domain::fleet::order::OrderEnd;
use crate::domain::printing::PaperKind;
use crate::domain::session::{Input, Part, PartLook, ServiceAct, ServiceLook};
use crate::i18n::{Language, say};
use crate::store::outbox;

/// What of the image lets a technician in over the network; without it there is no such button.
const REMOTE: &str = "/usr/lib/ventanilla/remote";
/// File in the runtime folder that asks for it; the image's own unit opens the door and shuts it after half an hour.
const REMOTE_WISH: &str = "remote-now";
/// A clock further off than this is wrong.
const CLOCK_MAX: SignedDuration = SignedDuration::from_secs(120);
/// Hundredths of the disk that must be free.
const FREE_LEAST: u64 = 10;

/// Does what the technician asks for, and answers.
pub(super) async fn serve(shell: &Shell, papers: &Papers, stop: &Stop, act: ServiceAct) {
    let ok = match act {
        ServiceAct::Look => {
            let look = look(shell).await;
            shell.outlet.post(Input::ServiceLook(Box::new(look)));
            return;
        }
        ServiceAct::TestPage => match orders::test_page(shell).await {
            Ok(job) => papers.print_one(job).await,
            Err(problem) => {
                shell.log_failure("test page", &problem);
                false
            }
        },
        ServiceAct::Restart => {
            let restarts = fleet::restart().restart;
            if restarts {
                info!("the kiosk begins again because a technician says so");
                stop.stop();
            }
            restarts
        }
        ServiceAct::UpdateNow => fleet::ask_for_update().end == OrderEnd::Done,
        ServiceAct::Remote => ask_for_remote(),
        ServiceAct::Keep(parts) => {
            keep(shell, papers, &parts).await;
            return;
        }
    };
    shell.outlet.post(Input::ServiceDone { ok });
}

fn ask_for_remote() -> bool {
    let folder = std::env::var_os("RUNTIME_DIRECTORY").filter(|_| Path::new(REMOTE).exists());
    folder.is_some_and(|folder| {
        let asked = std::fs::write(Path::new(&folder).join(REMOTE_WISH), "");
        if let Err(problem) = &asked {
            warn!(%problem, "the way in for a technician cannot be asked for");
        }
        asked.is_ok()
    })
}

/// Keeps what the self-test found, and prints it.
async fn keep(shell: &Shell, papers: &Papers, parts: &[PartLook]) {
    let now = shell.clock.now();
    let state = DoctorState {
        at: now,
        wrong: parts
            .iter()
            .filter(|one| one.ok == Some(false))
            .map(|one| one.part.code().to_owned())
            .collect(),
    };
    if let Err(problem) = fleet::keep_doctor_state(&shell.config.data, &state) {
        warn!(%problem, "the self-test cannot be kept");
    }
    let spanish = |key: &str| say(Language::Spanish, key);
    let checks: Vec<(String, String)> = parts
        .iter()
        .map(|one| {
            let state = match one.ok {
                Some(true) => "service-ok",
                Some(false) => "service-bad",
                None => "service-unknown",
            };
            let name = spanish(&format!("service-part-{}", one.part.code()));
            (
                name,
                format!("{} {}", spanish(state), one.detail).trim().to_owned(),
            )
        })
        .collect();
    let document = report(&Occasion::of(&shell.config, now), &shell.profile, &checks);
    let paper = Paper {
        bytes: compose(&document, &shell.profile),
        document,
    };
    match orders::keep(shell, PaperKind::Readiness, "self-test".to_owned(), 0, paper).await {
        Ok(job) => {
            papers.print_one(job).await;
        }
        Err(problem) => shell.log_failure("self-test", &problem),
    }
}

async fn look(shell: &Shell) -> ServiceLook {
    let mut parts = Vec::new();
    let mut found = |part, ok, detail: String| parts.push(PartLook { part, ok, detail });
    let answers = match &shell.office {
        Some(office) => Some(office.queues().await.is_ok()),
        None => None,
    };
    let address = shell
        .config
        .office
        .as_ref()
        .and_then(|office| own_address(&office.url))
        .map(|address| address.to_string());
    found(Part::Network, answers, address.unwrap_or_default());
    for health in shell.printers.get() {
        let state = state_word(&health.status);
        let ok = match &health.status {
            Status::Ready | Status::PaperLow => Some(true),
            Status::Trouble(_) => Some(false),
            Status::Unknown => None,
        };
        let metres = health.forecast.left_mm / 1000;
        let state = say(Language::Spanish, &format!("fleet-printer-{state}"));
        found(Part::Printer, ok, format!("{state} · {metres} m"));
    }
    if let Some(disk) = fleet::disk(&shell.config.data) {
        let free = disk.free_percent();
        let detail = format!("{} GB · {free} %", disk.free_bytes / 1_000_000_000);
        found(Part::Storage, Some(free >= FREE_LEAST), detail);
    }
    let line = shell.sender.as_ref().map(|sender| sender.status());
    let offset = line.and_then(|line| line.clock_offset);
    let clock = stamp(shell.clock.now(), &shell.setup().zone);
    found(Part::Clock, offset.map(|offset| offset.abs() <= CLOCK_MAX), clock);
    let counts = shell.db.read(outbox::counts).unwrap_or_default();
    found(Part::Outbox, Some(counts.stuck == 0), counts.queued.to_string());
    let update = fleet::update_state_with(&shell.config.data);
    let system = update.as_ref().map(|update| format!(" · {}", update.running));
    let version = format!("{}{}", env!("CARGO_PKG_VERSION"), system.unwrap_or_default());
    let proved = update.as_ref().is_none_or(|update| update.proved);
    found(Part::Version, Some(proved), version);
    if let Some(doctor) = fleet::doctor_state(&shell.config.data) {
        let at = stamp(doctor.at, &shell.setup().zone);
        found(Part::Doctor, Some(doctor.wrong.is_empty()), at);
    }
    ServiceLook {
        parts,
        remote: Path::new(REMOTE).exists(),
        updates: update.is_some(),
    }
}

/// The address this machine has towards the office; nothing is sent for it.
fn own_address(url: &str) -> Option<IpAddr> {
    let url: reqwest::Url = url.parse().ok()?;
    let host = (url.host_str()?, url.port_or_known_default()?);
    let office = host.to_socket_addrs().ok()?.next()?;
    let any: IpAddr = if office.is_ipv4() {
        "0.0.0.0".parse().ok()?
    } else {
        "::".parse().ok()?
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(office).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
