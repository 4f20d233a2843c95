//! When tickets are given: the hours of a week, and days on which the office does not open.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::sheet::{DAYS, DayRow, Sheet};
use super::{Frame, NotSaved, Shown, Which, drawn, save, saved, view};
use crate::app::office::OfficeApp;
use crate::console::kit::Kit;
use crate::console::{App, Bar, Person};
use crate::domain::office::settings::{Fault, Problem};
use crate::domain::ticket::BusinessDate;

const HERE: &str = "/console/settings/hours";

#[derive(Template)]
#[template(path = "console/pages/settings/hours.html")]
struct HoursPage {
    k: Kit,
    bar: Bar,
    f: Frame,
    s: Sheet,
    days: Vec<DayRow>,
    /// Closed days: as written, in words, and whether it is over.
    closures: Vec<(String, String, bool)>,
}

pub(in crate::console) async fn show(
    State(app): App,
    person: Person,
    Query(which): Query<Which>,
) -> Response {
    drawn(Shown::calm(&app, &which).and_then(|shown| build(&app, &person, shown)))
}

/// The hours to save, or a closed day to add or to take away.
pub(in crate::console) async fn change(
    State(app): App,
    person: Person,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let sheet = Sheet::typed(form);
    let mut settings = match view(&app) {
        Ok(view) => view.settings,
        Err(response) => return *response,
    };
    let version = sheet.text("version").parse().unwrap_or(0);
    let mut faults = Vec::new();
    let mut fault = |field: &str, problem: Problem| {
        let field = field.to_owned();
        faults.push(Fault { field, problem });
    };
    let day: Option<BusinessDate> = sheet.text("day").parse().ok();
    let act = sheet.text("act").to_owned();
    match (act.as_str(), day) {
        ("close", Some(day)) => {
            settings.closures.insert(day);
        }
        ("close", None) => fault("day", Problem::Day(sheet.text("day").to_owned())),
        ("open", day) => settings.closures.retain(|closed| Some(*closed) != day),
        _ => {
            settings.hours = if sheet.on("always") {
                Default::default()
            } else {
                sheet.week()
            };
            if settings.hours.is_empty() && !sheet.on("always") {
                fault("hours", Problem::NeverOpen);
            }
        }
    }
    let done = if faults.is_empty() {
        save(&app, &person, version, settings).await
    } else {
        Err(NotSaved::Faulty(faults))
    };
    match done {
        Ok(()) => saved(HERE, ""),
        Err(why) => {
            drawn(Shown::again(&app, &person, sheet, "", why).and_then(|shown| build(&app, &person, shown)))
        }
    }
}

fn build(
    app: &OfficeApp,
    person: &Person,
    mut shown: Shown,
) -> Result<(StatusCode, HoursPage), Box<Response>> {
    let k = person.kit(app);
    let settings = &shown.view.settings;
    // The form of the closed days does not carry the week with it.
    if matches!(shown.sheet.text("act"), "" | "close" | "open") {
        shown.sheet.tick("always", settings.hours.is_empty());
        shown.sheet.set_week(&settings.hours);
    }
    let today = app.setup().date_of(k.now);
    let closures = settings
        .closures
        .iter()
        .map(|day| (day.to_string(), day_words(*day, &k), *day < today))
        .collect();
    let page = HoursPage {
        bar: Bar::of(&person.session, "settings"),
        f: shown.frame(&k, "hours"),
        days: shown.sheet.days(&k),
        closures,
        s: shown.sheet,
        k,
    };
    Ok((shown.status, page))
}

/// `viernes 25/12/2026`.
fn day_words(day: BusinessDate, k: &Kit) -> String {
    let weekday = usize::try_from(day.0.weekday().to_monday_zero_offset()).ok();
    let word = weekday.and_then(|at| DAYS.get(at)).map(|(_, word)| k.say(word));
    format!("{} {}", word.unwrap_or_default(), day.0.strftime("%d/%m/%Y"))
}
