//! What devices say of themselves on its way up, and what they are told on its way down.
//!
//! The same request goes from a kiosk to its office and from an office to central: signed reports, each of whoever
//! made it, and the results of orders; the answer carries orders and says which results are at central. Begin at
//! [`router`] for the end that listens and at [`FleetClient::post`] for the one that asks.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::credential::Credential;
use super::gate::Gate;
use super::server::problem;
use crate::clock::Clock;
use crate::domain::fleet::order::OrderResult;
use crate::domain::fleet::{REPORT_DOMAIN, RESULT_DOMAIN, Report};
use crate::domain::seal::Signed;
use crate::domain::submission::micros;
use crate::domain::submission::peers::{Peer, PeerBook};

/// Where reports are posted, below the server's address.
pub const PATH: &str = "/v1/fleet/reports";
/// Most bytes of a request: an office with its kiosks, and a few pictures.
pub const BODY_MAX: usize = 4 * 1024 * 1024;
/// Most reports in one request.
const REPORTS_MAX: usize = 200;
/// Nobody waits for it, but a line that hangs must show.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A report that somebody made and perhaps somebody else carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportWire {
    /// When it was heard from the device itself, by the clock of whoever heard it; nothing on its first way.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "maybe_micros")]
    pub heard_at: Option<Timestamp>,
    /// The device's signed word.
    pub report: Signed,
}

mod maybe_micros {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_some(&at.as_microsecond()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::<i64>::deserialize(deserializer)?
            .map(|micros| Timestamp::from_microsecond(micros).map_err(D::Error::custom))
            .transpose()
    }
}

/// `POST /v1/fleet/reports`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FleetWire {
    /// Version of the protocol: 1.
    pub v: u8,
    /// What devices say of themselves.
    pub reports: Vec<ReportWire>,
    /// What became of orders, signed by the devices.
    #[serde(default)]
    pub results: Vec<Signed>,
}

/// The answer to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FleetAnswerWire {
    /// Version of the protocol: 1.
    pub v: u8,
    /// The server's clock.
    #[serde(with = "micros")]
    pub server_time: Timestamp,
    /// Orders for the sender and for those it speaks for.
    pub orders: Vec<OrderWire>,
    /// Orders whose results central has; the device need not tell them again.
    #[serde(default)]
    pub taken: Vec<Uuid>,
}

/// A signed order on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderWire {
    /// For whom; what counts is what is signed.
    pub device: String,
    /// Central's signed word.
    pub order: Signed,
}

/// A report that is believed.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What it says.
    pub report: Report,
    /// Name of the key that signed it, where one did.
    pub kid: Option<String>,
    /// When the device itself was heard; nothing where it asks here directly.
    pub heard_at: Option<Timestamp>,
    /// As it came, for whoever carries it on.
    pub signed: Signed,
}

/// What came and is believed.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Who asks.
    pub sender: Peer,
    /// Reports.
    pub reports: Vec<Heard>,
    /// Results of orders, and as they came.
    pub results: Vec<(OrderResult, Signed)>,
}

/// Keeps what arrived and says what is to be answered; nothing when it cannot be kept.
pub type Take = Arc<dyn Fn(Arrived) -> BoxFuture<'static, Option<(Vec<OrderWire>, Vec<Uuid>)>> + Send + Sync>;

/// What the router needs.
#[derive(Clone)]
pub struct FleetDoor {
    /// Lets devices in.
    pub gate: Arc<Gate>,
    /// Keeps what they say.
    pub take: Take,
    /// The clock.
    pub clock: Clock,
}

/// The route.
pub fn router(door: FleetDoor) -> Router {
    Router::new()
        .route(PATH, post(take_in))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(door)
}

async fn take_in(
    State(door): State<FleetDoor>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let sender = match door.gate.admit(&method, &uri, &headers, &body) {
        Ok(sender) => sender,
        Err(refused) => return refused.answer(),
    };
    let wire = serde_json::from_slice::<FleetWire>(&body)
        .ok()
        .filter(|wire| wire.v == 1 && wire.reports.len() <= REPORTS_MAX);
    let Some(wire) = wire else {
        return problem(
            StatusCode::BAD_REQUEST,
            "malformed",
            "The reports cannot be read; this server speaks version 1 and takes 200 reports at once",
        );
    };
    let arrived = examine(&door.gate.book(), &sender, wire);
    let Some((orders, taken)) = (door.take)(arrived).await else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "cannot-keep",
            "Nothing can be kept at the moment; send it again later",
        );
    };
    axum::Json(FleetAnswerWire {
        v: 1,
        server_time: door.clock.now(),
        orders,
        taken,
    })
    .into_response()
}

/// What of it is signed by devices that the sender speaks for; the rest is dropped.
fn examine(book: &PeerBook, sender: &Peer, wire: FleetWire) -> Arrived {
    let mut reports = Vec::new();
    for ReportWire { heard_at, report } in wire.reports {
        let Some((mut read, kid)) = believed::<Report>(book, sender, REPORT_DOMAIN, &report) else {
            tracing::warn!(sender = %sender.id, "a report is not signed by a device of this sender");
            continue;
        };
        if kid.is_none() {
            // Only its token says who it is.
            (read.device, read.office) = (sender.id.clone(), sender.office.clone());
        }
        if read.is_sound() {
            reports.push(Heard {
                report: read,
                kid,
                heard_at,
                signed: report,
            });
        }
    }
    let mut results = Vec::new();
    for signed in wire.results {
        match believed::<OrderResult>(book, sender, RESULT_DOMAIN, &signed) {
            Some((mut result, kid)) => {
                if kid.is_none() {
                    result.device = sender.id.clone();
                }
                if result.is_sound() {
                    results.push((result, signed));
                }
            }
            None => tracing::warn!(sender = %sender.id, "a result is not signed by a device of this sender"),
        }
    }
    Arrived {
        sender: sender.clone(),
        reports,
        results,
    }
}

/// Reads what a device of the sender's office signed; what a sender without any key says is as good as its token.
fn believed<T: DeserializeOwned>(
    book: &PeerBook,
    sender: &Peer,
    domain: &str,
    signed: &Signed,
) -> Option<(T, Option<String>)> {
    #[derive(Deserialize)]
    struct Claim {
        device: String,
    }
    let claim: Claim = serde_json::from_str(&signed.body).ok()?;
    let device = book
        .by_id(&claim.device)
        .filter(|device| device.id == sender.id || device.office == sender.office)
        .filter(|device| !device.revoked);
    // The present key only: what a replaced machine signs is no news of this one.
    if let Some(key) = device.and_then(|device| device.key.as_ref()) {
        let read = signed.read(domain, std::slice::from_ref(key))?;
        return Some((read, Some(key.kid().to_owned())));
    }
    // A hub calls itself by its office, also where the settings of central have another name for it.
    let by_office = claim.device == sender.office && book.by_id(&claim.device).is_none();
    let own = sender.key.is_none() && (claim.device == sender.id || by_office);
    if own {
        return serde_json::from_str(&signed.body).ok().map(|read| (read, None));
    }
    None
}

/// The end that asks.
#[derive(Clone, Debug)]
pub struct FleetClient {
    /// The client.
    pub http: reqwest::Client,
    /// Address of the server above, without a path.
    pub url: String,
    /// Who we are there.
    pub credential: Credential,
}

impl FleetClient {
    /// Says what there is to say and hears the orders; nothing when there was no answer, or a strange one.
    pub async fn post(&self, wire: &FleetWire) -> Option<FleetAnswerWire> {
        let request = self
            .http
            .post(format!("{}{PATH}", self.url.trim_end_matches('/')))
            .timeout(ANSWER_WITHIN)
            .json(wire);
        let response = match self.credential.send(&self.http, request).await {
            Ok(response) => response,
            Err(problem) => {
                tracing::debug!(%problem, "nobody heard how we are");
                return None;
            }
        };
        if !response.status().is_success() {
            tracing::debug!(status = %response.status(), "whoever is above does not hear how we are");
            return None;
        }
        response
            .json::<FleetAnswerWire>()
            .await
            .ok()
            .filter(|answer| answer.v == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fleet::tests::report;
    use crate::domain::seal::SigningKey;
    use crate::domain::submission::peers::TokenHash;

    #[test]
    fn a_hub_carries_what_its_kiosks_signed_and_makes_nothing_up() {
        let (kiosk, stranger) = (SigningKey::generate(&[1; 32]), SigningKey::generate(&[2; 32]));
        let hub = Peer::with_token("hub", "centro", TokenHash::of("hub"));
        let book = PeerBook::new(vec![
            hub.clone(),
            Peer::with_key("k1", "centro", kiosk.verifying()),
            Peer::with_key("k9", "sur", stranger.verifying()),
        ]);
        let send = |device: &str, key: &SigningKey| {
            let wire = FleetWire {
                v: 1,
                reports: vec![ReportWire {
                    heard_at: None,
                    report: Signed::new(REPORT_DOMAIN, &report(device), key),
                }],
                results: vec![],
            };
            let arrived = examine(&book, &hub, wire);
            arrived
                .reports
                .first()
                .map(|heard| (heard.report.device.clone(), heard.kid.is_some()))
        };
        assert_eq!(send("k1", &kiosk), Some(("k1".into(), true)));
        assert_eq!(send("k1", &stranger), None, "made up by the hub");
        assert_eq!(send("k9", &stranger), None, "of another office");
        assert_eq!(
            send("hub", &stranger),
            Some(("hub".into(), false)),
            "its token says who it is"
        );
        assert_eq!(send("centro", &stranger), Some(("hub".into(), false)));
        assert_eq!(send("k7", &stranger), None, "nobody knows it here");
    }
}
