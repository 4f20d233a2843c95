//! The page of one turn, for the telephone of whoever holds its paper: number, place in the line, where to go.
//!
//! Its address holds the ticket's random id and nothing about the person. It keeps itself fresh with small requests
//! that an old telephone can make: nothing is sent where nothing changed. Begin at [`turn`].

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tracing::error;

use crate::app::office::{OfficeApp, TicketView};
use crate::console::kit::{Kit, page};
use crate::domain::id::TicketId;
use crate::domain::ticket::Status;
use crate::i18n::Language;

#[derive(Template)]
#[template(path = "board/turn.html")]
struct TurnPage {
    k: Kit,
    live: String,
    /// Code and own name of the language to change to.
    other: &'static str,
    other_name: String,
}

/// The part that changes.
#[derive(Template)]
#[template(path = "board/turn_live.html")]
struct TurnLive {
    k: Kit,
    number: String,
    queue: String,
    tone: &'static str,
    state: String,
    text: String,
    /// Where to go now, while called.
    counter: String,
    rows: Vec<(String, String)>,
    /// Whether nothing will change any more.
    over: bool,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    lang: String,
    #[serde(default)]
    part: String,
}

/// The language a person chose, else the first of ours that their telephone asks for, else the office's.
fn language(asked: &str, headers: &HeaderMap, own: Language) -> Language {
    let ours = |code: &str| match code.split('-').next() {
        Some("es" | "qu") => Some(Language::Spanish),
        Some("en") => Some(Language::English),
        Some(_) | None => None,
    };
    let wanted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    ours(asked)
        .or_else(|| {
            let mut codes: Vec<(f32, &str)> = wanted
                .split(',')
                .filter_map(|part| {
                    let (code, weight) = part.split_once(";q=").unwrap_or((part, "1"));
                    Some((weight.trim().parse().ok()?, code.trim()))
                })
                .collect();
            codes.sort_by(|a, b| b.0.total_cmp(&a.0));
            codes.into_iter().find_map(|(_, code)| ours(code))
        })
        .unwrap_or(own)
}

/// `/turno/{id}`, and with `?part=live` only what changes.
pub(super) async fn turn(
    State(app): State<Arc<OfficeApp>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let mut k = crate::console::kit_of(&app);
    k.language = language(&asked.lang, &headers, k.language);
    let found = id.parse::<TicketId>().ok().map(|id| app.ticket(id)).transpose();
    let (status, live) = match found {
        Ok(Some(Some(ticket))) => (StatusCode::OK, known(&app, &k, &ticket)),
        Ok(_) => (StatusCode::NOT_FOUND, unknown(&k)),
        Err(problem) => {
            error!(%problem, "a turn could not be looked up");
            (StatusCode::SERVICE_UNAVAILABLE, unknown(&k))
        }
    };
    let live = match live.render() {
        Ok(live) => live,
        Err(problem) => {
            error!(%problem, "the page of a turn could not be made");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    if asked.part != "live" {
        let (other, key) = match k.language {
            Language::Spanish | Language::Kichwa => ("en", "turn-in-english"),
            Language::English => ("es", "turn-in-spanish"),
        };
        let other_name = k.say(key);
        let whole = TurnPage {
            k,
            live,
            other,
            other_name,
        };
        return (status, page(&whole)).into_response();
    }
    let hash = Sha256::digest(live.as_bytes());
    let tag: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let same = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|had| had == tag.as_str());
    if same && status == StatusCode::OK {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let html = (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned());
    (status, [html, (header::ETAG, tag)], live).into_response()
}

fn unknown(k: &Kit) -> TurnLive {
    TurnLive {
        k: k.clone(),
        number: String::new(),
        queue: String::new(),
        tone: "warn",
        state: k.say("turn-page-unknown"),
        text: k.say("turn-page-unknown-text"),
        counter: String::new(),
        rows: Vec::new(),
        over: true,
    }
}

fn known(app: &OfficeApp, k: &Kit, ticket: &TicketView) -> TurnLive {
    let mut rows = Vec::new();
    let mut counter = String::new();
    let (tone, state, text) = match ticket.status {
        Status::Waiting => {
            rows.push((k.say("turn-page-ahead"), ticket.ahead.to_string()));
            match ticket.estimate {
                Some(range) => {
                    let key = if range.from_minutes == 0 {
                        "turn-upto"
                    } else {
                        "turn-page-range"
                    };
                    let minutes = k
                        .say(key)
                        .replace("{from}", &range.from_minutes.to_string())
                        .replace("{to}", &range.to_minutes.to_string());
                    rows.push((k.say("turn-page-wait"), minutes));
                    let text = if ticket.ahead == 0 {
                        "turn-next-text"
                    } else {
                        "turn-page-waiting-text"
                    };
                    ("good", "turn-page-waiting", k.say(text))
                }
                None => ("warn", "turn-page-waiting", k.say("turn-no-counter-text")),
            }
        }
        Status::Called => {
            counter = ticket
                .counter
                .map(|number| number.0.to_string())
                .unwrap_or_default();
            (
                "warn",
                "turn-page-called",
                k.fill("turn-page-called-text", "counter", &counter),
            )
        }
        Status::Serving => {
            let number = ticket
                .counter
                .map(|number| number.0.to_string())
                .unwrap_or_default();
            (
                "good",
                "turn-serving",
                k.fill("turn-serving-text", "counter", number),
            )
        }
        Status::Parked => ("warn", "turn-page-parked", k.say("turn-page-parked-text")),
        Status::NoShow => {
            let text = match back_until(app, ticket) {
                Some(until) => k.fill("turn-missed-back-text", "time", k.clock(&until)),
                None => k.say("turn-missed-late-text"),
            };
            ("warn", "turn-page-missed", text)
        }
        Status::Finished => ("good", "turn-page-finished", k.say("turn-finished-text")),
        Status::Expired => ("warn", "turn-closed", k.say("turn-closed-text")),
        Status::Cancelled => ("warn", "turn-page-over", k.say("turn-page-over-text")),
    };
    let setup = app.setup();
    let queue = setup.queue(&ticket.queue);
    TurnLive {
        number: ticket.number.clone(),
        queue: queue.map(|queue| queue.name.clone()).unwrap_or_default(),
        tone,
        state: k.say(state),
        text,
        counter,
        rows,
        over: ticket.status.is_final() && ticket.status != Status::NoShow,
        k: k.clone(),
    }
}

/// Until when an absent person may come back to the line, if they still may.
fn back_until(app: &OfficeApp, ticket: &TicketView) -> Option<Timestamp> {
    let setup = app.setup();
    let returns = app.look(|office, _| office.ticket(ticket.id).map(|ticket| ticket.returns))?;
    let until = ticket.ended_at? + setup.rejoin_within;
    (returns < setup.rejoin_max && app.now() <= until).then_some(until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_gets_its_language_and_a_person_the_one_they_chose() {
        let of = |asked: &str, accept: &str| {
            let mut headers = HeaderMap::new();
            if let Ok(value) = accept.parse() {
                headers.insert(header::ACCEPT_LANGUAGE, value);
            }
            language(asked, &headers, Language::Spanish).code()
        };
        assert_eq!(of("", ""), "es");
        assert_eq!(of("", "en-US,en;q=0.9,es;q=0.8"), "en");
        assert_eq!(of("", "fr-FR, en;q=0.3, es-EC;q=0.7"), "es");
        assert_eq!(of("es", "en"), "es");
        assert_eq!(of("en", "es"), "en");
        assert_eq!(of("xx", "de"), "es");
    }
}
