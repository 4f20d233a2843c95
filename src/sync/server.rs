//! Takes batches: proves the sender, checks each item, hands the good ones on, answers each in order.
//!
//! The same router stands in the office and at the municipality; what keeping means is a function they give.
//! It answers only after that function returned, that is after the commit.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::future::BoxFuture;

use super::gate::Gate;
use super::wire::{AnswerWire, BODY_MAX, BatchWire, ITEMS_MAX, PATH, ProblemWire, VerdictWire};
use crate::clock::Clock;
use crate::domain::seal::Signed;
use crate::domain::submission::Verdict;
use crate::domain::submission::peers::{Arrival, Peer, PeerBook};

/// What is answered once all is on the disk.
#[derive(Clone, Debug)]
pub struct Kept {
    /// One for each delivery, in order.
    pub verdicts: Vec<Verdict>,
    /// Life of the data file.
    pub epoch: String,
    /// How far verified copies reach: a signed mark; nothing while there are none.
    pub durable: Option<Signed>,
}

/// Keeps deliveries in one transaction and gives one verdict for each, in order.
///
/// An error means that nothing of it was kept, or that nobody knows; the sender tries again.
pub type Keep = Arc<dyn Fn(Arrival) -> BoxFuture<'static, Result<Kept, KeepError>> + Send + Sync>;

/// Nothing can be kept now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepError;

/// What the router needs.
#[derive(Clone)]
pub struct Door {
    /// Lets in the devices that may hand in.
    pub gate: Arc<Gate>,
    /// Keeps what is handed in.
    pub keep: Keep,
    /// The clock.
    pub clock: Clock,
}

/// `POST /v1/sync/batches`.
pub fn router(door: Door) -> Router {
    Router::new()
        .route(PATH, post(take_batch))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(door)
}

/// An error as `application/problem+json`.
pub fn problem(status: StatusCode, kind: &str, title: &str) -> Response {
    let body = ProblemWire {
        kind: kind.to_owned(),
        title: title.to_owned(),
        status: status.as_u16(),
    };
    let text = serde_json::to_string(&body).expect("a problem is plain data");
    (status, [(CONTENT_TYPE, "application/problem+json")], text).into_response()
}

/// The token of `Authorization: Bearer …`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

async fn take_batch(
    State(door): State<Door>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // Checked before the body is looked at: a stranger makes us parse nothing.
    let sender = match door.gate.admit(&method, &uri, &headers, &body) {
        Ok(sender) => sender,
        Err(refused) => return refused.answer(),
    };
    let peers = door.gate.book();
    let batch: BatchWire = match serde_json::from_slice(&body) {
        Ok(batch) => batch,
        Err(error) => {
            return problem(
                StatusCode::BAD_REQUEST,
                "malformed-batch",
                &format!("The batch cannot be read: {error}"),
            );
        }
    };
    if batch.v != 1 {
        return problem(
            StatusCode::UPGRADE_REQUIRED,
            "unknown-version",
            "This server speaks version 1; update the older of the two",
        );
    }
    if batch.items.len() > ITEMS_MAX {
        return problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-many-items",
            "A batch has at most 100 items",
        );
    }
    answer(&door, &peers, &sender, batch).await
}

async fn answer(door: &Door, peers: &PeerBook, sender: &Peer, batch: BatchWire) -> Response {
    let ids: Vec<_> = batch.items.iter().map(|item| item.id).collect();
    let mut verdicts: Vec<Option<Verdict>> = Vec::with_capacity(ids.len());
    let mut deliveries = Vec::new();
    for item in batch.items {
        let examined = item
            .decode()
            .and_then(|(envelope, signature)| peers.examine(sender, item.id, envelope, signature));
        match examined {
            Ok(delivery) => {
                deliveries.push(delivery);
                verdicts.push(None);
            }
            Err(reason) => {
                tracing::warn!(submission = %item.id, sender = %sender.id, reason = reason.word(), "item refused");
                verdicts.push(Some(Verdict::Rejected(reason)));
            }
        }
    }
    let arrival = Arrival {
        deliveries,
        last_word: batch.last_word,
    };
    let Ok(kept) = (door.keep)(arrival).await else {
        let mut response = problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "cannot-keep",
            "Nothing can be kept at the moment; send it again later",
        );
        response
            .headers_mut()
            .insert(RETRY_AFTER, axum::http::HeaderValue::from_static("10"));
        return response;
    };
    let mut of_kept = kept.verdicts.into_iter();
    let verdicts = ids
        .into_iter()
        .zip(verdicts)
        .map(|(id, verdict)| {
            let verdict = verdict.or_else(|| of_kept.next()).unwrap_or(Verdict::RetryLater);
            VerdictWire::new(id, verdict)
        })
        .collect();
    axum::Json(AnswerWire {
        v: 1,
        server_epoch: kept.epoch,
        server_time: door.clock.now(),
        durable: kept.durable,
        verdicts,
    })
    .into_response()
}
