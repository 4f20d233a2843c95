//! What the kiosk knows of the world: the office's queues, held numbers, room on the disk, the fate of a code.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tracing::{debug, info, warn};

use super::papers::stamp;
use super::press::PrinterHealth;
use super::turn::shut_of;
use super::{Shell, drafts, usage};
use crate::app::Stop;
use crate::devices::printer::Status;
use crate::domain::desk::CaseStatus;
use crate::domain::redacted::Redacted;
use crate::domain::session::{CaseFar, CaseLook, Input, QueueLook, Surroundings};
use crate::store::kiosk::{self as rows, LeaseRow, ToTell};
use crate::sync::office::{IssueWire, LeasedWire, OfficeClient, PrinterWire, QueueWire};

/// How often the world is looked at: a waiting time on the screen may be this old.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// How soon the office is told again what it could not hear.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How often the office is told of the printers although nothing changed.
const HEALTH_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// The page that checks receipts may be far away.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(4);

impl Shell {
    /// The public name of a queue.
    pub(super) fn queue_name(&self, id: &str) -> String {
        self.setup()
            .catalogue
            .queues()
            .iter()
            .find(|queue| queue.identifier.as_str() == id)
            .map_or_else(
                || id.to_owned(),
                |queue| queue.name.get(crate::i18n::Language::Spanish).to_owned(),
            )
    }
}

/// Looks at the world until told to stop, and tells the session.
pub(super) async fn watch(shell: Arc<Shell>, stop: Stop) {
    let mut queues: Vec<QueueWire> = Vec::new();
    let mut priority_run = 2;
    let mut draft_days = 0;
    let mut was_offline = false;
    let mut told = Told::default();
    let voice = crate::devices::narrator::is_there();
    loop {
        let (mut offline, mut revoked) = (true, false);
        if let Some(office) = &shell.office {
            match office.queues().await {
                Ok(answer) => {
                    offline = false;
                    queues = answer;
                    hold_numbers(&shell, office, &queues).await;
                }
                Err(problem) if problem.is_revoked() => {
                    warn!("this kiosk was taken out of service; what it holds stays here");
                    (offline, revoked) = (false, true);
                }
                Err(problem) => debug!(%problem, "the office was not heard"),
            }
            if !offline
                && !revoked
                && let Ok(board) = office.board().await
            {
                let number = |name: &str| board.get(name).and_then(serde_json::Value::as_u64);
                if let Some(k) = number("max_priority_run") {
                    priority_run = u8::try_from(k).unwrap_or(priority_run);
                }
                // An office of an earlier version keeps none.
                draft_days = number("draft_days")
                    .and_then(|days| u32::try_from(days).ok())
                    .unwrap_or(0);
            }
            if !offline && !revoked {
                told.tell(&shell, office).await;
            }
        }
        if let (true, false, Some(sender)) = (was_offline, offline, &shell.sender) {
            // The line is back: what waits need not sit out its pause.
            sender.line_up();
        }
        was_offline = offline;
        let around = Surroundings {
            offline,
            // Also while the room kept for a full disk is given up: said now, not after a citizen has typed.
            storage_full: !shell.db.has_room(),
            out_of_service: revoked,
            voice,
            priority_run,
            draft_days,
            queues: looks(&shell, &queues, offline),
        };
        shell.outlet.post(Input::Surroundings(Box::new(around)));
        tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// What the office was told of the printers.
#[derive(Default)]
struct Told {
    last: Vec<PrinterWire>,
    at: Option<Timestamp>,
}

impl Told {
    /// Tells the office how the printers are, when that changed and every now and then.
    async fn tell(&mut self, shell: &Shell, office: &OfficeClient) {
        let printers: Vec<PrinterWire> = shell.printers.get().iter().map(printer_wire).collect();
        let now = shell.clock.now();
        let fresh = self.at.is_some_and(|at| now.duration_since(at) < HEALTH_EVERY);
        if printers.is_empty() || (fresh && printers == self.last) {
            return;
        }
        match office.health(&shell.config.id, &printers).await {
            Ok(()) => (self.last, self.at) = (printers, Some(now)),
            Err(problem) => debug!(%problem, "the office does not know how the printers are"),
        }
    }
}

/// A stable word for how a printer is.
pub(super) fn state_word(status: &Status) -> &'static str {
    match status {
        Status::Ready => "ready",
        Status::PaperLow => "low",
        Status::Unknown => "unknown",
        Status::Trouble(trouble) => trouble.code(),
    }
}

fn printer_wire(health: &PrinterHealth) -> PrinterWire {
    PrinterWire {
        name: health.name.to_owned(),
        state: state_word(&health.status).to_owned(),
        left_mm: health.forecast.left_mm,
        papers_left: health.forecast.papers_left,
        paper_low: health.forecast.is_low,
    }
}

/// The queues as the session may show them; without the office the catalogue's names, and no promise of minutes.
fn looks(shell: &Shell, queues: &[QueueWire], offline: bool) -> Vec<QueueLook> {
    if queues.is_empty() {
        return shell
            .setup()
            .catalogue
            .queues()
            .iter()
            .map(|queue| QueueLook {
                id: queue.identifier.as_str().to_owned(),
                name: shell.queue_name(queue.identifier.as_str()),
                ..QueueLook::default()
            })
            .collect();
    }
    queues
        .iter()
        .map(|queue| QueueLook {
            id: queue.id.clone(),
            name: queue.name.clone(),
            waiting: queue.waiting.filter(|_| !offline),
            open: queue.open_counters.map(|n| n > 0).filter(|_| !offline),
            wait: queue
                .estimate
                .map(|range| (range.from_minutes, range.to_minutes))
                .filter(|_| !offline),
            // Without the office held numbers serve, and what it said last may be wrong by now.
            shut: shut_of(&queue.intake, queue.opens).filter(|_| !offline),
            down: queue
                .down
                .then(|| queue.note.clone().unwrap_or_default())
                .filter(|_| !offline),
        })
        .collect()
}

/// Holds enough numbers of the day for each queue.
async fn hold_numbers(shell: &Shell, office: &OfficeClient, queues: &[QueueWire]) {
    let date = shell.business_date();
    for queue in queues {
        let (id, day) = (queue.id.clone(), date.clone());
        let held = shell
            .db
            .read(move |c| rows::numbers_held(c, &id, &day))
            .unwrap_or(u32::MAX);
        if held * 2 >= shell.config.lease_numbers {
            continue;
        }
        match office
            .lease(&shell.config.id, &queue.id, shell.config.lease_numbers)
            .await
        {
            Ok(lease) => {
                let row = LeaseRow {
                    queue: queue.id.clone(),
                    series: lease.series,
                    from: lease.from,
                    to: lease.to,
                    from_date: lease.business_date,
                    through_date: lease.valid_through,
                };
                let kept = shell.db.write(move |c| rows::add_lease(c, &row)).await;
                if let Err(problem) = kept {
                    shell.log_failure("held numbers", &problem);
                }
            }
            Err(problem) => warn!(queue = %queue.id, %problem, "no numbers to hold"),
        }
    }
}

/// Tells the office what it does not know, for as long as it takes.
pub(super) async fn tell(shell: Arc<Shell>, stop: Stop) {
    let Some(office) = shell.office.clone() else {
        return;
    };
    loop {
        tell_once(&shell, &office).await;
        usage::tell(&shell, &office).await;
        drafts::tell(&shell, &office).await;
        tokio::select! {
            () = stop.stopped() => return,
            () = shell.news.notified() => {}
            () = tokio::time::sleep(TELL_EVERY) => {}
        }
    }
}

async fn tell_once(shell: &Shell, office: &OfficeClient) {
    let news = match shell.db.read(|c| rows::to_tell(c, 50)) {
        Ok(news) => news,
        Err(problem) => return shell.log_failure("news for the office", &problem),
    };
    for item in news {
        let request = match &item {
            ToTell::Issued { wanted, .. } => wanted.request,
            ToTell::Void { request, .. } => *request,
        };
        let answer = match &item {
            ToTell::Issued { wanted, number } => {
                let wire = IssueWire {
                    id: wanted.id,
                    queue: &wanted.queue,
                    lane: &wanted.lane,
                    kiosk: &shell.config.id,
                    submission: wanted.submission,
                    leased: Some(LeasedWire {
                        number: number.n,
                        issued_at: number.issued_at,
                    }),
                    replaces: Some(wanted.request),
                };
                // The number has a key of its own: the wish's key may have been answered with another number.
                office.tell(wanted.id.0, &wire).await.map(|_| ())
            }
            ToTell::Void { request, id } => office.cancel(*request, *id).await,
        };
        match answer {
            Ok(()) => info!(ticket = ?item_id(&item), "the office knows"),
            Err(problem) if problem.is_permanent() => {
                warn!(ticket = ?item_id(&item), %problem, "the office will not hear of it");
            }
            // It is out of reach: the rest waits too.
            Err(_) => return,
        }
        if let Err(problem) = shell.db.write(move |c| rows::told(c, request)).await {
            return shell.log_failure("news for the office", &problem);
        }
    }
}

fn item_id(item: &ToTell) -> crate::domain::id::TicketId {
    match item {
        ToTell::Issued { wanted, .. } => wanted.id,
        ToTell::Void { id, .. } => *id,
    }
}

/// What the municipality's page says of a code, as far as we use it.
#[derive(Deserialize)]
struct VerifyWire {
    procedure_name: String,
    received_at: Option<jiff_text::Time>,
    registered_at: Option<jiff_text::Time>,
}

mod jiff_text {
    //! A time as RFC 3339 text.
    use jiff::Timestamp;

    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    pub(super) struct Time(#[serde(with = "crate::domain::ticket::time_text")] pub(super) Timestamp);
}

/// Asks here first, then at the municipality.
pub(super) async fn look_up(shell: &Shell, code: &str) -> CaseLook {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let wanted = plain.clone();
    let here = shell
        .db
        .read(move |c| rows::receipt(c, &wanted))
        .unwrap_or_default();
    let url = format!("{}/{plain}", shell.config.verify_url.trim_end_matches('/'));
    let asked = shell
        .http
        .get(url)
        .header("Accept", "application/json")
        .timeout(LOOK_UP_WITHIN)
        .send()
        .await;
    let words = |at: jiff::Timestamp| stamp(at, &shell.zone);
    match (asked, here) {
        (Ok(answer), here) if answer.status().is_success() => match answer.json::<VerifyWire>().await {
            Ok(wire) => CaseLook::Arrived {
                procedure: wire.procedure_name,
                registered: wire.registered_at.map(|at| words(at.0)).unwrap_or_default(),
                received: wire.received_at.map(|at| words(at.0)).unwrap_or_default(),
            },
            Err(problem) => {
                // Without the address, which has the code in it.
                let problem = problem.without_url();
                warn!(%problem, "the page that checks receipts answers something else");
                here.map_or(CaseLook::Offline, |row| CaseLook::Here {
                    procedure: row.label,
                    registered: words(row.created_at),
                })
            }
        },
        (_, Some(row)) => CaseLook::Here {
            procedure: row.label,
            registered: words(row.created_at),
        },
        (Ok(answer), None) if answer.status().as_u16() == 404 => CaseLook::Unknown,
        (_, None) => CaseLook::Offline,
    }
}

/// How far a case is, as the municipality says it.
#[derive(Deserialize)]
struct FarWire {
    status: String,
    note: Option<String>,
    since: Option<jiff_text::Time>,
}

/// Asks the municipality how far a case is; the digits go there and nowhere else.
pub(super) async fn how_far(shell: &Shell, code: &str, digits: &Redacted<String>) -> CaseFar {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let base = shell.config.verify_url.trim_end_matches('/');
    let base = base.strip_suffix("/verify").unwrap_or(base);
    let asked = shell
        .http
        .post(format!("{base}/api/v1/cases/{plain}/status"))
        .json(&serde_json::json!({ "digits": digits.reveal() }))
        .timeout(LOOK_UP_WITHIN)
        .send()
        .await;
    let Ok(answer) = asked else {
        return CaseFar::Offline;
    };
    match answer.status().as_u16() {
        200 => {}
        403 => return CaseFar::WrongDigits,
        429 => return CaseFar::TooOften,
        409 => return CaseFar::NotYet,
        other => {
            warn!(status = other, "the municipality does not say how far a case is");
            return CaseFar::Offline;
        }
    }
    let Ok(wire) = answer.json::<FarWire>().await else {
        warn!("the municipality says how far a case is in words of its own");
        return CaseFar::Offline;
    };
    let status = match (CaseStatus::of(&wire.status), wire.status.as_str()) {
        (Some(status), _) => Some(status),
        (None, "erased") => None,
        // A later central knows more; that somebody works on it is true of all of them.
        (None, _) => Some(CaseStatus::InProgress),
    };
    CaseFar::Known {
        status,
        note: wire.note,
        since: wire.since.map(|at| stamp(at.0, &shell.zone)).unwrap_or_default(),
    }
}
