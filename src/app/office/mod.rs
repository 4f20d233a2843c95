//! The office's hub: queue, store, API and whoever listens, as one service.
//!
//! Begin at [`start`]; [`OfficeApp`] is the office inside the process. The faces (console, board) are given to
//! `start` by whoever may import them, because `app` does not know its faces.

pub mod accounts;
mod api;
mod api_queues;
pub mod audit;
mod auth;
mod boards;
mod drafts;
mod form;
pub mod guard;
mod hub;
mod kiosks;
pub mod line;
mod metrics;
mod openapi;
mod orders;
mod problem;
mod relay;
mod report;
mod salvaging;
mod second;
mod settings;
mod stream;
mod time;
mod turns;
mod usage;
mod views;
mod voice;

#[cfg(test)]
mod audit_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_kiosk;
#[cfg(test)]
mod time_tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::serve::ListenerExt;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use guard::Guarded;

pub(crate) use api::command as command_of;
pub use api::{CancelBody, IssueBody, LaneBody, LeaseBody, LeasedBody, MoveBody, Moved};
pub use api_queues::{HelpBody, HelpView, QueueBody};
pub use auth::{Caller, FORM_TOKEN, LogIn, Peer, form_token, is_same_site, session_cookie};
pub use boards::{BoardScreen, BoardWatch, ZoneScreens};
pub use drafts::DraftAtCounter;
pub use form::{FormLook, FormOpener, FormResult, FormRow, FormView, Tone};
pub use hub::{Ask, OfficeApp, OfficeError, Reply};
pub use kiosks::{HealthBody, KioskView, PrinterBody};
pub use orders::OrderView;
pub use problem::Problem;
pub use report::{OfficeReport, as_csv, days_of};
pub use second::SecondState;
pub use settings::{FaultView, SettingsBody, SettingsView};
pub use time::{ClockError, ClockState, HealthView};
pub use turns::TurnView;
pub use usage::UsageReport;
pub use views::{BoardView, CallView, CounterView, LeaseView, ProfileView, QueueView, TicketView};
pub use voice::BoardVoice;

use super::tls::Authority;
use super::{StartError, Stop, listen};
use crate::clock::Clock;
use crate::config::office::OfficeConfig;
use crate::domain::staff::Permission;
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
    /// Where kiosks are answered in secret.
    pub tls_address: Option<SocketAddr>,
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
    let journal = audit::Journal::open(&config)?;
    let aside = opened.quarantined.as_ref().map(|aside| aside.join(FILE));
    settings::begin(&config, &opened.db, aside.as_deref(), clock.now()).await?;
    let office = OfficeApp::new(
        config,
        setup,
        clock,
        stop.clone(),
        opened.db,
        opened.quarantined,
        journal,
    )?;
    let office = Arc::new(office);
    office.begin(salvaged).await.map_err(|error| StartError::Setup {
        what: "The office's data file".to_owned(),
        problem: error.to_string(),
    })?;
    office.record_start().await?;
    let nothing = || async { axum::http::StatusCode::NOT_FOUND };
    let app = routes(&office)
        .into_router()
        .route("/api/{*rest}", axum::routing::any(nothing))
        .layer(axum::middleware::map_response(problem::only_problems))
        .merge(faces(&office))
        .layer(axum::middleware::map_response(harden));
    let mut tls_address = None;
    if let Some(tls) = &office.config.tls {
        let authority = Authority::open(&office.config.data)?;
        let (address, _) = super::tls::serve(tls, &authority, app.clone(), stop.clone()).await?;
        tls_address = Some(address);
    }
    info!(%address, "office answers");
    let served = tokio::spawn(serve(listener, app, Arc::clone(&office), stop));
    Ok(RunningOffice {
        address,
        tls_address,
        office,
        served,
    })
}

async fn serve(listener: tokio::net::TcpListener, app: Router, office: Arc<OfficeApp>, stop: Stop) {
    let days = tokio::spawn({
        let (office, stop) = (Arc::clone(&office), stop.clone());
        async move {
            let begin = tokio::time::Instant::now() + DAY_CHECK;
            let mut timer = tokio::time::interval_at(begin, DAY_CHECK);
            loop {
                tokio::select! {
                    () = stop.stopped() => return,
                    _ = timer.tick() => {
                        office.tick().await;
                        office.erase_drafts().await;
                        office.checkpoint_if_due().await;
                    }
                }
            }
        }
    });
    // A call must not wait for the next one to fill a packet.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let told = stop.clone();
    // Where a request comes from goes on record.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
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
    office.record_stop().await;
}

/// The API, each address with the permission it needs.
pub(crate) fn routes(office: &Arc<OfficeApp>) -> Guarded {
    Guarded::api(office)
        .post("/api/v1/tickets", Permission::IssueTickets, api::issue)
        .get("/api/v1/tickets/{id}", Permission::SeeTickets, api::ticket)
        .post(
            "/api/v1/tickets/{id}/cancel",
            Permission::IssueTickets,
            api::cancel,
        )
        .post(
            "/api/v1/tickets/{id}/rejoin",
            Permission::IssueTickets,
            api::rejoin,
        )
        .post("/api/v1/tickets/{id}/lane", Permission::CorrectLane, api::lane)
        .get("/api/v1/turns/{turn}", Permission::SeeTickets, turns::turn)
        .post("/api/v1/leases", Permission::LeaseNumbers, api::lease)
        .get("/api/v1/queues", Permission::SeeBoard, api_queues::queues)
        // To stop a queue needs more, and the handler asks for it.
        .post(
            "/api/v1/queues/{id}/{move}",
            Permission::AttendCounter,
            api_queues::queue_move,
        )
        .get("/api/v1/help", Permission::AttendCounter, api_queues::help_calls)
        .post(
            "/api/v1/kiosks/{kiosk}/help",
            Permission::IssueTickets,
            api_queues::ask_help,
        )
        .get(
            "/api/v1/kiosks/{kiosk}/help",
            Permission::IssueTickets,
            api_queues::help_state,
        )
        .post(
            "/api/v1/kiosks/{kiosk}/help/end",
            Permission::IssueTickets,
            api_queues::end_help,
        )
        .get(
            "/api/v1/kiosks/{kiosk}/orders",
            Permission::IssueTickets,
            orders::list,
        )
        .post(
            "/api/v1/kiosks/{kiosk}/orders",
            Permission::OrderPapers,
            orders::order,
        )
        .post(
            "/api/v1/kiosks/{kiosk}/orders/{number}",
            Permission::IssueTickets,
            orders::obeyed,
        )
        .post(
            "/api/v1/kiosks/{kiosk}/usage",
            Permission::IssueTickets,
            usage::take_in,
        )
        .post(
            "/api/v1/kiosks/{kiosk}/health",
            Permission::IssueTickets,
            kiosks::take_in,
        )
        .get("/api/v1/kiosks", Permission::SeeHealth, kiosks::list)
        // Kiosks only; the handlers refuse whoever else may issue tickets.
        .post("/api/v1/drafts", Permission::IssueTickets, drafts::keep)
        .post("/api/v1/drafts/{id}/open", Permission::IssueTickets, drafts::open)
        .post("/api/v1/drafts/{id}/used", Permission::IssueTickets, drafts::used)
        .get("/api/v1/counters", Permission::SeeCounters, api::counters)
        // To release a counter or change what it serves needs more, and the handler asks for it.
        .post(
            "/api/v1/counters/{number}/{move}",
            Permission::AttendCounter,
            api::counter_move,
        )
        .get("/api/v1/board", Permission::SeeBoard, stream::board)
        .get("/api/v1/board/events", Permission::SeeBoard, stream::board_events)
        .get("/api/v1/events", Permission::ReadEvents, stream::events)
        .get("/api/v1/reports/day", Permission::ReadReports, report::day)
        .get("/api/v1/reports/range", Permission::ReadReports, report::range)
        .get("/api/v1/reports/usage", Permission::ReadReports, usage::report)
        .get("/api/v1/settings", Permission::Configure, settings::read)
        .post("/api/v1/settings", Permission::Configure, settings::change)
        .get("/api/v1/health", Permission::SeeHealth, time::health)
        .get("/metrics", Permission::SeeHealth, metrics::page)
        .get("/api/v1/openapi.json", Permission::SeeBoard, openapi::description)
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
