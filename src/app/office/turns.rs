//! `/api/v1/turns`: where a turn of today stands, by the number on its paper.
//!
//! For kiosks and staff only. It tells what a board would and whether the turn may come back; no lane, no form.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OfficeApp;
use super::problem::Problem;
use super::views::EstimateSchema;
use crate::domain::event::Estimate;
use crate::domain::id::TicketId;
use crate::domain::ticket::{CounterNumber, QueueId, Status};

/// A turn of today.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TurnView {
    /// Its name for programs.
    #[schema(value_type = String, format = "uuid")]
    pub id: TicketId,
    /// Its number as shown.
    pub number: String,
    /// Its queue.
    #[schema(value_type = String)]
    pub queue: QueueId,
    /// The queue's name for people.
    pub queue_name: String,
    /// `waiting`, `called`, `serving`, `parked`, `finished`, `no_show` or `cancelled`.
    #[schema(value_type = String)]
    pub status: Status,
    /// People who will be called before it, while it waits.
    pub ahead: u32,
    /// The wait; null without an open counter.
    #[schema(value_type = Option<EstimateSchema>)]
    pub estimate: Option<Estimate>,
    /// The counter that has it or had it last.
    #[schema(value_type = Option<u16>)]
    pub counter: Option<CounterNumber>,
    /// Whether it was called in vain and may come back into the line now.
    pub may_return: bool,
    /// How many turns of its lane go before it when it comes back.
    pub behind: u32,
}

/// Tells where the turn of today with this number stands.
#[utoipa::path(get, path = "/api/v1/turns/{turn}", tag = "tickets",
    params(("turn" = String, Path, description = "Its number as shown, such as T-018")),
    responses((status = 200, body = TurnView), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn turn(
    State(app): State<Arc<OfficeApp>>,
    Path(number): Path<String>,
) -> Result<Json<TurnView>, Problem> {
    app.look(|office, now| {
        let ticket = office.ticket_shown(&number)?;
        let setup = office.setup();
        let waits = ticket.status == Status::Waiting;
        let in_time = ticket
            .ended_at
            .is_some_and(|at| now.duration_since(at) <= setup.rejoin_within);
        Some(TurnView {
            id: ticket.id,
            number: ticket.shown(),
            queue: ticket.queue.clone(),
            queue_name: setup
                .queue(&ticket.queue)
                .map(|queue| queue.name.clone())
                .unwrap_or_default(),
            status: ticket.status,
            ahead: if waits {
                office.ahead(&ticket.queue, ticket.lane, ticket.place)
            } else {
                0
            },
            estimate: if waits {
                office.estimate_of(ticket, now)
            } else {
                None
            },
            counter: ticket.counter,
            may_return: ticket.status == Status::NoShow && in_time && ticket.returns < setup.rejoin_max,
            behind: u32::try_from(setup.rejoin_behind).unwrap_or(u32::MAX),
        })
    })
    .map(Json)
    .ok_or_else(|| Problem::not_found("There is no turn of this number today"))
}
