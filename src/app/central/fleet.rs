//! The administrator's API: devices with their gaps, lives of the store, the audit log. No case is opened here.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::api::App;
use super::guard::Clerk;
use crate::app::devices::EnrolError;
use crate::app::office::Problem;
use crate::store::chain;
use crate::store::devices::{self as rows, Place};
use crate::store::inbox::DeviceRow;

/// A device that signs submissions, or one that was let in by code.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct DeviceView {
    /// Its id.
    id: String,
    /// Its office.
    office: String,
    /// `settings`, `code`, `hub` (vouched for by its office), or `unknown`: it handed in once and is known no more.
    let_in_by: &'static str,
    /// Whether it was taken out of service.
    revoked: bool,
    /// When its last submission arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_received: Option<String>,
    /// What arrived in each life of its file.
    lives: Vec<DeviceLifeView>,
}

/// What arrived from one life of a device's file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceLifeView {
    /// Name of that life.
    outbox_epoch: String,
    /// Its highest count that arrived.
    last_seq: u32,
    /// Counts below it that did not arrive; the first twenty.
    missing: Vec<u32>,
    /// Submissions that contradict others: a copied disk shows here.
    doubts: u32,
}

/// All devices.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DevicesView {
    devices: Vec<DeviceView>,
    /// Submissions that contradicted earlier ones.
    alarms: u32,
}

#[utoipa::path(get, path = "/api/v1/devices", tag = "fleet",
    responses((status = 200, body = DevicesView), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn devices(State(app): App) -> Result<Json<DevicesView>, Problem> {
    let (arrived, alarms) = (app.store.devices().await?, app.store.alarms().await?);
    let enrolled = app.store.look(rows::all).await?;
    let mut devices: BTreeMap<String, DeviceView> = BTreeMap::new();
    for peer in app.registry.gate().book().peers() {
        let row = enrolled.iter().rfind(|row| row.id == peer.id);
        let view = DeviceView {
            id: peer.id.clone(),
            office: peer.office.clone(),
            let_in_by: match row {
                None => "settings",
                Some(row) if row.vouched_by.is_some() => "hub",
                Some(_) => "code",
            },
            revoked: peer.revoked,
            ..DeviceView::default()
        };
        devices.insert(peer.id.clone(), view);
    }
    for row in arrived {
        let view = devices
            .entry(row.device_id.clone())
            .or_insert_with(|| DeviceView {
                id: row.device_id.clone(),
                office: row.office.clone(),
                let_in_by: "unknown",
                ..DeviceView::default()
            });
        view.last_received = view.last_received.take().max(Some(row.last_received.to_string()));
        view.lives.push(life(row));
    }
    Ok(Json(DevicesView {
        devices: devices.into_values().collect(),
        alarms,
    }))
}

fn life(row: DeviceRow) -> DeviceLifeView {
    DeviceLifeView {
        outbox_epoch: row.outbox_epoch,
        last_seq: row.last_seq,
        missing: row.missing,
        doubts: row.doubts,
    }
}

/// For whom a code is.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct InviteBody {
    /// Its name: for a hub the id of the office.
    device: String,
    /// Id of its office.
    office: String,
}

/// A one-time code; it is told once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CodeView {
    /// Eight letters and digits.
    code: String,
    /// Until when it may be redeemed.
    #[serde(with = "crate::domain::ticket::time_text")]
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

#[utoipa::path(post, path = "/api/v1/devices/codes", tag = "fleet", request_body = InviteBody,
    responses((status = 200, body = CodeView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn invite(
    State(app): App,
    clerk: Clerk,
    Json(body): Json<InviteBody>,
) -> Result<Json<CodeView>, Problem> {
    let place = Place {
        device: body.device,
        office: body.office,
    };
    match app.registry.invite(place, &clerk.name).await {
        Ok((code, until)) => Ok(Json(CodeView {
            code: code.to_string(),
            until,
        })),
        Err(EnrolError::Store(error)) => Err(error.into()),
        Err(error) => Err(Problem::new(StatusCode::CONFLICT, "name", error.to_string())),
    }
}

#[utoipa::path(post, path = "/api/v1/devices/{id}/revoke", tag = "fleet", params(("id" = String, Path)),
    responses((status = 204, description = "Out of service"), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn revoke(
    State(app): App,
    clerk: Clerk,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    if app.registry.revoke(&id, &clerk.name).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found(
        "No such device was let in by code, or it is out of service already; those of the settings are taken out there",
    ))
}

/// A life of the store that was begun because something was restored.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LifeView {
    /// When.
    #[serde(with = "crate::domain::ticket::time_text")]
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `restore`, `file-copy` or `sender-knows-more`.
    why: String,
    /// The last place in the order that the store knew then.
    seq: i64,
}

/// The newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LivesView {
    lives: Vec<LifeView>,
}

#[utoipa::path(get, path = "/api/v1/lives", tag = "fleet",
    responses((status = 200, body = LivesView), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn lives(State(app): App) -> Result<Json<LivesView>, Problem> {
    let lives = app.store.lives().await?.into_iter().map(|row| LifeView {
        at: row.at,
        why: row.why,
        seq: row.server_seq,
    });
    Ok(Json(LivesView {
        lives: lives.collect(),
    }))
}

#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: u64,
}

/// An entry of the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// 1, 2, 3…
    seq: u64,
    /// Microseconds since 1970.
    at: i64,
    /// Name of a token or a device; `central` and `terminal` for the program and its command line.
    who: Option<String>,
    /// Address it came from.
    from: Option<String>,
    /// What was done.
    #[schema(value_type = Object)]
    event: serde_json::Value,
}

/// In order, at most 500.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditView {
    entries: Vec<EntryView>,
}

#[utoipa::path(get, path = "/api/v1/audit", tag = "fleet", params(("after" = Option<u64>, Query)),
    responses((status = 200, body = AuditView), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn audit(State(app): App, Query(page): Query<After>) -> Result<Json<AuditView>, Problem> {
    let entries = app
        .store
        .look(move |sql| chain::entries(sql, page.after, 500))
        .await?;
    let view = |entry: crate::domain::audit::Entry| EntryView {
        seq: entry.seq,
        at: entry.at,
        who: entry.who,
        from: entry.peer,
        event: serde_json::from_str(&entry.event).unwrap_or_default(),
    };
    Ok(Json(AuditView {
        entries: entries.into_iter().map(view).collect(),
    }))
}
