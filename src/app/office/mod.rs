//! The office's hub: queue, store, API and whoever listens, as one service.
//!
//! Begin at [`start`]; [`OfficeApp`] is the office inside the process. The faces (console, board) are given to
//! `start` by whoever may import them, because `app` does not know its faces.

mod api;
mod api_queues;
mod auth;
mod form;
mod hub;
pub mod line;
mod openapi;
mod problem;
mod report;
mod salvaging;
mod stream;
mod views;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use tokio::task::JoinHandle;
use tracing::{info, warn};

pub(crate) use api::command as command_of;
pub use api::{CancelBody, IssueBody, LaneBody, LeaseBody, LeasedBody, MoveBody, Moved};
pub use api_queues::{HelpBody, HelpView, QueueBody};
pub use auth::{Caller, is_same_site, session_cookie};
pub use form::{FormLook, FormOpener, FormResult, FormRow, FormView, Tone};
pub use hub::{Ask, OfficeApp, OfficeError, Reply};
pub use problem::Problem;
pub use report::{OfficeReport, as_csv, days_of};
pub use views::{BoardView, CallView, CounterView, LeaseView, ProfileView, QueueView, TicketView};

use super::{StartError, Stop, listen};
use crate::clock::Clock;
use crate::config::office::OfficeConfig;
use crate::store::{Db, office as store};

/// Name of the office's file in its data folder.
pub const FILE: &str = "office.db";
/// How often a screen may show a day that is over; the queue itself needs no timer.
const DAY_CHECK: Duration = Duration::from_secs(20);
/// How long open requests may take after a stop was asked for.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// An office that answers.
pub struct RunningOffice {
    /// Where it listens.
    pub address: SocketAddr,
    /// The office itself.
    pub office: Arc<OfficeApp>,
    served: JoinHandle<()>,
}

impl RunningOffice {
    /// Returns when the office has stopped, after [`Stop::stop`]: requests under way are answered first.
    pub async fn finished(self) {
        if self.served.await.is_err() {
            warn!("the office's server ended badly");
        }
    }
}

/// Opens the office's file and answers on its address until told to stop.
///
/// `faces` makes the routes of console, board and sync, given the office; they share the address with the API.
pub async fn start(
    config: OfficeConfig,
    clock: Clock,
    stop: Stop,
    faces: impl FnOnce(&Arc<OfficeApp>) -> Router,
) -> Result<RunningOffice, StartError> {
    let setup = config.setup().map_err(|problem| StartError::Setup {
        what: "The office's configuration".to_owned(),
        problem,
    })?;
    let listener = listen(config.listen).await?;
    let address = listener.local_addr().map_err(|source| StartError::Listen {
        address: config.listen,
        source,
    })?;
    let opened = Db::open(&config.data.join(FILE), store::SCHEMA)?;
    let salvaged = opened
        .quarantined
        .as_ref()
        .map(|aside| store::salvage(&aside.join(FILE), setup.date_of(clock.now())));
    let office = OfficeApp::new(config, setup, clock, stop.clone(), opened.db, opened.quarantined)?;
    let office = Arc::new(office);
    office.begin(salvaged).await.map_err(|error| StartError::Setup {
        what: "The office's data file".to_owned(),
        problem: error.to_string(),
    })?;
    let app = routes(&office)
        .merge(faces(&office))
        .layer(axum::middleware::map_response(harden));
    info!(%address, "office answers");
    let served = tokio::spawn(serve(listener, app, Arc::clone(&office), stop));
    Ok(RunningOffice {
        address,
        office,
        served,
    })
}

async fn serve(listener: tokio::net::TcpListener, app: Router, office: Arc<OfficeApp>, stop: Stop) {
    let days = tokio::spawn({
        let (office, stop) = (Arc::clone(&office), stop.clone());
        async move {
            let mut timer = tokio::time::interval(DAY_CHECK);
            loop {
                tokio::select! {
                    () = stop.stopped() => return,
                    _ = timer.tick() => office.tick().await,
                }
            }
        }
    });
    // A call must not wait for the next one to fill a packet.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let told = stop.clone();
    let serving = axum::serve(listener, app)
        .with_graceful_shutdown(async move { told.stopped().await })
        .into_future();
    let patience = async {
        stop.stopped().await;
        tokio::time::sleep(STOP_PATIENCE).await;
    };
    tokio::select! {
        ended = serving => if let Err(error) = ended {
            warn!(error = %error, "the office's server ended");
        },
        () = patience => warn!("some requests were still open and are cut off"),
    }
    days.abort();
}

/// The API.
fn routes(office: &Arc<OfficeApp>) -> Router {
    Router::new()
        .route("/api/v1/tickets", post(api::issue))
        .route("/api/v1/tickets/{id}", get(api::ticket))
        .route("/api/v1/tickets/{id}/cancel", post(api::cancel))
        .route("/api/v1/tickets/{id}/rejoin", post(api::rejoin))
        .route("/api/v1/tickets/{id}/lane", post(api::lane))
        .route("/api/v1/leases", post(api::lease))
        .route("/api/v1/queues", get(api_queues::queues))
        .route("/api/v1/queues/{id}/{move}", post(api_queues::queue_move))
        .route("/api/v1/help", get(api_queues::help_calls))
        .route("/api/v1/kiosks/{id}/help", post(api_queues::ask_help))
        .route("/api/v1/kiosks/{id}/help/end", post(api_queues::end_help))
        .route("/api/v1/counters", get(api::counters))
        .route("/api/v1/counters/{number}/{move}", post(api::counter_move))
        .route("/api/v1/board", get(stream::board))
        .route("/api/v1/board/events", get(stream::board_events))
        .route("/api/v1/events", get(stream::events))
        .route("/api/v1/reports/day", get(report::day))
        .route("/api/v1/reports/range", get(report::range))
        .route("/api/v1/openapi.json", get(openapi::description))
        .with_state(Arc::clone(office))
}

/// Headers every answer carries: nothing of ours is framed, sniffed, cached or told to others.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: header::HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert_with(|| HeaderValue::from_static(value));
    };
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    response
}
