//! Central looks after its devices: it hears how they are, tells whoever should know, and gives orders.
//!
//! [`take`] keeps what devices say and answers with their orders; [`run`] looks again and again at what is wrong.
//! A device is never reached into: whatever it is told goes down with the answer to its own report.

pub mod letters;
pub mod orders;
pub mod view;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};
use uuid::Uuid;

use super::{CENTRAL, CentralApp};
use crate::app::Stop;
use crate::clock::random;
use crate::domain::desk::CentralEvent;
use crate::domain::fleet::Report;
use crate::domain::fleet::alarm::{self, Standing};
use crate::domain::fleet::order::{OrderEnd, OrderResult};
use crate::domain::id::{Moment, uuid_v7};
use crate::domain::submission::peers::PeerBook;
use crate::store::both::Sql;
use crate::store::fleet::{self as store, FleetRow, LetterRow};
use crate::store::{StoreError, chain};
use crate::sync::fleet::{Arrived, FleetDoor, OrderWire, Take};
use letters::{Change, Post};

/// How often central looks whether something is wrong.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// An order's result may be on its way for this long after its time was over.
const RESULT_LATE: SignedDuration = SignedDuration::from_hours(6);
/// How long letters stay that were sent.
const LETTERS_STAY: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a letter that does not arrive is tried.
const LETTERS_TRIED: SignedDuration = SignedDuration::from_hours(3 * 24);
/// A clock of a hub that runs ahead makes no device younger than this.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// The door where devices say how they are.
pub(super) fn door(central: &Arc<CentralApp>) -> FleetDoor {
    FleetDoor {
        gate: central.registry.gate(),
        take: take(Arc::clone(central)),
        clock: central.clock.clone(),
    }
}

fn take(central: Arc<CentralApp>) -> Take {
    Arc::new(move |arrived| {
        let central = Arc::clone(&central);
        Box::pin(async move {
            match central.take_in(arrived).await {
                Ok(answer) => Some(answer),
                Err(problem) => {
                    warn!(%problem, "reports of devices could not be kept");
                    None
                }
            }
        })
    })
}

impl CentralApp {
    async fn take_in(&self, arrived: Arrived) -> Result<(Vec<OrderWire>, Vec<Uuid>), StoreError> {
        let (now, book) = (self.clock.now(), self.registry.gate().book());
        self.store
            .change(move |sql| {
                let Arrived {
                    sender,
                    reports,
                    results,
                } = arrived;
                for heard in reports {
                    // A hub with a wrong clock says wrong moments; none is later than this one.
                    let heard_at = heard
                        .heard_at
                        .map_or(now, |at| if at > now + AHEAD { now } else { at.min(now) });
                    let row = FleetRow {
                        id: heard.report.device.clone(),
                        office: heard.report.office.clone(),
                        carried_by: sender.id.clone(),
                        kid: heard.kid,
                        heard_at,
                        report: heard.report,
                    };
                    store::put_report(sql, &row)?;
                }
                let mut taken = Vec::new();
                for (result, _) in results {
                    taken.push(result.id);
                    ended(sql, &result, now)?;
                }
                let mut orders = Vec::new();
                let spoken_for = book
                    .peers()
                    .iter()
                    .filter(|peer| peer.id == sender.id || peer.office == sender.office)
                    .filter(|peer| !peer.revoked);
                for peer in spoken_for {
                    for order in store::open_orders(sql, &peer.id, now)? {
                        orders.push(OrderWire {
                            device: peer.id.clone(),
                            order,
                        });
                    }
                }
                Ok((orders, taken))
            })
            .await
    }
}

/// Writes down what a device says of an order of its own.
fn ended(sql: &mut dyn Sql, result: &OrderResult, now: Timestamp) -> Result<(), StoreError> {
    let Some(order) = store::find_order(sql, result.id)?.filter(|order| order.device == result.device) else {
        warn!(device = %result.device, "a result of an order that was not given");
        return Ok(());
    };
    let bytes = result
        .attachment
        .as_ref()
        .and_then(|text| BASE64_STANDARD.decode(text).ok());
    let back = result.media.as_deref().zip(bytes);
    if store::end_order(sql, order.id, result.end, &result.detail, back, now)? {
        let event = CentralEvent::OrderEnded {
            order: order.id.to_string(),
            device: order.device,
            kind: order.kind,
            end: result.end,
            detail: result.detail.clone(),
        };
        chain::append(sql, now, Some(&result.device), None, &event)?;
    }
    Ok(())
}

/// Looks at the devices again and again, and sends the letters.
pub(super) async fn run(central: Arc<CentralApp>, post: Post, stop: Stop) {
    let post = Arc::new(post);
    loop {
        if let Err(problem) = central.look_after(&post).await {
            warn!(%problem, "the devices could not be looked after; it is tried again");
        }
        post.deliver(&central).await;
        tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

impl CentralApp {
    /// One look: what is wrong is written down and letters about what is news go into the outbox with it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn look_after(&self, post: &Arc<Post>) -> Result<(), StoreError> {
        let (now, book) = (self.clock.now(), self.registry.gate().book());
        let (config, names, post) = (
            self.config.fleet.clone(),
            self.config.offices.clone(),
            Arc::clone(post),
        );
        let news = self
            .store
            .change(move |sql| {
                sql.alone(store::LOCK)?;
                let limits = config.thresholds();
                let changes = look(sql, &book, now, &limits)?;
                if !changes.is_empty() {
                    for letter in post.write(&changes, &names, config.language, now) {
                        store::add_letter(sql, &letter)?;
                    }
                }
                tidy(sql, now, i64::from(config.attachment_days))?;
                Ok(changes.len())
            })
            .await?;
        if news > 0 {
            info!(news, "something changed with the devices");
        }
        Ok(())
    }
}

fn look(
    sql: &mut dyn Sql,
    book: &PeerBook,
    now: Timestamp,
    limits: &alarm::Thresholds,
) -> Result<Vec<Change>, StoreError> {
    let mut before: HashMap<String, Vec<Standing>> = HashMap::new();
    for (device, standing) in store::alarms(sql)? {
        before.entry(device).or_default().push(standing);
    }
    let mut changes = Vec::new();
    for row in store::devices(sql)? {
        if book.by_id(&row.id).is_none_or(|peer| peer.revoked) {
            store::forget(sql, &row.id)?;
            continue;
        }
        let known = before.remove(&row.id).unwrap_or_default();
        let wrong = alarm::wrong(&row.report, row.heard_at, now, limits);
        let (after, news) = Standing::step(&known, &wrong, now, limits);
        if after != known {
            store::change_alarms(sql, &row.id, &after)?;
        }
        changes.extend(news.into_iter().map(|news| Change {
            device: row.id.clone(),
            office: row.office.clone(),
            detail: detail(&row.report, &news),
            heard_at: row.heard_at,
            news,
        }));
    }
    Ok(changes)
}

/// One word or figure that says more of what is wrong; nothing personal is anywhere in a report.
fn detail(report: &Report, news: &alarm::News) -> String {
    use alarm::AlarmKind as Kind;
    match news.standing().kind {
        Kind::Printer => report
            .printers
            .iter()
            .filter(|one| !one.prints())
            .map(|one| format!("{} {}", one.name, one.state))
            .collect::<Vec<_>>()
            .join(", "),
        Kind::Disk => report
            .disk
            .map(|disk| format!("{} %", disk.free_percent()))
            .unwrap_or_default(),
        Kind::Clock => report
            .clock_offset_ms
            .map(|offset| format!("{} s", offset / 1000))
            .unwrap_or_default(),
        Kind::Outbox => report.outbox.waiting.to_string(),
        Kind::Stuck => report.outbox.stuck.to_string(),
        Kind::Update => report
            .update
            .as_ref()
            .and_then(|update| update.offered.clone())
            .unwrap_or_default(),
        Kind::Doctor => report
            .doctor
            .as_ref()
            .map(|doctor| doctor.wrong.join(", "))
            .unwrap_or_default(),
        Kind::Dark => report.dark_zones.to_string(),
        Kind::Silent | Kind::Paper | Kind::Damaged => String::new(),
    }
}

fn tidy(sql: &mut dyn Sql, now: Timestamp, attachment_days: i64) -> Result<(), StoreError> {
    let ago = |by: SignedDuration| now.checked_sub(by).unwrap_or(Timestamp::MIN);
    for order in store::overdue(sql, ago(RESULT_LATE))? {
        store::end_order(sql, order.id, OrderEnd::Expired, "", None, now)?;
        let event = CentralEvent::OrderEnded {
            order: order.id.to_string(),
            device: order.device,
            kind: order.kind,
            end: OrderEnd::Expired,
            detail: String::new(),
        };
        chain::append(sql, now, Some(CENTRAL), None, &event)?;
    }
    store::drop_attachments(sql, ago(SignedDuration::from_hours(24 * attachment_days)))?;
    store::drop_letters(sql, ago(LETTERS_STAY), ago(LETTERS_TRIED))
}

/// A new id.
fn new_id(now: Timestamp) -> Uuid {
    uuid_v7(Moment {
        now,
        random: random(),
    })
}

/// A letter that is to be sent.
fn letter(channel: &str, subject: String, body: String, now: Timestamp) -> LetterRow {
    LetterRow {
        id: new_id(now),
        channel: channel.to_owned(),
        subject,
        body,
        made_at: now,
        attempts: 0,
    }
}

/// Names of offices for people.
type Names = BTreeMap<String, String>;

#[cfg(test)]
mod tests;
