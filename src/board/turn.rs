//! The page of one turn, for the telephone of whoever holds its paper: number, place in the line, where to go.
//!
//! Its address holds the ticket's random id and nothing about the person.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tracing::error;

use crate::app::office::OfficeApp;
use crate::console::kit::{Kit, page};
use crate::domain::id::TicketId;
use crate::domain::ticket::Status;

#[derive(Template)]
#[template(path = "board/turn.html")]
struct TurnPage {
    k: Kit,
    label: String,
    number: String,
    queue: String,
    tone: &'static str,
    state: String,
    text: String,
    rows: Vec<(String, String)>,
    note: String,
    /// Whether the page renews itself.
    alive: bool,
}

/// `/turno/{id}`.
pub(super) async fn turn(State(app): State<Arc<OfficeApp>>, Path(id): Path<String>) -> Response {
    let k = crate::console::kit_of(&app);
    let mut view = TurnPage {
        label: k.say("turn-page-label"),
        number: String::new(),
        queue: String::new(),
        tone: "warn",
        state: k.say("turn-page-unknown"),
        text: k.say("turn-page-unknown-text"),
        rows: Vec::new(),
        note: k.say("turn-page-note"),
        alive: false,
        k,
    };
    let found = id.parse::<TicketId>().ok().map(|id| app.ticket(id)).transpose();
    let ticket = match found {
        Ok(Some(Some(ticket))) => ticket,
        Ok(_) => return (StatusCode::NOT_FOUND, page(&view)).into_response(),
        Err(problem) => {
            error!(%problem, "a turn could not be looked up");
            return (StatusCode::SERVICE_UNAVAILABLE, page(&view)).into_response();
        }
    };
    view.number.clone_from(&ticket.number);
    let queue = app
        .config()
        .queues
        .iter()
        .find(|queue| queue.id == ticket.queue.as_str());
    view.queue = queue.map(|queue| queue.name.clone()).unwrap_or_default();
    let (tone, state, text) = match ticket.status {
        Status::Waiting => {
            view.rows
                .push((view.k.say("turn-page-ahead"), ticket.ahead.to_string()));
            if let Some(range) = ticket.estimate {
                let minutes = view.k.say("turn-page-range");
                let minutes = minutes
                    .replace("{from}", &range.from_minutes.to_string())
                    .replace("{to}", &range.to_minutes.to_string());
                view.rows.push((view.k.say("turn-page-wait"), minutes));
            }
            ("good", "turn-page-waiting", view.k.say("turn-page-waiting-text"))
        }
        Status::Called | Status::Serving => {
            let counter = ticket
                .counter
                .map(|counter| counter.0.to_string())
                .unwrap_or_default();
            (
                "warn",
                "turn-page-called",
                view.k.fill("turn-page-called-text", "counter", counter),
            )
        }
        Status::Parked => ("warn", "turn-page-parked", view.k.say("turn-page-parked-text")),
        Status::NoShow => ("warn", "turn-page-missed", view.k.say("turn-page-missed-text")),
        Status::Finished => ("good", "turn-page-finished", String::new()),
        Status::Cancelled | Status::Expired => ("warn", "turn-page-over", view.k.say("turn-page-over-text")),
    };
    view.alive = !ticket.status.is_final();
    view.tone = tone;
    view.state = view.k.say(state);
    view.text = text;
    page(&view)
}
