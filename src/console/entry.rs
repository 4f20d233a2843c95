//! The door: log in, choose a counter, log out.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::accounts::{lengths, weak_words};
use super::kit::{Kit, page};
use super::{App, Bar, Person, kit_of};
use crate::app::office::guard::No;
use crate::app::office::{Ask, LogIn, OfficeApp, Peer, Problem, is_same_site, session_cookie};
use crate::domain::office::{Command, CounterState};
use crate::domain::staff::Role;
use crate::domain::ticket::CounterNumber;
use crate::i18n::{CONSOLE, Language};
use crate::store::StoreError;
use crate::store::office::Session;

#[derive(Template)]
#[template(path = "console/pages/login.html")]
struct LoginPage {
    k: Kit,
    kind: String,
    /// Why the last try was not taken.
    trouble: Option<String>,
    login: String,
    /// Whose locked console it is, if it is one.
    locked: Option<String>,
    /// The counter that goes on behind the lock.
    counter: Option<String>,
}

#[derive(Template)]
#[template(path = "console/pages/password.html")]
struct PasswordPage {
    k: Kit,
    bar: Bar,
    trouble: Option<String>,
    lengths: String,
}

#[derive(Template)]
#[template(path = "console/pages/refused.html")]
struct RefusedPage {
    k: Kit,
    kind: String,
    text: String,
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
    let role = person.session.staff.role;
    match (person.session.counter, role) {
        (Some(_), Role::Agent | Role::Supervisor) => Redirect::to("/console/agent"),
        (None, Role::Agent) => Redirect::to("/console/counters"),
        (None, Role::Supervisor) => Redirect::to("/console/office"),
        (_, Role::Admin) => Redirect::to("/console/accounts"),
        (_, Role::Auditor) => Redirect::to("/console/audit"),
        (_, Role::Technician) => Redirect::to("/console/health"),
    }
}

/// The answer to whom the guard of an address did not let in.
pub(super) fn refuse(app: &OfficeApp, parts: &Parts, no: No) -> Response {
    // A script cannot follow anybody to the door; it is told, and takes its page there.
    let listens = parts
        .headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.as_bytes().starts_with(b"text/event-stream"));
    let by_script = listens || parts.headers.contains_key("x-live");
    let k = kit_of(app);
    match no {
        No::Unknown | No::Locked if by_script => StatusCode::UNAUTHORIZED.into_response(),
        No::Unknown => Redirect::to("/console/login").into_response(),
        No::Locked => Redirect::to("/console/locked").into_response(),
        No::Forbidden | No::Foreign | No::Stale if by_script => StatusCode::FORBIDDEN.into_response(),
        No::Forbidden | No::Foreign => refused(app, k.say("office-refused-role")),
        No::Stale => refused(app, k.say("office-refused-stale")),
        No::Device(_) | No::Store(_) => Problem::from(no).into_response(),
    }
}

fn refused(app: &OfficeApp, text: String) -> Response {
    let refused = RefusedPage {
        k: kit_of(app),
        kind: app.config().office.kind.clone(),
        text,
    };
    (StatusCode::FORBIDDEN, page(&refused)).into_response()
}

pub(super) async fn login_page(State(app): App) -> Response {
    page(&door(&app, None, String::new()))
}

fn door(app: &OfficeApp, trouble: Option<String>, login: String) -> LoginPage {
    LoginPage {
        k: kit_of(app),
        kind: app.config().office.kind.clone(),
        trouble,
        login,
        locked: None,
        counter: None,
    }
}

/// The door once more, for a login that has to begin again.
pub(super) fn door_again(app: &OfficeApp, outcome: &LogIn) -> Response {
    let door = door(app, trouble(&kit_of(app), outcome), String::new());
    (StatusCode::UNAUTHORIZED, page(&door)).into_response()
}

/// Why nobody was let in, in words; the same for names that exist and for names that do not.
pub(super) fn trouble(k: &Kit, outcome: &LogIn) -> Option<String> {
    match outcome {
        LogIn::In(_) | LogIn::Code(_) => None,
        LogIn::Over => Some(k.say("office-second-over")),
        LogIn::Wrong => Some(k.say("office-login-wrong")),
        LogIn::Wait(until) => {
            let seconds = until.duration_since(k.now).as_secs().max(1);
            Some(if seconds < 90 {
                k.fill("office-login-wait", "n", seconds)
            } else {
                k.fill("office-login-wait-minutes", "n", (seconds + 59) / 60)
            })
        }
        LogIn::Locked => Some(k.say("office-login-locked")),
    }
}

#[derive(Deserialize)]
pub(super) struct Login {
    login: String,
    password: String,
}

pub(super) async fn log_in(
    State(app): App,
    peer: Peer,
    headers: HeaderMap,
    Form(form): Form<Login>,
) -> Response {
    if !is_same_site(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let login = form.login.trim().to_owned();
    let earlier = session_cookie(&headers, &app);
    match app.log_in(&login, form.password, &peer, earlier).await {
        Ok(LogIn::In(secret)) => enter(&app, &secret),
        Ok(LogIn::Code(waiting)) => super::second::ask(&app, waiting, None),
        Ok(outcome) => {
            let door = door(&app, trouble(&kit_of(&app), &outcome), login);
            (StatusCode::UNAUTHORIZED, page(&door)).into_response()
        }
        Err(error) => Problem::from(error).into_response(),
    }
}

pub(super) fn enter(app: &OfficeApp, secret: &str) -> Response {
    let cookie = app.cookie(Some(secret));
    ([(header::SET_COOKIE, cookie)], Redirect::to("/console")).into_response()
}

/// The door of a console that locked itself: only the password is asked, and nothing of the page behind shows.
pub(super) async fn locked(State(app): App, headers: HeaderMap) -> Response {
    match locked_session(&app, &headers) {
        Ok(Some(session)) if session.locked => page(&lock(&app, &session, None)),
        Ok(_) => Redirect::to("/console").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

fn locked_session(app: &OfficeApp, headers: &HeaderMap) -> Result<Option<Session>, StoreError> {
    match session_cookie(headers, app) {
        Some(secret) => app.session(secret),
        None => Ok(None),
    }
}

fn lock(app: &OfficeApp, session: &Session, trouble: Option<String>) -> LoginPage {
    LoginPage {
        locked: Some(session.staff.name.clone()),
        counter: session.counter.map(|number| number.to_string()),
        ..door(app, trouble, session.staff.login.clone())
    }
}

#[derive(Deserialize)]
pub(super) struct Resume {
    password: String,
}

/// Goes on behind the lock, at the same counter and with a new cookie.
pub(super) async fn resume(
    State(app): App,
    peer: Peer,
    headers: HeaderMap,
    Form(form): Form<Resume>,
) -> Response {
    if !is_same_site(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(secret) = session_cookie(&headers, &app) else {
        return Redirect::to("/console/login").into_response();
    };
    match app.resume(secret, form.password, &peer).await {
        Ok(LogIn::In(secret)) => enter(&app, &secret),
        Ok(outcome) => match locked_session(&app, &headers) {
            Ok(Some(session)) => {
                let lock = lock(&app, &session, trouble(&kit_of(&app), &outcome));
                (StatusCode::UNAUTHORIZED, page(&lock)).into_response()
            }
            Ok(None) => Redirect::to("/console/login").into_response(),
            Err(error) => Problem::from(error).into_response(),
        },
        Err(error) => Problem::from(error).into_response(),
    }
}

pub(super) async fn password_page(State(app): App, person: Person) -> Response {
    page(&own_password(&app, &person, None))
}

fn own_password(app: &OfficeApp, person: &Person, trouble: Option<String>) -> PasswordPage {
    let k = person.kit(app);
    PasswordPage {
        bar: Bar::of(&person.session, "password"),
        trouble,
        lengths: lengths(&k),
        k,
    }
}

#[derive(Deserialize)]
pub(super) struct OwnPassword {
    present: String,
    new: String,
    again: String,
}

/// A person's own new password; whoever was given one by somebody else makes it theirs here.
pub(super) async fn set_password(
    State(app): App,
    peer: Peer,
    person: Person,
    Form(form): Form<OwnPassword>,
) -> Response {
    let k = person.kit(&app);
    let refuse = |trouble: Option<String>| {
        let again = own_password(&app, &person, trouble);
        (StatusCode::UNPROCESSABLE_ENTITY, page(&again)).into_response()
    };
    if form.new != form.again {
        return refuse(Some(k.say("office-password-differ")));
    }
    let changed = app
        .change_own_password(&person.secret, form.present, form.new, &peer)
        .await;
    match changed {
        Ok(Ok(LogIn::In(secret))) => enter(&app, &secret),
        Ok(Ok(LogIn::Wrong)) => refuse(Some(k.say("office-password-wrong"))),
        Ok(Ok(outcome)) => refuse(trouble(&k, &outcome)),
        Ok(Err(weak)) => refuse(Some(weak_words(&k, weak))),
        Err(error) => Problem::from(error).into_response(),
    }
}

#[derive(Deserialize)]
pub(super) struct Speaks {
    language: String,
}

/// The console speaks this person's language from now on, wherever they log in.
pub(super) async fn set_language(State(app): App, person: Person, Form(form): Form<Speaks>) -> Response {
    let Some(language) = Language::from_code(&form.language).filter(|language| CONSOLE.contains(language))
    else {
        return Problem::bad_request("language", "The console speaks es or en").into_response();
    };
    match app.set_language(&person.session.staff, language).await {
        Ok(()) => Redirect::to("/console").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Also for a locked console, so that somebody else can log in there.
pub(super) async fn log_out(State(app): App, peer: Peer, headers: HeaderMap) -> Response {
    if !is_same_site(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if let Some(secret) = session_cookie(&headers, &app)
        && let Err(error) = app.log_out(secret, &peer).await
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
    let k = person.kit(app);
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
                    .filter_map(|id| setup.queue(id))
                    .filter(|queue| !queue.retired)
                    .map(|queue| queue.name.as_str())
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
