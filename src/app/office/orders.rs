//! `/api/v1/kiosks/{kiosk}/orders`: what staff ask of a kiosk's printers, and what became of it.
//!
//! A kiosk asks for its orders every few seconds; nobody reaches into a kiosk. An order is an event, so that a copy
//! of a turn ticket is on record with who asked for it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OfficeApp;
use super::api::{ask, required};
use super::api_queues::named_kiosk;
use super::auth::Caller;
use super::problem::Problem;
use super::views::TicketView;
use crate::domain::office::{Command, StandingOrder};
use crate::domain::printing::{OrderOutcome, PaperOrder};
use crate::domain::ticket::{KioskId, time_text};

type App = State<Arc<OfficeApp>>;

/// An order and what became of it.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct OrderView {
    /// Its number.
    pub asked: u64,
    /// When.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub order: PaperOrder,
    /// The turn of a copy, as the paper says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnOnPaper>,
    /// What became of it.
    pub outcome: Option<OrderOutcome>,
    /// Whether the kiosk should still do it.
    pub open: bool,
}

/// What a turn ticket says.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct TurnOnPaper {
    /// `T-018`.
    pub number: String,
    /// Public name of its queue.
    pub queue_name: String,
    /// When it was issued.
    #[serde(with = "time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: Timestamp,
}

impl OfficeApp {
    /// What was asked of a kiosk's printers today, oldest first.
    pub fn orders(&self, kiosk: &KioskId) -> Vec<OrderView> {
        self.look(|office, now| {
            let view = |standing: &StandingOrder| OrderView {
                asked: standing.asked,
                at: standing.at,
                order: standing.order.clone(),
                turn: match &standing.order {
                    PaperOrder::Reprint { ticket } => office.ticket(*ticket).map(|ticket| {
                        let view = TicketView::of(office, ticket, now);
                        TurnOnPaper {
                            number: view.number,
                            queue_name: office
                                .setup()
                                .queue(&ticket.queue)
                                .map_or_else(|| ticket.queue.to_string(), |queue| queue.name.clone()),
                            issued_at: ticket.issued_at,
                        }
                    }),
                    PaperOrder::TestPage | PaperOrder::RollChanged { .. } => None,
                },
                outcome: standing.outcome,
                open: standing.is_open(now),
            };
            office.orders(kiosk).iter().map(view).collect()
        })
    }
}

/// What was asked of a kiosk's printers today.
#[utoipa::path(get, path = "/api/v1/kiosks/{kiosk}/orders", tag = "kiosks", params(("kiosk" = String, Path)),
    responses((status = 200, body = Vec<OrderView>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn list(
    State(app): App,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Vec<OrderView>>, Problem> {
    let kiosk = named_kiosk(&app, &caller, id)?;
    Ok(Json(app.orders(&kiosk)))
}

/// Asks something of a kiosk's printers.
#[utoipa::path(post, path = "/api/v1/kiosks/{kiosk}/orders", tag = "kiosks", request_body = PaperOrder,
    params(("kiosk" = String, Path)),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn order(
    State(app): App,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<StatusCode, Problem> {
    let kiosk = named_kiosk(&app, &caller, id)?;
    let order: PaperOrder = required(&bytes)?;
    if let PaperOrder::RollChanged { printer } = &order
        && !matches!(printer.as_str(), "first" | "second")
    {
        return Err(Problem::bad_request("printer", "A printer is first or second"));
    }
    app.command(Command::OrderPaper { kiosk, order }, ask(&caller, &headers)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a kiosk says of an order.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct ObeyedBody {
    /// What became of it.
    pub outcome: OrderOutcome,
}

/// A kiosk says what became of an order.
#[utoipa::path(post, path = "/api/v1/kiosks/{kiosk}/orders/{number}", tag = "kiosks", request_body = ObeyedBody,
    params(("kiosk" = String, Path), ("number" = u64, Path)),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn obeyed(
    State(app): App,
    caller: Caller,
    Path((id, number)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<StatusCode, Problem> {
    let kiosk = named_kiosk(&app, &caller, id)?;
    let asked = number
        .parse()
        .map_err(|_| Problem::not_found("There is no such order at this kiosk"))?;
    let told: ObeyedBody = required(&bytes)?;
    let command = Command::Obeyed {
        kiosk,
        asked,
        outcome: told.outcome,
    };
    app.command(command, ask(&caller, &headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
