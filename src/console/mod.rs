//! The staff's pages: log in, choose a counter, attend, and watch over the office.
//!
//! Pages are HTML from askama templates; `console.js` only swaps the living part when the office says that
//! something changed, and turns keys into presses. Without it every button still works as a form.
//! Nothing here decides: each press is a [`crate::domain::office::Command`].
//! Begin at [`routes`].

mod agent;
mod assets;
mod charts;
mod entry;
mod find;
pub mod kit;
mod overview;
mod report;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;

use crate::app::office::{Caller, OfficeApp, is_same_site, session_cookie};
use crate::store::office::{Role, Session};
use kit::Kit;

type App = State<Arc<OfficeApp>>;

/// `/console`, `/assets` and the way from `/` to the console.
pub fn routes(office: &Arc<OfficeApp>) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::to("/console") }))
        .route("/console", get(entry::home))
        .route("/console/login", get(entry::login_page).post(entry::log_in))
        .route("/console/logout", post(entry::log_out))
        .route("/console/counters", get(entry::counters).post(entry::choose))
        .route("/console/agent", get(agent::show))
        .route("/console/agent/live", get(agent::live))
        .route("/console/agent/move", post(agent::press))
        .route("/console/agent/reveal", post(agent::reveal))
        .route("/console/find", get(find::show))
        .route("/console/office", get(overview::show))
        .route("/console/office/live", get(overview::live))
        .route("/console/office/calls", get(overview::calls))
        .route("/console/office/release", post(overview::release))
        .route("/console/report", get(report::show))
        .route("/console/report.csv", get(report::csv))
        .route("/console/events", get(events))
        .with_state(Arc::clone(office))
        .merge(assets::routes())
}

/// Words and clock for a page of this office.
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
    supervisor: bool,
    here: &'static str,
    counter: Option<String>,
    counter_state: &'static str,
}

impl Bar {
    fn of(session: &Session, here: &'static str) -> Self {
        Self {
            name: session.staff.name.clone(),
            supervisor: session.staff.role == Role::Supervisor,
            here,
            counter: session.counter.map(|number| number.to_string()),
            counter_state: "",
        }
    }
}

/// Somebody who is logged in; anybody else is sent to the door.
struct Person {
    session: Session,
    secret: String,
}

impl FromRequestParts<Arc<OfficeApp>> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<OfficeApp>) -> Result<Self, Response> {
        let changes = parts.method != Method::GET && parts.method != Method::HEAD;
        if changes && !is_same_site(&parts.headers) {
            return Err(StatusCode::FORBIDDEN.into_response());
        }
        // A browser has no bearer token; whoever sends one is a program in the wrong place.
        if parts.headers.contains_key(header::AUTHORIZATION) {
            return Err(StatusCode::FORBIDDEN.into_response());
        }
        let to_the_door = || {
            if parts.headers.contains_key("x-live") {
                StatusCode::UNAUTHORIZED.into_response()
            } else {
                Redirect::to("/console/login").into_response()
            }
        };
        let Some(secret) = session_cookie(&parts.headers, app).map(str::to_owned) else {
            return Err(to_the_door());
        };
        match app.session(&secret) {
            Ok(Some(session)) => Ok(Self { session, secret }),
            Ok(None) => Err(to_the_door()),
            Err(error) => Err(crate::app::office::Problem::from(error).into_response()),
        }
    }
}

/// A supervisor; an agent is sent to their own page.
struct Supervisor(Person);

impl FromRequestParts<Arc<OfficeApp>> for Supervisor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<OfficeApp>) -> Result<Self, Response> {
        let person = Person::from_request_parts(parts, app).await?;
        match person.session.staff.role {
            Role::Supervisor => Ok(Self(person)),
            Role::Agent => Err(Redirect::to("/console").into_response()),
        }
    }
}

/// Tells pages that something changed; they fetch what they show.
async fn events(State(app): App, caller: Caller) -> Response {
    if caller.staff().is_err() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let receiver = app.subscribe();
    let mut beat = tokio::time::interval(Duration::from_secs(4));
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let feed = stream::unfold(
        (app, receiver, beat),
        |(app, mut receiver, mut beat)| async move {
            let stop = app.stop().clone();
            let event = tokio::select! {
                () = stop.stopped() => return None,
                received = receiver.recv() => match received {
                    Ok(event) => {
                        let mut newest = event.seq;
                        // Many changes at once are one reason to look again.
                        while let Ok(event) = receiver.try_recv() {
                            newest = event.seq;
                        }
                        Event::default().event("change").data(newest.to_string())
                    }
                    Err(RecvError::Lagged(_)) => Event::default().event("change").data("0"),
                    Err(RecvError::Closed) => return None,
                },
                _ = beat.tick() => Event::default().event("beat").data(app.now().as_millisecond().to_string()),
            };
            Some((Ok::<_, Infallible>(event), (app, receiver, beat)))
        },
    );
    Sse::new(feed).into_response()
}
