//! `POST /v1/devices/enrol` for a device with a code, `POST /v1/devices` and `…/revoke` for a hub that vouches or no
//! longer does.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::de::DeserializeOwned;

use super::{EnrolError, Registry};
use crate::sync::enrol::{ENROL_PATH, UNVOUCH_PATH, VOUCH_PATH};
use crate::sync::server::problem;

/// A key and a code are short.
const BODY_MAX: usize = 16 * 1024;

/// The way in.
pub fn routes(registry: Arc<Registry>) -> Router {
    Router::new()
        .route(ENROL_PATH, post(enrol))
        .route(VOUCH_PATH, post(vouch))
        .route(UNVOUCH_PATH, post(unvouch))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(registry)
}

async fn enrol(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    body: Bytes,
) -> Response {
    match read(&body) {
        Ok(wire) => match registry.enrol(wire, from.ip()).await {
            Ok(enrolled) => Json(enrolled).into_response(),
            Err(error) => refuse(&error),
        },
        Err(refused) => *refused,
    }
}

async fn vouch(
    State(registry): State<Arc<Registry>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let hub = match registry.gate.admit(&method, &uri, &headers, &body) {
        Ok(hub) => hub,
        Err(refused) => return refused.answer(),
    };
    match read(&body) {
        Ok(wire) => match registry.vouched(&hub, wire).await {
            Ok(welcome) => Json(welcome).into_response(),
            Err(error) => refuse(&error),
        },
        Err(refused) => *refused,
    }
}

async fn unvouch(
    State(registry): State<Arc<Registry>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let hub = match registry.gate.admit(&method, &uri, &headers, &body) {
        Ok(hub) => hub,
        Err(refused) => return refused.answer(),
    };
    match read(&body) {
        Ok(wire) => match registry.unvouched(&hub, wire).await {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(error) => refuse(&error),
        },
        Err(refused) => *refused,
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response>> {
    serde_json::from_slice(body).map_err(|error| {
        let title = format!("The request cannot be read: {error}");
        Box::new(problem(StatusCode::BAD_REQUEST, "malformed", &title))
    })
}

fn refuse(error: &EnrolError) -> Response {
    let (status, kind) = match error {
        EnrolError::Code => (StatusCode::FORBIDDEN, "code-refused"),
        EnrolError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too-many"),
        EnrolError::Key => (StatusCode::BAD_REQUEST, "malformed-key"),
        EnrolError::Name(_) => (StatusCode::CONFLICT, "name-taken"),
        EnrolError::OtherOffice => (StatusCode::FORBIDDEN, "other-office"),
        EnrolError::Above => (StatusCode::SERVICE_UNAVAILABLE, "municipality-away"),
        EnrolError::AboveRefused(_) => (StatusCode::CONFLICT, "municipality-refuses"),
        EnrolError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store"),
    };
    if let EnrolError::Store(problem) = error {
        tracing::error!(%problem, "a device could not be let in");
    }
    problem(status, kind, &error.to_string())
}
