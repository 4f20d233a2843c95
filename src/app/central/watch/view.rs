//! The fleet as whoever looks after it sees it.

use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;

use axum::Json;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::CentralApp;
use super::super::api::App;
use super::super::guard::Clerk;
use crate::app::office::Problem;
use crate::domain::desk::CentralEvent;
use crate::domain::fleet::Report;
use crate::domain::fleet::alarm::{AlarmKind, Standing};
use crate::domain::ticket::time_text;
use crate::store::StoreError;
use crate::store::fleet::{self as store, OrderRow};

/// Newest orders in the view.
const ORDERS: u32 = 30;
/// How often it is put on record that the same person looks.
const SEEN_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Something that is wrong with a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlarmView {
    /// What: `silent`, `printer`, `paper`, `disk`, `clock`, `outbox`, `stuck`, `damaged`, `update`, `doctor` or `dark`.
    #[schema(value_type = String)]
    pub kind: AlarmKind,
    /// Since when.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When somebody was told; nothing while it may still pass by itself.
    #[serde(with = "time_text::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub raised_at: Option<Timestamp>,
}

/// A device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FleetDeviceView {
    /// Its id.
    pub device: String,
    /// Id of its office.
    pub office: String,
    /// Name of that office for people.
    pub office_name: String,
    /// When it was heard last; nothing where it never said how it is.
    #[serde(with = "time_text::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub heard_at: Option<Timestamp>,
    /// Who brought its report.
    pub carried_by: Option<String>,
    /// What is wrong with it.
    pub alarms: Vec<AlarmView>,
    /// Orders that wait for it.
    pub open_orders: usize,
    /// What it said: `role`, `version`, `printers`, `outbox`, `lines`, `disk`, `clock_offset_ms`, `update`, `doctor`…
    #[schema(value_type = Option<Object>)]
    pub report: Option<Report>,
}

impl FleetDeviceView {
    /// Whether somebody was told that something is wrong with it.
    pub fn is_alarmed(&self) -> bool {
        self.alarms.iter().any(|alarm| alarm.raised_at.is_some())
    }
}

/// An order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderView {
    /// Its id.
    pub id: String,
    /// For whom.
    pub device: String,
    /// What.
    pub kind: String,
    /// Who gave it.
    pub issued_by: String,
    /// When.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: Timestamp,
    /// From when on nobody does it any more.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// `done`, `failed`, `refused`, `interrupted` or `expired`; nothing while it is open.
    pub end: Option<&'static str>,
    /// One word more.
    pub detail: String,
    /// When it ended.
    #[serde(with = "time_text::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub done_at: Option<Timestamp>,
    /// Whether it brought something back that is still here.
    pub has_result: bool,
}

impl From<OrderRow> for OrderView {
    fn from(row: OrderRow) -> Self {
        Self {
            id: row.id.to_string(),
            device: row.device,
            kind: row.kind,
            issued_by: row.issued_by,
            issued_at: row.issued_at,
            expires_at: row.expires_at,
            end: row.end.map(|end| end.code()),
            detail: row.detail,
            done_at: row.done_at,
            has_result: row.media.is_some(),
        }
    }
}

/// The whole fleet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FleetView {
    /// Central's time.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Devices, those with something wrong first.
    pub devices: Vec<FleetDeviceView>,
    /// Letters that wait to be sent.
    pub letters_waiting: i64,
    /// Why the last of these did not arrive.
    pub letters_problem: Option<String>,
    /// The newest orders.
    pub orders: Vec<OrderView>,
}

impl CentralApp {
    /// The fleet as it is known now.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn fleet(&self) -> Result<FleetView, StoreError> {
        let at = self.clock.now();
        let (rows, alarms, orders, (letters_waiting, letters_problem)) = self
            .store
            .look(|sql| {
                Ok((
                    store::devices(sql)?,
                    store::alarms(sql)?,
                    store::orders(sql, ORDERS)?,
                    store::letters_waiting(sql)?,
                ))
            })
            .await?;
        let mut standing: HashMap<String, Vec<Standing>> = HashMap::new();
        for (device, one) in alarms {
            standing.entry(device).or_default().push(one);
        }
        let mut devices: BTreeMap<String, FleetDeviceView> = BTreeMap::new();
        for peer in self
            .registry
            .gate()
            .book()
            .peers()
            .iter()
            .filter(|peer| !peer.revoked)
        {
            let view = FleetDeviceView {
                device: peer.id.clone(),
                office: peer.office.clone(),
                office_name: self.office_name(&peer.office),
                heard_at: None,
                carried_by: None,
                alarms: Vec::new(),
                open_orders: orders
                    .iter()
                    .filter(|order| order.device == peer.id && order.end.is_none() && order.expires_at > at)
                    .count(),
                report: None,
            };
            devices.insert(peer.id.clone(), view);
        }
        for row in rows {
            let Some(view) = devices.get_mut(&row.id) else {
                continue;
            };
            view.heard_at = Some(row.heard_at);
            view.carried_by = Some(row.carried_by);
            view.report = Some(row.report);
            view.alarms = standing
                .remove(&row.id)
                .unwrap_or_default()
                .into_iter()
                .map(|one| AlarmView {
                    kind: one.kind,
                    since: one.since,
                    raised_at: one.raised_at,
                })
                .collect();
        }
        let mut devices: Vec<_> = devices.into_values().collect();
        devices.sort_by_key(|view| (!view.is_alarmed(), view.office.clone(), view.device.clone()));
        Ok(FleetView {
            at,
            devices,
            letters_waiting,
            letters_problem,
            orders: orders.into_iter().map(OrderView::from).collect(),
        })
    }

    /// Puts on record that somebody looks at the fleet, once an hour.
    ///
    /// # Errors
    /// When that cannot be written; then nothing is to be shown.
    pub async fn note_seen(&self, clerk: &Clerk) -> Result<(), StoreError> {
        let now = self.clock.now();
        let recent = {
            let mut seen = self.fleet_seen.lock().unwrap_or_else(PoisonError::into_inner);
            let last = seen.insert(clerk.name.clone(), now);
            last.filter(|at| now.duration_since(*at).abs() < SEEN_EVERY)
                .inspect(|at| {
                    seen.insert(clerk.name.clone(), *at);
                })
                .is_some()
        };
        if recent {
            return Ok(());
        }
        self.record(clerk, CentralEvent::FleetSeen).await
    }
}

#[utoipa::path(get, path = "/api/v1/fleet", tag = "fleet",
    responses((status = 200, body = FleetView), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(in crate::app::central) async fn fleet(
    State(app): App,
    clerk: Clerk,
) -> Result<Json<FleetView>, Problem> {
    app.note_seen(&clerk).await?;
    Ok(Json(app.fleet().await?))
}
