//! The web board of a waiting room: last call, three before it, queues with waits, and the rule.
//!
//! It is public: numbers, counters, queues and counts, and nothing about anybody.
//! Begin at [`routes`]; what it hears is `/api/v1/board/events`, what it does is in `board.js`.

pub mod picture;
#[cfg(feature = "screen")]
pub mod screen;
mod turn;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::app::office::{BoardVoice, OfficeApp};
use crate::console::kit::{Kit, page};
use crate::domain::office::Zone;

#[derive(Template)]
#[template(path = "board/board.html")]
struct BoardPage {
    k: Kit,
    room: String,
    /// IANA name for the clock.
    time_zone: String,
    /// Id of the zone it listens to.
    zone: String,
    rule: String,
}

#[derive(Template)]
#[template(path = "board/zones.html")]
struct ZonesPage {
    k: Kit,
    zones: Vec<Zone>,
    unknown: bool,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    zone: String,
}

/// `/board`, its voice, and `/turno/{id}`. Must be called inside the runtime, where the voice listens.
pub fn routes(office: &Arc<OfficeApp>) -> Router {
    let voice = BoardVoice::start(office);
    Router::new()
        .route("/board", get(board))
        .route("/turno/{id}", get(turn::turn))
        .with_state(Arc::clone(office))
        .route("/board/voice/{seq}", get(speak))
        .with_state((Arc::clone(office), voice))
}

/// The sound of a call that was really made; whoever asks for words of their own gets none.
async fn speak(
    State((office, voice)): State<(Arc<OfficeApp>, Arc<BoardVoice>)>,
    Path(seq): Path<String>,
) -> Response {
    let sound = match seq.parse() {
        Ok(seq) => voice.of_call(&office, seq).await,
        Err(_) => None,
    };
    match sound {
        Some(wav) => ([(header::CONTENT_TYPE, "audio/wav")], wav).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The board of a zone; the list of zones where none of several was named, or one that does not exist.
async fn board(State(office): State<Arc<OfficeApp>>, Query(wanted): Query<Wanted>) -> Response {
    let k = crate::console::kit_of(&office);
    let setup = office.setup();
    let zone = match setup.zones.as_slice() {
        [only] if wanted.zone.is_empty() => Some(only),
        _ => setup.zone_of(&wanted.zone),
    };
    let Some(zone) = zone else {
        let unknown = !wanted.zone.is_empty();
        let zones = setup.zones.clone();
        let status = if unknown {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::OK
        };
        return (status, page(&ZonesPage { k, zones, unknown })).into_response();
    };
    let rule = k.fill("office-rule-wall", "k", setup.max_run.get());
    page(&BoardPage {
        room: zone.name.clone(),
        time_zone: office.config().time_zone.clone(),
        zone: zone.id.clone(),
        rule,
        k,
    })
}
