//! The web board of a waiting room: last call, three before it, queues with waits, and the rule.
//!
//! It is public: numbers, counters, queues and counts, and nothing about anybody.
//! Begin at [`routes`]; what it hears is `/api/v1/board/events`, what it does is in `board.js`.

mod turn;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::app::office::OfficeApp;
use crate::console::kit::{Kit, page};

#[derive(Template)]
#[template(path = "board/board.html")]
struct BoardPage {
    k: Kit,
    room: String,
    zone: String,
    rule: String,
}

/// `/board` and `/turno/{id}`.
pub fn routes(office: &Arc<OfficeApp>) -> Router {
    Router::new()
        .route("/board", get(board))
        .route("/turno/{id}", get(turn::turn))
        .with_state(Arc::clone(office))
}

async fn board(State(office): State<Arc<OfficeApp>>) -> Response {
    let k = crate::console::kit_of(&office);
    let rule = k.fill("office-rule-wall", "k", office.setup().max_run.get());
    page(&BoardPage {
        room: office.config().office.room.clone(),
        zone: office.config().time_zone.clone(),
        rule,
        k,
    })
}
