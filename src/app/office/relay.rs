//! The office between its kiosks and central's fleet view: it says how it is itself, and carries what kiosks signed.
//!
//! Kept in memory only: kiosks say how they are every half minute, keep what they did until central has it, and
//! central keeps its orders until they are done. An office changes none of it. Begin at [`Relay::door`].

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tracing::{debug, warn};
use uuid::Uuid;

use super::hub::{OfficeApp, lock};
use super::time::HealthView;
use super::views::QueueView;
use crate::app::Stop;
use crate::app::fleet::{self, Acted, Obedience};
use crate::app::outbox::Sender;
use crate::clock::Clock;
use crate::domain::fleet::order::{OrderEnd, OrderKind};
use crate::domain::fleet::{DeviceRole, LineState, OutboxState, Report};
use crate::domain::seal::Signed;
use crate::store::outbox;
use crate::sync::fleet::{Arrived, FleetClient, FleetDoor, FleetWire, OrderWire, ReportWire, Take};
use crate::sync::gate::Gate;

/// How often central hears of the office and its kiosks.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Results that are carried at once; each may have a picture.
const RESULTS_AT_ONCE: usize = 5;
/// Results kept for kiosks; a kiosk keeps its own too.
const RESULTS_MAX: usize = 50;
/// Results remembered as known above, until their kiosks have heard it.
const TAKEN_MAX: usize = 1000;

/// What lies in the office on its way up or down.
#[derive(Default)]
pub(super) struct Relay {
    heard: Mutex<HashMap<String, (Timestamp, Signed)>>,
    results: Mutex<BTreeMap<Uuid, Signed>>,
    orders: Mutex<Vec<OrderWire>>,
    taken: Mutex<VecDeque<Uuid>>,
    wake: Notify,
}

impl Relay {
    /// Where kiosks say how they are.
    pub(super) fn door(self: &Arc<Self>, gate: Arc<Gate>, clock: Clock) -> FleetDoor {
        let (relay, moments) = (Arc::clone(self), clock.clone());
        let take: Take = Arc::new(move |arrived| {
            let answer = relay.take_in(arrived, moments.now());
            Box::pin(async move { Some(answer) })
        });
        FleetDoor { gate, take, clock }
    }

    fn take_in(&self, arrived: Arrived, now: Timestamp) -> (Vec<OrderWire>, Vec<Uuid>) {
        for heard in arrived.reports {
            lock(&self.heard).insert(heard.report.device, (now, heard.signed));
        }
        let mut known = Vec::new();
        for (result, signed) in arrived.results {
            if lock(&self.taken).contains(&result.id) {
                known.push(result.id);
                continue;
            }
            let mut results = lock(&self.results);
            if results.len() < RESULTS_MAX {
                results.insert(result.id, signed);
                self.wake.notify_one();
            }
        }
        let orders = lock(&self.orders)
            .iter()
            .filter(|order| order.device == arrived.sender.id)
            .cloned()
            .collect();
        (orders, known)
    }

    /// Tells central until told to stop, and does what it orders of the office itself.
    pub(super) async fn follow(
        self: Arc<Self>,
        office: Arc<OfficeApp>,
        above: FleetClient,
        obedience: Obedience,
        sender: Option<Sender>,
        stop: Stop,
    ) {
        if let Err(problem) = obedience.begin().await {
            warn!(%problem, "orders of before the start cannot be settled");
        }
        loop {
            tokio::select! {
                () = stop.stopped() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(TELL_EVERY) => {}
            }
            loop {
                let results: Vec<(Uuid, Signed)> = lock(&self.results)
                    .iter()
                    .take(RESULTS_AT_ONCE)
                    .map(|(id, signed)| (*id, signed.clone()))
                    .collect();
                let mut reports = vec![obedience.report(&report(&office, sender.as_ref()))];
                reports.extend(lock(&self.heard).values().map(|(at, report)| ReportWire {
                    heard_at: Some(*at),
                    report: report.clone(),
                }));
                let mut own = obedience.results();
                own.extend(results.iter().map(|(_, signed)| signed.clone()));
                let more = !own.is_empty();
                let wire = FleetWire {
                    v: 1,
                    reports,
                    results: own,
                };
                let Some(answer) = above.post(&wire).await else {
                    break;
                };
                self.answered(&answer.taken, &answer.orders);
                match obedience.obey(answer).await {
                    Ok(false) => {}
                    Ok(true) => {
                        warn!("the office begins again because central says so");
                        stop.stop();
                        return;
                    }
                    Err(problem) => warn!(%problem, "an order is not done: it cannot be written down"),
                }
                // What an order brought back goes up at once.
                if !more && obedience.results().is_empty() {
                    break;
                }
            }
        }
    }

    fn answered(&self, taken: &[Uuid], orders: &[OrderWire]) {
        let known: HashSet<Uuid> = taken.iter().copied().collect();
        lock(&self.results).retain(|id, _| !known.contains(id));
        let mut list = lock(&self.taken);
        list.extend(known);
        while list.len() > TAKEN_MAX {
            list.pop_front();
        }
        *lock(&self.orders) = orders.to_vec();
        debug!(orders = orders.len(), "central answered");
    }
}

/// How the office is.
fn report(office: &OfficeApp, sender: Option<&Sender>) -> Report {
    let health = HealthView::of(office);
    let now = office.now();
    let counts = office.db().read(outbox::counts).unwrap_or_default();
    let line = sender.map(Sender::status).unwrap_or_default();
    Report {
        v: 1,
        device: office.config().office.id.clone(),
        office: office.config().office.id.clone(),
        role: DeviceRole::Office,
        made_at: now,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        up_seconds: office.up_seconds(),
        printers: Vec::new(),
        outbox: OutboxState {
            waiting: counts.queued,
            oldest_seconds: counts.oldest.map_or(0, |oldest| {
                u64::try_from(now.duration_since(oldest).as_secs()).unwrap_or(0)
            }),
            stuck: counts.stuck,
        },
        lines: office
            .look(QueueView::all)
            .into_iter()
            .map(|queue| LineState {
                queue: queue.id.0,
                waiting: queue.waiting as u64,
                open_counters: queue.open_counters as u64,
            })
            .collect(),
        dark_zones: office.boards().iter().filter(|zone| zone.alarm).count() as u64,
        disk: fleet::disk(&office.config().data),
        clock_offset_ms: line
            .clock_offset
            .map(|offset| i64::try_from(offset.as_millis()).unwrap_or(i64::MAX)),
        put_aside: health.put_aside,
        update: fleet::update_state_with(&office.config().data),
        doctor: None,
    }
}

/// What an office does when central says so.
pub(super) fn act() -> fleet::Act {
    Arc::new(|kind| {
        Box::pin(async move {
            match kind {
                OrderKind::Restart => fleet::restart(),
                OrderKind::UpdateNow => fleet::ask_for_update(),
                OrderKind::FetchLogs => fleet::fetch_logs(),
                OrderKind::ScreenPicture => Acted::not(OrderEnd::Refused, "no screen"),
            }
        })
    })
}
