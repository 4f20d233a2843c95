//! The staff's pages: log in, choose a counter, attend, and watch over the office.
//!
//! Pages are HTML from askama templates; `console.js` only swaps the living part when the office says that
//! something changed, and turns keys into presses. Without it every button still works as a form.
//! Nothing here decides: each press is a [`crate::domain::office::Command`].
//! Begin at [`routes`].

mod accounts;
mod agent;
mod assets;
mod audit;
mod charts;
mod draft;
mod entry;
mod forms;
mod health;
pub mod kit;
mod overview;
mod printers;
mod report;
mod second;
mod settings;
mod steer;
mod turn;

#[cfg(test)]
mod rights_tests;
#[cfg(test)]
mod second_tests;
#[cfg(test)]
mod session_tests;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::middleware::map_response;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;

use crate::app::office::guard::{Guarded, No};
use crate::app::office::{Caller, OfficeApp, session_cookie};
use crate::domain::event::{OfficeEvent, What};
use crate::domain::staff::{Permission, may};
use crate::store::office::Session;
use kit::Kit;

type App = State<Arc<OfficeApp>>;

/// `/console`, `/assets` and the way from `/` to the console.
pub fn routes(office: &Arc<OfficeApp>) -> Router {
    guarded(office)
        .into_router()
        .layer(map_response(forms::stamp))
        .merge(assets::routes())
}

/// The pages, each with the permission it needs.
fn guarded(office: &Arc<OfficeApp>) -> Guarded {
    use Permission as P;
    Guarded::pages(office, entry::refuse)
        .get("/", P::Enter, || async { Redirect::to("/console") })
        .get("/console", P::UseConsole, entry::home)
        .get("/console/login", P::Enter, entry::login_page)
        .post("/console/login", P::Enter, entry::log_in)
        .post("/console/login/code", P::Enter, second::give)
        .get("/console/locked", P::Enter, entry::locked)
        .post("/console/locked", P::Enter, entry::resume)
        .post("/console/logout", P::Enter, entry::log_out)
        .get("/console/password", P::UseConsole, entry::password_page)
        .post("/console/password", P::UseConsole, entry::set_password)
        .post("/console/language", P::UseConsole, entry::set_language)
        .get("/console/second", P::UseConsole, second::show)
        .post("/console/second", P::UseConsole, second::change)
        .get("/console/events", P::UseConsole, events)
        .get("/console/counters", P::AttendCounter, entry::counters)
        .post("/console/counters", P::AttendCounter, entry::choose)
        .get("/console/agent", P::AttendCounter, agent::show)
        .get("/console/agent/live", P::AttendCounter, agent::live)
        .post("/console/agent/move", P::AttendCounter, agent::press)
        .post("/console/agent/reveal", P::OpenForms, agent::reveal)
        .get("/console/draft", P::OpenForms, draft::show)
        .post("/console/draft", P::OpenForms, draft::press)
        .get("/console/find", P::FindTurns, turn::show)
        .post("/console/find/move", P::AttendCounter, turn::press)
        .get("/console/steer", P::SteerQueues, steer::show)
        // Agents may say that a system is down; to steer needs more, and the handler asks for it.
        .post("/console/steer/move", P::AttendCounter, steer::press)
        .post("/console/help", P::AttendCounter, steer::go_to_kiosk)
        .get("/console/office", P::WatchOffice, overview::show)
        .get("/console/office/live", P::WatchOffice, overview::live)
        .get("/console/office/calls", P::ReadEvents, overview::calls)
        .post("/console/office/release", P::ReleaseCounter, overview::release)
        .post("/console/office/clock", P::SteerQueues, overview::confirm_clock)
        .get("/console/report", P::ReadReports, report::show)
        .get("/console/report.csv", P::ReadReports, report::csv)
        .get("/console/audit", P::ReadAudit, audit::show)
        .post("/console/audit/verify", P::ReadAudit, audit::verify)
        .get("/console/health", P::SeeHealth, health::show)
        .get("/console/printers", P::OrderPapers, printers::show)
        .get("/console/printers/live", P::OrderPapers, printers::live)
        .post("/console/printers/order", P::OrderPapers, printers::order)
        .get("/console/settings", P::Configure, settings::home)
        .get(
            "/console/settings/counters",
            P::Configure,
            settings::counters::show,
        )
        .post(
            "/console/settings/counters",
            P::Configure,
            settings::counters::change,
        )
        .get("/console/settings/queues", P::Configure, settings::queues::show)
        .post("/console/settings/queues", P::Configure, settings::queues::change)
        .get(
            "/console/settings/profiles",
            P::Configure,
            settings::profiles::show,
        )
        .post(
            "/console/settings/profiles",
            P::Configure,
            settings::profiles::change,
        )
        .get("/console/settings/hours", P::Configure, settings::hours::show)
        .post("/console/settings/hours", P::Configure, settings::hours::change)
        .get("/console/settings/rules", P::Configure, settings::rules::show)
        .post("/console/settings/rules", P::Configure, settings::rules::change)
        .get("/console/accounts", P::UnlockAccounts, accounts::show)
        .post("/console/accounts/unlock", P::UnlockAccounts, accounts::unlock)
        .post("/console/accounts/add", P::ManageAccounts, accounts::add)
        .post("/console/accounts/change", P::ManageAccounts, accounts::change)
        .post("/console/accounts/disable", P::ManageAccounts, accounts::disable)
        .post("/console/accounts/enable", P::ManageAccounts, accounts::enable)
        .post(
            "/console/accounts/second",
            P::ManageAccounts,
            accounts::drop_second_step,
        )
        .post(
            "/console/accounts/sessions",
            P::ManageAccounts,
            accounts::end_sessions,
        )
        .post(
            "/console/accounts/tokens",
            P::ManageAccounts,
            accounts::make_token,
        )
        .post(
            "/console/accounts/tokens/revoke",
            P::ManageAccounts,
            accounts::revoke_token,
        )
}

/// Words and clock for a page of this office that is for nobody in particular.
pub fn kit_of(office: &OfficeApp) -> Kit {
    Kit {
        language: office.config().language,
        zone: office.setup().zone.clone(),
        now: office.now(),
        office: office.config().office.name.clone(),
    }
}

/// The bar over every page.
struct Bar {
    name: String,
    links: Vec<BarLink>,
    /// One's own counter, and how it stands, for the pages that show it.
    counter_state: &'static str,
}

struct BarLink {
    href: &'static str,
    /// Key of its word.
    word: &'static str,
    on: bool,
}

/// Pages of the bar: what each needs, its address, its word, and its name for [`Bar::of`].
const PAGES: [(Permission, &str, &str, &str); 11] = [
    (
        Permission::WatchOffice,
        "/console/office",
        "office-nav-office",
        "office",
    ),
    (
        Permission::AttendCounter,
        "/console/agent",
        "office-nav-agent",
        "agent",
    ),
    (Permission::FindTurns, "/console/find", "office-nav-find", "find"),
    (
        Permission::ReadEvents,
        "/console/office/calls",
        "office-nav-calls",
        "calls",
    ),
    (
        Permission::SteerQueues,
        "/console/steer",
        "office-nav-steer",
        "steer",
    ),
    (
        Permission::OrderPapers,
        "/console/printers",
        "office-nav-printers",
        "printers",
    ),
    (
        Permission::ReadReports,
        "/console/report",
        "office-nav-report",
        "report",
    ),
    (
        Permission::Configure,
        "/console/settings",
        "office-nav-settings",
        "settings",
    ),
    (
        Permission::UnlockAccounts,
        "/console/accounts",
        "office-nav-accounts",
        "accounts",
    ),
    (
        Permission::ReadAudit,
        "/console/audit",
        "office-nav-audit",
        "audit",
    ),
    (
        Permission::SeeHealth,
        "/console/health",
        "office-nav-health",
        "health",
    ),
];

impl Bar {
    fn of(session: &Session, here: &'static str) -> Self {
        let role = session.staff.role;
        let watches = may(role, Permission::WatchOffice);
        let links = PAGES
            .iter()
            // Whoever watches the office sees its machines there.
            .filter(|(permission, ..)| {
                may(role, *permission) && !(watches && *permission == Permission::SeeHealth)
            })
            .map(|(permission, href, word, name)| {
                // Whoever watches the office attends only after choosing a counter.
                let chooses =
                    *permission == Permission::AttendCounter && session.counter.is_none() && watches;
                BarLink {
                    href: if chooses { "/console/counters" } else { href },
                    word: if chooses { "office-nav-attend" } else { word },
                    on: *name == here,
                }
            })
            .collect();
        Self {
            name: session.staff.name.clone(),
            links,
            counter_state: "",
        }
    }
}

/// Somebody whom the guard of the address let in.
struct Person {
    session: Session,
    secret: String,
}

impl Person {
    /// Words and clock for a page in this person's language.
    fn kit(&self, office: &OfficeApp) -> Kit {
        let office_kit = kit_of(office);
        Kit {
            language: self.session.language.unwrap_or(office_kit.language),
            ..office_kit
        }
    }
}

impl FromRequestParts<Arc<OfficeApp>> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<OfficeApp>) -> Result<Self, Response> {
        let secret = session_cookie(&parts.headers, app).map(str::to_owned);
        match (parts.extensions.get(), secret) {
            (Some(Caller::Person(session)), Some(secret)) => Ok(Self {
                session: session.clone(),
                secret,
            }),
            _ => Err(entry::refuse(app, parts, No::Unknown)),
        }
    }
}

/// Tells pages that something changed; they fetch what they show.
///
/// The stream ends with the session: what comes after it is no news for whoever left, or whose rights were taken.
async fn events(State(app): App, person: Person) -> Response {
    let receiver = app.subscribe();
    let mut beat = tokio::time::interval(Duration::from_secs(4));
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let feed = stream::unfold(
        (app, receiver, beat, person.secret),
        |(app, mut receiver, mut beat, secret)| async move {
            let stop = app.stop().clone();
            let event = tokio::select! {
                () = stop.stopped() => return None,
                received = receiver.recv() => match received {
                    Ok(event) => {
                        let is_new = |event: &OfficeEvent| matches!(event.what, What::SettingsChanged { .. });
                        let (mut newest, mut page) = (event.seq, is_new(&event));
                        // Many changes at once are one reason to look again.
                        while let Ok(event) = receiver.try_recv() {
                            newest = event.seq;
                            page |= is_new(&event);
                        }
                        // New settings are in parts of the page that do not renew themselves.
                        let name = if page { "settings" } else { "change" };
                        Event::default().event(name).data(newest.to_string())
                    }
                    Err(RecvError::Lagged(_)) => Event::default().event("change").data("0"),
                    Err(RecvError::Closed) => return None,
                },
                _ = beat.tick() => {
                    if !matches!(app.session(&secret), Ok(Some(session)) if !session.locked) {
                        return None;
                    }
                    Event::default().event("beat").data(app.now().as_millisecond().to_string())
                }
            };
            Some((Ok::<_, Infallible>(event), (app, receiver, beat, secret)))
        },
    );
    Sse::new(feed).into_response()
}
