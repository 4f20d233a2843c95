//! How this kiosk is, told to whoever is above; and what central orders, done when nobody is at the screen.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tracing::{info, warn};

use super::Shell;
use super::around::state_word;
use crate::app::Stop;
use crate::app::fleet::{self, Act, Acted, Obedience};
use crate::app::metrics::Page;
use crate::domain::fleet::order::{OrderEnd, OrderKind};
use crate::domain::fleet::{DeviceRole, OutboxState, PrinterState, Report};
use crate::store::outbox;
use crate::sync::fleet::{FleetClient, FleetWire};

/// How often the office hears how the kiosk is.
const TELL_EVERY: Duration = Duration::from_secs(30);
/// How often a restart looks whether the citizen has gone.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Takes a picture of the screen; nothing while somebody is at it.
pub type TakePicture = Arc<dyn Fn() -> BoxFuture<'static, Option<Vec<u8>>> + Send + Sync>;

/// What the shell and the screen know of each other.
#[derive(Clone, Default)]
pub struct Stage {
    /// Whether somebody is at the screen.
    pub taken: Arc<AtomicBool>,
    picture: Arc<OnceLock<TakePicture>>,
}

impl Stage {
    /// Lets pictures of the screen be taken; only the first call counts.
    pub fn plug_picture(&self, take: TakePicture) {
        let _ = self.picture.set(take);
    }

    fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Acquire)
    }

    async fn picture(&self) -> Acted {
        let Some(take) = self.picture.get() else {
            return Acted::not(OrderEnd::Refused, "no screen");
        };
        match take().await {
            Some(png) => Acted::with("image/png", png),
            None => Acted::not(OrderEnd::Refused, "session open"),
        }
    }
}

/// What a kiosk does when central says so.
pub(super) fn act(stage: Stage) -> Act {
    Arc::new(move |kind| {
        let stage = stage.clone();
        Box::pin(async move {
            match kind {
                OrderKind::Restart => fleet::restart(),
                OrderKind::UpdateNow => fleet::ask_for_update(),
                OrderKind::FetchLogs => fleet::fetch_logs(),
                OrderKind::ScreenPicture => stage.picture().await,
            }
        })
    })
}

/// Tells until told to stop.
pub(super) async fn follow(
    shell: Arc<Shell>,
    above: FleetClient,
    obedience: Obedience,
    stage: Stage,
    again: Arc<Notify>,
    stop: Stop,
) {
    if let Err(problem) = obedience.begin().await {
        warn!(%problem, "orders of before the start cannot be settled");
    }
    loop {
        loop {
            let wire = FleetWire {
                v: 1,
                reports: vec![obedience.report(&report(&shell))],
                results: obedience.results(),
            };
            let Some(answer) = above.post(&wire).await else {
                break;
            };
            let orders = !answer.orders.is_empty();
            match obedience.obey(answer).await {
                Ok(false) => {}
                Ok(true) => {
                    wait_until_free(&stage, &stop).await;
                    info!("the kiosk begins again because central says so");
                    stop.stop();
                    return;
                }
                Err(problem) => warn!(%problem, "an order is not done: it cannot be written down"),
            }
            // What an order brought back goes up at once, and only once: it is not taken before central has it.
            if !orders || wire.results.len() == obedience.results().len() {
                break;
            }
        }
        tokio::select! {
            () = stop.stopped() => return,
            () = again.notified() => {}
            () = tokio::time::sleep(TELL_EVERY) => {}
        }
    }
}

async fn wait_until_free(stage: &Stage, stop: &Stop) {
    while stage.is_taken() && !stop.is_stopped() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// How this kiosk is, as Prometheus reads it.
pub(super) fn page(report: &Report) -> String {
    let mut page = Page::of("kiosk");
    page.reports(&[(Vec::new(), report)]);
    page.into_text()
}

/// How this kiosk is.
pub(super) fn report(shell: &Shell) -> Report {
    let now = shell.clock.now();
    let counts = shell.db.read(outbox::counts).unwrap_or_default();
    let line = shell
        .sender
        .as_ref()
        .map(|sender| sender.status())
        .unwrap_or_default();
    let up = shell.clock.boot() - shell.begun;
    Report {
        v: 1,
        device: shell.config.id.clone(),
        office: shell.config.place.id.clone(),
        role: DeviceRole::Kiosk,
        made_at: now,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        up_seconds: u64::try_from(up.as_secs()).unwrap_or(0),
        printers: shell
            .printers
            .get()
            .iter()
            .map(|health| PrinterState {
                name: health.name.to_owned(),
                state: state_word(&health.status).to_owned(),
                left_mm: health.forecast.left_mm,
                paper_low: health.forecast.is_low,
            })
            .collect(),
        outbox: OutboxState {
            waiting: counts.queued,
            oldest_seconds: counts.oldest.map_or(0, |oldest| {
                u64::try_from(now.duration_since(oldest).as_secs()).unwrap_or(0)
            }),
            stuck: counts.stuck,
        },
        lines: Vec::new(),
        dark_zones: 0,
        disk: fleet::disk(&shell.config.data),
        clock_offset_ms: line
            .clock_offset
            .map(|offset| i64::try_from(offset.as_millis()).unwrap_or(i64::MAX)),
        put_aside: shell.put_aside,
        update: fleet::update_state_with(&shell.config.data),
        doctor: fleet::doctor_state(&shell.config.data),
    }
}
