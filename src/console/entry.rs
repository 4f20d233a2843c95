//! The door: log in, choose a counter, log out.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::kit::{Kit, page};
use super::{App, Bar, Person, kit_of};
use crate::app::office::{Ask, OfficeApp, Problem, is_same_site, session_cookie};
use crate::domain::office::{Command, CounterState};
use crate::domain::ticket::CounterNumber;
use crate::store::office::Role;

#[derive(Template)]
#[template(path = "console/pages/login.html")]
struct LoginPage {
    k: Kit,
    kind: String,
    wrong: bool,
    login: String,
}

#[derive(Template)]
#[template(path = "console/pages/counters.html")]
struct CountersPage {
    k: Kit,
    bar: Bar,
    tiles: Vec<Tile>,
    taken: Option<String>,
}

struct Tile {
    number: u16,
    serves: String,
    state: &'static str,
    state_word: String,
    who: String,
}

/// Sends everybody where they work.
pub(super) async fn home(person: Person) -> Redirect {
    match (person.session.counter, person.session.staff.role) {
        (Some(_), _) => Redirect::to("/console/agent"),
        (None, Role::Supervisor) => Redirect::to("/console/office"),
        (None, Role::Agent) => Redirect::to("/console/counters"),
    }
}

pub(super) async fn login_page(State(app): App) -> Response {
    page(&door(&app, false, String::new()))
}

fn door(app: &OfficeApp, wrong: bool, login: String) -> LoginPage {
    LoginPage {
        k: kit_of(app),
        kind: app.config().office.kind.clone(),
        wrong,
        login,
    }
}

#[derive(Deserialize)]
pub(super) struct Login {
    login: String,
    password: String,
}

pub(super) async fn log_in(State(app): App, headers: HeaderMap, Form(form): Form<Login>) -> Response {
    if !is_same_site(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let login = form.login.trim().to_owned();
    match app.log_in(&login, form.password).await {
        Ok(Some(secret)) => {
            let cookie = app.cookie(Some(&secret));
            ([(header::SET_COOKIE, cookie)], Redirect::to("/console")).into_response()
        }
        Ok(None) => (StatusCode::UNAUTHORIZED, page(&door(&app, true, login))).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

pub(super) async fn log_out(State(app): App, headers: HeaderMap) -> Response {
    if !is_same_site(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if let Some(secret) = session_cookie(&headers, &app)
        && let Err(error) = app.log_out(secret).await
    {
        return Problem::from(error).into_response();
    }
    (
        [(header::SET_COOKIE, app.cookie(None))],
        Redirect::to("/console/login"),
    )
        .into_response()
}

pub(super) async fn counters(State(app): App, person: Person) -> Response {
    choice(&app, &person, None)
}

fn choice(app: &OfficeApp, person: &Person, taken: Option<String>) -> Response {
    let k = kit_of(app);
    let tiles = app.look(|office, _| {
        let setup = office.setup();
        setup
            .counters
            .iter()
            .filter_map(|counter| {
                let now = office.counter(counter.number)?;
                let names: Vec<&str> = counter
                    .profile
                    .tiers
                    .iter()
                    .flatten()
                    .filter_map(|id| setup.queue(id).map(|queue| queue.name.as_str()))
                    .collect();
                let (state, word) = match now.state {
                    CounterState::Closed => ("off", "office-state-closed"),
                    CounterState::Open => ("good", "office-state-open"),
                    CounterState::Paused { .. } => ("warn", "office-state-paused"),
                };
                Some(Tile {
                    number: counter.number.0,
                    serves: names.join(", "),
                    state,
                    state_word: k.say(word),
                    who: now.who.clone().unwrap_or_default(),
                })
            })
            .collect()
    });
    page(&CountersPage {
        k,
        bar: Bar::of(&person.session, "agent"),
        tiles,
        taken,
    })
}

#[derive(Deserialize)]
pub(super) struct Choice {
    counter: u16,
}

/// Opens the chosen counter for this person, unless somebody else works there.
pub(super) async fn choose(State(app): App, person: Person, Form(form): Form<Choice>) -> Response {
    let counter = CounterNumber(form.counter);
    let login = person.session.staff.login.clone();
    match app.other_at_counter(counter, &login) {
        Ok(Some(name)) => return choice(&app, &person, Some(name)),
        Ok(None) => {}
        Err(error) => return Problem::from(error).into_response(),
    }
    let ask = Ask {
        who: Some(login),
        ..Ask::default()
    };
    if let Err(error) = app.command(Command::Open(counter), ask).await {
        return Problem::from(error).into_response();
    }
    match app.choose_counter(&person.secret, Some(counter)).await {
        Ok(()) => Redirect::to("/console/agent").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}
