//! The second step of a login: the code after the password, and one's own page to switch it on and off.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::entry::{enter, trouble};
use super::kit::{Kit, page, qr};
use super::{App, Bar, Person, kit_of};
use crate::app::office::{LogIn, OfficeApp, Peer, Problem, SecondState, is_same_site};
use crate::domain::staff::totp::Secret;

/// Pixels of one square of the QR code.
const SQUARE: usize = 5;

#[derive(Template)]
#[template(path = "console/pages/code.html")]
struct CodePage {
    k: Kit,
    kind: String,
    /// Why the last code was not taken.
    trouble: Option<String>,
    /// What goes with the code, so that the office knows whose password was right.
    waiting: String,
}

#[derive(Template)]
#[template(path = "console/pages/second.html")]
struct SecondPage {
    k: Kit,
    bar: Bar,
    trouble: Option<String>,
    /// Whether it is asked for, with so many codes on paper left.
    on: Option<u64>,
    /// The square to photograph and the secret to type, while it is being switched on.
    begun: Option<(String, String)>,
    /// Codes on paper that were just made, shown this once.
    codes: Vec<String>,
}

/// Asks for the code after a right password.
pub(super) fn ask(app: &OfficeApp, waiting: String, trouble: Option<String>) -> Response {
    let status = if trouble.is_some() {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::OK
    };
    let asked = CodePage {
        k: kit_of(app),
        kind: app.config().office.kind.clone(),
        trouble,
        waiting,
    };
    (status, page(&asked)).into_response()
}

#[derive(Deserialize)]
pub(super) struct Given {
    waiting: String,
    code: String,
}

/// The code after the password.
pub(super) async fn give(
    State(app): App,
    peer: Peer,
    headers: HeaderMap,
    Form(form): Form<Given>,
) -> Response {
    if !is_same_site(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match app.give_code(&form.waiting, form.code, &peer).await {
        Ok(LogIn::In(secret)) => enter(&app, &secret),
        Ok(LogIn::Wrong) => ask(&app, form.waiting, Some(kit_of(&app).say("office-second-wrong"))),
        Ok(outcome @ LogIn::Wait(_)) => ask(&app, form.waiting, trouble(&kit_of(&app), &outcome)),
        Ok(outcome) => super::entry::door_again(&app, &outcome),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// One's own second step.
pub(super) async fn show(State(app): App, person: Person) -> Response {
    answer(&app, &person, None, None, Vec::new())
}

/// Begins, confirms or ends one's own second step.
pub(super) async fn change(
    State(app): App,
    peer: Peer,
    person: Person,
    Form(mut form): Form<BTreeMap<String, String>>,
) -> Response {
    let k = person.kit(&app);
    let mut take = |name: &str| form.remove(name).unwrap_or_default();
    let (act, password, code) = (take("act"), take("password"), take("code"));
    let session = &person.session;
    let words = |not: &LogIn| match not {
        LogIn::Wrong => Some(k.say("office-second-both-wrong")),
        other => trouble(&k, other),
    };
    match act.as_str() {
        "begin" => match app.begin_second(session).await {
            Ok(begun) => answer(&app, &person, None, begun, Vec::new()),
            Err(error) => Problem::from(error).into_response(),
        },
        "confirm" => match app.confirm_second(session, password, code, &peer).await {
            Ok(Ok(codes)) => answer(&app, &person, None, None, codes),
            Ok(Err(not)) => match app.begun_second(session) {
                Ok(begun) => answer(&app, &person, words(&not), begun, Vec::new()),
                Err(error) => Problem::from(error).into_response(),
            },
            Err(error) => Problem::from(error).into_response(),
        },
        _ => match app.remove_second(session, password, code, &peer).await {
            Ok(Ok(())) => answer(&app, &person, None, None, Vec::new()),
            Ok(Err(not)) => answer(&app, &person, words(&not), None, Vec::new()),
            Err(error) => Problem::from(error).into_response(),
        },
    }
}

fn answer(
    app: &OfficeApp,
    person: &Person,
    trouble: Option<String>,
    begun: Option<Secret>,
    codes: Vec<String>,
) -> Response {
    let k = person.kit(app);
    let login = &person.session.staff.login;
    let on = match app.second_state(login) {
        Ok(SecondState::On(left)) => Some(left),
        Ok(SecondState::Off) => None,
        Err(error) => return Problem::from(error).into_response(),
    };
    let status = if trouble.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let begun = begun.map(|secret| {
        let square = qr(&secret.address(&k.office, login), SQUARE);
        (square.unwrap_or_default(), secret.text())
    });
    let shown = SecondPage {
        bar: Bar::of(&person.session, "password"),
        trouble,
        on,
        begun,
        codes,
        k,
    };
    (status, page(&shown)).into_response()
}
