//! A form that was stopped at a kiosk, opened at a counter with the code and digits that its citizen says.
//!
//! The page holds what it needs for the next press; the office keeps nothing of what was typed, and each opening is on
//! record.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::kit::{Kit, page};
use super::{App, Bar, Person};
use crate::app::office::{DraftAtCounter, OfficeApp, Problem};
use crate::domain::redacted::{Redacted, mask_id};
use crate::domain::resume::{DIGITS, ResumeCode};
use crate::domain::session::KeptForm;

#[derive(Template)]
#[template(path = "console/pages/draft.html")]
struct DraftPage {
    k: Kit,
    bar: Bar,
    /// Tone and words.
    said: Option<(&'static str, String)>,
    found: Option<Found>,
}

struct Found {
    title: String,
    dates: String,
    rows: Vec<(String, String)>,
    /// Whether something is masked that may be looked at.
    masked: bool,
    code: String,
    digits: String,
}

/// What is pressed.
#[derive(Deserialize)]
pub(super) struct Press {
    #[serde(default)]
    act: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    digits: Redacted<String>,
}

pub(super) async fn show(State(app): App, person: Person) -> Response {
    draw(&app, &person, None, None)
}

/// Opens, shows what is masked, or erases what was finished here.
pub(super) async fn press(State(app): App, person: Person, Form(form): Form<Press>) -> Response {
    let Some(counter) = person.session.counter else {
        return Redirect::to("/console/counters").into_response();
    };
    let k = person.kit(&app);
    let bad = |key: &str| Some(("bad", k.say(key)));
    let Ok(code) = form.code.parse::<ResumeCode>() else {
        return draw(&app, &person, bad("office-draft-bad-code"), None);
    };
    let digits = form.digits.reveal().trim();
    if digits.len() != DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return draw(&app, &person, bad("office-draft-bad-digits"), None);
    }
    let digits = Redacted::new(digits.to_owned());
    let who = person.session.staff.login.clone();
    if form.act == "done" {
        return match app.use_draft_at(counter, &who, code, digits).await {
            Ok(true) => draw(&app, &person, Some(("good", k.say("office-draft-erased"))), None),
            Ok(false) => draw(&app, &person, bad("office-draft-not-erased"), None),
            Err(error) => Problem::from(error).into_response(),
        };
    }
    let opened = app.open_draft_at(counter, &who, code, digits.clone()).await;
    let said = match opened {
        Ok(DraftAtCounter::Open { form: kept, until }) => {
            let dates = k.fill("office-draft-kept", "at", k.day(&kept.kept_at));
            let dates = dates.replace("{until}", &k.day(&until));
            let found = found(*kept, dates, form.act == "reveal", code, &digits);
            return draw(&app, &person, None, Some(found));
        }
        Ok(DraftAtCounter::Wrong(left)) => Some(("bad", k.fill("office-draft-wrong", "n", left))),
        Ok(DraftAtCounter::Shut(until)) => {
            Some(("bad", k.fill("office-draft-shut", "time", k.clock(&until))))
        }
        Ok(DraftAtCounter::Used) => Some(("info", k.say("office-draft-used-word"))),
        Ok(DraftAtCounter::Over) => Some(("info", k.say("office-draft-over"))),
        Ok(DraftAtCounter::Unknown) => bad("office-draft-unknown"),
        Err(error) => return Problem::from(error).into_response(),
    };
    draw(&app, &person, said, None)
}

fn found(kept: KeptForm, dates: String, reveal: bool, code: ResumeCode, digits: &Redacted<String>) -> Found {
    let masked = !reveal && kept.rows.iter().any(|row| row.masked);
    Found {
        rows: kept
            .rows
            .iter()
            .map(|row| {
                let value = row.value.reveal();
                let value = if row.masked && !reveal {
                    mask_id(value)
                } else {
                    value.clone()
                };
                (row.label.clone(), value)
            })
            .collect(),
        title: kept.title,
        dates,
        masked,
        code: code.to_string(),
        digits: digits.reveal().clone(),
    }
}

fn draw(
    app: &OfficeApp,
    person: &Person,
    said: Option<(&'static str, String)>,
    found: Option<Found>,
) -> Response {
    let k = person.kit(app);
    // Whoever has no counter would type in vain.
    let said = said.or_else(|| {
        let nowhere = person.session.counter.is_none();
        nowhere.then(|| ("warn", k.say("office-draft-counter")))
    });
    page(&DraftPage {
        bar: Bar::of(&person.session, "agent"),
        k,
        said,
        found,
    })
}
