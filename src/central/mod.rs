//! The central's web pages: is this receipt ours? For phones, without scripts and without anything personal.
//!
//! Begin at [`router`].

mod fleet;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use crate::app::central::{COLLECTED, CaseError, CaseView, CentralApp, ReceiptView, VerifyError};
use crate::app::office::Problem;
use crate::i18n::{Language, fill, say};

/// The pages and what they need.
pub fn router(central: &Arc<CentralApp>) -> Router {
    Router::new()
        .route("/", get(form))
        .route("/verify", get(form))
        .route("/verify/{code}", get(verify).post(how_far))
        .route("/assets/central.css", get(css))
        .route("/assets/fonts/{name}", get(font))
        .with_state(Arc::clone(central))
        .merge(fleet::pages(central).into_router())
}

#[derive(Template)]
#[template(path = "central/page.html")]
struct Page {
    language: Language,
    typed: String,
    /// `good`, `warn`, `bad`, or empty where nothing was asked yet.
    tone: &'static str,
    title: String,
    text: String,
    found: Vec<Row>,
    /// Whether how far the case is can be asked for with the last digits.
    ask_digits: bool,
    /// The code, for that form.
    code: String,
    /// The code that the answer is about, where no receipt shows it.
    about: String,
}

struct Row {
    receipt: ReceiptView,
    registered: String,
    received: String,
}

impl Page {
    fn say(&self, key: &str) -> String {
        say(self.language, key)
    }
}

#[derive(Deserialize)]
struct Asked {
    code: Option<String>,
}

async fn form(headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    if let Some(code) = asked.code.filter(|code| !code.trim().is_empty()) {
        // A whole address from a QR is as good as the receipt in it.
        let code = code.trim();
        let code = code.rsplit_once("/verify/").map_or(code, |(_, code)| code);
        return Redirect::to(&format!("/verify/{}", escape(code))).into_response();
    }
    let language = language(&headers);
    page(
        StatusCode::OK,
        &Page {
            language,
            typed: String::new(),
            tone: "",
            title: say(language, "central-title"),
            text: say(language, "central-lead"),
            found: vec![],
            ask_digits: false,
            code: String::new(),
            about: String::new(),
        },
    )
}

async fn verify(
    State(central): State<Arc<CentralApp>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(code): Path<String>,
) -> Response {
    let found = central.verify(&code, visitor(&central, &headers, peer)).await;
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut response = if accept.contains("text/html") {
        html(language(&headers), code, found)
    } else {
        json(found).unwrap_or_else(IntoResponse::into_response)
    };
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
    }
    response
}

#[derive(Deserialize)]
struct Digits {
    #[serde(default)]
    digits: String,
}

/// How far a case is, for whoever has the paper and knows the last digits.
async fn how_far(
    State(central): State<Arc<CentralApp>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(code): Path<String>,
    Form(typed): Form<Digits>,
) -> Response {
    let language = language(&headers);
    let told = central
        .case_of(&code, &typed.digits, visitor(&central, &headers, peer))
        .await;
    let refused = |status, word: &str, again| {
        let text = say(language, &format!("{word}-text"));
        (status, "warn", say(language, word), text, again)
    };
    let mut about = String::new();
    let (status, tone, title, text, again) = match told {
        Ok(case) => {
            about.clone_from(&case.code);
            let word = format!("central-status-{}", case.status.replace('_', "-"));
            let tone = if case.status == "needs_something" {
                "warn"
            } else {
                "good"
            };
            let text = said_beside(language, &case);
            (StatusCode::OK, tone, say(language, &word), text, false)
        }
        Err(CaseError::Code(error)) => return html(language, code, Err(error)),
        Err(CaseError::Digits) => refused(StatusCode::FORBIDDEN, "central-digits-wrong", true),
        Err(CaseError::NotYet) => refused(StatusCode::CONFLICT, "central-not-yet", false),
        Err(CaseError::TooMany) => refused(StatusCode::TOO_MANY_REQUESTS, "central-digits-shut", false),
        Err(CaseError::Store(_)) => refused(StatusCode::SERVICE_UNAVAILABLE, "central-store", true),
    };
    page(
        status,
        &Page {
            language,
            typed: String::new(),
            tone,
            title,
            text,
            found: vec![],
            ask_digits: again,
            code,
            about,
        },
    )
}

/// What staff say beside the state, and since when.
fn said_beside(language: Language, case: &CaseView) -> String {
    let note = match case.note.as_deref() {
        Some(note) => match note.strip_prefix('#') {
            Some(key) => say(language, &format!("central-note-{key}")),
            None => note.to_owned(),
        },
        None => String::new(),
    };
    let since = case
        .since
        .as_deref()
        .and_then(|at| at.parse::<jiff::Timestamp>().ok())
        .map(|at| fill(language, "central-since", &[("day", &in_quito(at, "%d/%m/%Y"))]));
    [note, since.unwrap_or_default()].join(" ").trim().to_owned()
}

/// The visitor's address; behind our own proxy the last one it appended, for all before it is only claimed.
fn visitor(central: &CentralApp, headers: &HeaderMap, peer: SocketAddr) -> IpAddr {
    let forwarded = headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    forwarded
        .filter(|_| central.config.behind_proxy)
        .unwrap_or(peer.ip())
}

fn json(found: Result<Vec<ReceiptView>, VerifyError>) -> Result<Response, Problem> {
    let found = found.map_err(|error| {
        let (status, code) = kind(&error);
        match error {
            VerifyError::Store(error) => error.into(),
            other => Problem::new(status, code, other.to_string()),
        }
    })?;
    match &found[..] {
        [one] => Ok(Json(one).into_response()),
        _ => Err(Problem::new(
            StatusCode::CONFLICT,
            "ambiguous",
            "Several receipts have this code; send the whole signed receipt from the QR",
        )),
    }
}

fn kind(error: &VerifyError) -> (StatusCode, &'static str) {
    match error {
        VerifyError::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
        VerifyError::NotGenuine(_) => (StatusCode::UNPROCESSABLE_ENTITY, "not_genuine"),
        VerifyError::Unknown { genuine: false, .. } => (StatusCode::NOT_FOUND, "unknown"),
        VerifyError::Unknown { genuine: true, .. } => (StatusCode::NOT_FOUND, "not_arrived"),
        VerifyError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
        VerifyError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store"),
    }
}

fn html(language: Language, typed: String, found: Result<Vec<ReceiptView>, VerifyError>) -> Response {
    match found {
        Ok(found) => page(
            StatusCode::OK,
            &Page {
                language,
                typed: String::new(),
                tone: "good",
                title: say(language, "central-found"),
                text: say(
                    language,
                    if found.len() > 1 {
                        "central-several"
                    } else {
                        "central-found-text"
                    },
                ),
                code: found.first().map(|one| one.code.clone()).unwrap_or_default(),
                ask_digits: !found.is_empty(),
                found: found.into_iter().map(|receipt| row(receipt, language)).collect(),
                about: String::new(),
            },
        ),
        Err(error) => {
            let (status, word) = kind(&error);
            // Half a signed receipt in the field would only be refused again.
            let typed = if typed.chars().count() > 24 {
                String::new()
            } else {
                typed
            };
            page(
                status,
                &Page {
                    language,
                    tone: if word == "not_genuine" { "bad" } else { "warn" },
                    title: say(language, &format!("central-{}", word.replace('_', "-"))),
                    text: say(language, &format!("central-{}-text", word.replace('_', "-"))),
                    typed,
                    found: vec![],
                    ask_digits: false,
                    code: String::new(),
                    about: String::new(),
                },
            )
        }
    }
}

fn row(mut receipt: ReceiptView, language: Language) -> Row {
    // Nobody stands in an office of that name.
    if receipt.office == COLLECTED {
        receipt.office = say(language, "central-collected");
    }
    let shown = |at: jiff::Timestamp| in_quito(at, "%d/%m/%Y, %H:%M");
    Row {
        registered: shown(receipt.registered_at),
        received: shown(receipt.received_at),
        receipt,
    }
}

fn in_quito(at: jiff::Timestamp, format: &str) -> String {
    match at.in_tz("America/Guayaquil") {
        Ok(at) => at.strftime(format).to_string(),
        Err(_) => at.to_string(),
    }
}

fn page(status: StatusCode, page: &Page) -> Response {
    match page.render() {
        Ok(text) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn language(headers: &HeaderMap) -> Language {
    let wanted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    match wanted.and_then(|wanted| wanted.get(..2)) {
        Some("en") => Language::English,
        _ => Language::Spanish,
    }
}

/// Percent-encodes all but what may stand in a path as it is.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

async fn css() -> Response {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("page.css"),
    )
        .into_response()
}

async fn font(Path(name): Path<String>) -> Response {
    let bytes: &'static [u8] = match name.as_str() {
        "VentanillaSans-Regular.ttf" => include_bytes!("../../ui/fonts/VentanillaSans-Regular.ttf"),
        "VentanillaSans-SemiBold.ttf" => include_bytes!("../../ui/fonts/VentanillaSans-SemiBold.ttf"),
        "VentanillaSans-Bold.ttf" => include_bytes!("../../ui/fonts/VentanillaSans-Bold.ttf"),
        "VentanillaSans-ExtraBold.ttf" => include_bytes!("../../ui/fonts/VentanillaSans-ExtraBold.ttf"),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [
        (header::CONTENT_TYPE, "font/ttf"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, bytes).into_response()
}

#[cfg(test)]
mod desk_tests;
#[cfg(test)]
mod onward_tests;
#[cfg(test)]
mod tests;
