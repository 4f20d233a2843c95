//! `/api/v1/queues` and `/api/v1/kiosks`: the queues, what staff say of them, and people who ask for a person.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OfficeApp;
use super::api::{ask, body, kiosk_of, short};
use super::auth::Caller;
use super::problem::Problem;
use super::views::QueueView;
use crate::domain::office::Command;
use crate::domain::staff::Permission;
use crate::domain::ticket::{KioskId, QueueId, time_text};

type App = State<Arc<OfficeApp>>;

/// What staff say of a queue.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct QueueBody {
    /// `down`: what people should know.
    #[serde(default)]
    pub note: Option<String>,
}

/// Where somebody asks for a person.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct HelpBody {
    /// The step, such as `question 3`; never an answer.
    #[serde(default)]
    pub step: Option<String>,
}

/// Somebody at a kiosk waits for a person.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HelpView {
    /// The kiosk.
    #[schema(value_type = String)]
    pub kiosk: KioskId,
    /// Since when.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// At which step.
    pub step: Option<String>,
}

/// The queues, in the order of the board.
#[utoipa::path(get, path = "/api/v1/queues", tag = "office", security((), ("bearer" = [])),
    responses((status = 200, body = Vec<QueueView>)))]
pub(super) async fn queues(State(app): App) -> Json<Vec<QueueView>> {
    Json(app.look(QueueView::all))
}

/// Says that the system behind a queue is down or up again, or that it gives no more tickets today or does again.
///
/// `down` and `up` are for every agent, who is the first to know; `stop` and `resume` for supervisors.
#[utoipa::path(post, path = "/api/v1/queues/{id}/{move}", tag = "office", request_body = Option<QueueBody>,
    params(("id" = String, Path), ("move" = String, Path, description = "down, up, stop or resume"),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = QueueView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn queue_move(
    State(app): App,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<QueueView>, Problem> {
    if matches!(name.as_str(), "stop" | "resume") {
        caller.may(Permission::SteerQueues)?;
    }
    let wish: QueueBody = body(&bytes)?;
    let queue = QueueId(id);
    if app.setup().queue(&queue).is_none() {
        return Err(Problem::not_found("There is no such queue in this office"));
    }
    let command = match name.as_str() {
        "down" | "up" => Command::Outage {
            queue: queue.clone(),
            down: name == "down",
            note: short(wish.note),
        },
        "stop" | "resume" => Command::Stop {
            queue: queue.clone(),
            stop: name == "stop",
        },
        _ => return Err(Problem::not_found("There is no such move")),
    };
    app.command(command, ask(&caller, &headers)?).await?;
    app.look(QueueView::all)
        .into_iter()
        .find(|view| view.id == queue)
        .map(Json)
        .ok_or_else(|| Problem::not_found("There is no such queue in this office"))
}

/// Kiosks where somebody waits for a person.
#[utoipa::path(get, path = "/api/v1/help", tag = "office",
    responses((status = 200, body = Vec<HelpView>), (status = 401, body = Problem)))]
pub(super) async fn help_calls(State(app): App) -> Json<Vec<HelpView>> {
    Json(app.look(|office, _| {
        let view = |(kiosk, call): (&KioskId, &crate::domain::office::HelpCall)| HelpView {
            kiosk: kiosk.clone(),
            since: call.since,
            step: call.step.clone(),
        };
        office.help_calls().map(view).collect()
    }))
}

/// Asks for a person at a kiosk.
#[utoipa::path(post, path = "/api/v1/kiosks/{kiosk}/help", tag = "kiosks", request_body = Option<HelpBody>,
    params(("kiosk" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn ask_help(
    State(app): App,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<axum::http::StatusCode, Problem> {
    let kiosk = named_kiosk(&app, &caller, id)?;
    let wish: HelpBody = body(&bytes)?;
    let command = Command::AskHelp {
        kiosk,
        step: short(wish.step),
    };
    app.command(command, ask(&caller, &headers)?).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

/// How the call for a person at a kiosk stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HelpState {
    /// Nobody asked, or they need nobody any more.
    None,
    /// Staff were told.
    Asked,
    /// Somebody of the staff is on the way.
    Coming,
}

/// What a kiosk may know of its own call.
#[derive(Debug, Serialize, ToSchema)]
pub struct HelpStateView {
    /// How it stands.
    pub state: HelpState,
}

/// Whether staff heard the call for a person at a kiosk, and whether somebody is on the way.
#[utoipa::path(get, path = "/api/v1/kiosks/{kiosk}/help", tag = "kiosks", params(("kiosk" = String, Path)),
    responses((status = 200, body = HelpStateView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn help_state(
    State(app): App,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<HelpStateView>, Problem> {
    let kiosk = named_kiosk(&app, &caller, id)?;
    let state = app.look(|office, _| match office.help_of(&kiosk) {
        None => HelpState::None,
        Some(call) if call.attended_at.is_some() => HelpState::Coming,
        Some(_) => HelpState::Asked,
    });
    Ok(Json(HelpStateView { state }))
}

/// Ends a call for a person: staff went there, or (from the kiosk) nobody needs to any more.
#[utoipa::path(post, path = "/api/v1/kiosks/{kiosk}/help/end", tag = "kiosks", params(("kiosk" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn end_help(
    State(app): App,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<axum::http::StatusCode, Problem> {
    let attended = matches!(caller, Caller::Person(_) | Caller::Program(_));
    let kiosk = named_kiosk(&app, &caller, id)?;
    let command = Command::EndHelp { kiosk, attended };
    app.command(command, ask(&caller, &headers)?).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

/// The kiosk of an address: its own for a kiosk, any known one for staff.
pub(super) fn named_kiosk(app: &OfficeApp, caller: &Caller, id: String) -> Result<KioskId, Problem> {
    if matches!(caller, Caller::Anybody) {
        return Err(Problem::unauthorized());
    }
    let unknown = || Problem::not_found("There is no such kiosk in this office");
    // Looked up first: a name that no kiosk could have is just one that none has.
    if !app.kiosk_ids().contains(&id) {
        return Err(unknown());
    }
    kiosk_of(caller, Some(KioskId(id)), app)?.ok_or_else(unknown)
}
