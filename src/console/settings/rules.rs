//! The few numbers of the line: K, absences, repeated calls, people who come back.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::sheet::Sheet;
use super::{Frame, NotSaved, Shown, Which, drawn, save, saved, view};
use crate::app::office::OfficeApp;
use crate::console::kit::Kit;
use crate::console::{App, Bar, Person};
use crate::domain::office::settings::{Fault, RULES, Rules};

const HERE: &str = "/console/settings/rules";

#[derive(Template)]
#[template(path = "console/pages/settings/rules.html")]
struct RulesPage {
    k: Kit,
    bar: Bar,
    f: Frame,
    s: Sheet,
    rules: Vec<Rule>,
    /// What the wall says now.
    wall: String,
}

struct Rule {
    name: &'static str,
    word: String,
    help: String,
    least: u32,
    most: u32,
}

pub(in crate::console) async fn show(
    State(app): App,
    person: Person,
    Query(which): Query<Which>,
) -> Response {
    drawn(Shown::calm(&app, &which).and_then(|shown| build(&app, &person, shown)))
}

/// All rules at once.
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
    settings.rules = read(&sheet, &mut faults);
    let done = if faults.is_empty() {
        save(&app, &person, version, settings).await
    } else {
        Err(NotSaved::Faulty(faults))
    };
    match done {
        Ok(()) => saved(HERE, ""),
        Err(why) => drawn(
            Shown::again(&app, &person, sheet, "rules.", why).and_then(|shown| build(&app, &person, shown)),
        ),
    }
}

fn read(sheet: &Sheet, faults: &mut Vec<Fault>) -> Rules {
    let mut number = |name: &str| -> u32 {
        let bounds = RULES.iter().find(|(known, ..)| *known == name);
        let bounds = bounds.map_or((0, u32::MAX), |(_, _, least, most)| (*least, *most));
        sheet.number(&format!("rules.{name}"), faults, bounds)
    };
    Rules {
        // What does not fit is out of bounds and refused as such.
        max_priority_run: u8::try_from(number("max_priority_run")).unwrap_or(u8::MAX),
        no_show_calls: number("no_show_calls"),
        no_show_after_seconds: number("no_show_after_seconds"),
        recall_max: number("recall_max"),
        recall_gap_seconds: number("recall_gap_seconds"),
        rejoin_minutes: number("rejoin_minutes"),
        rejoin_max: number("rejoin_max"),
        rejoin_behind: number("rejoin_behind"),
        appointment_grace_minutes: number("appointment_grace_minutes"),
        alarm_minutes: number("alarm_minutes"),
        draft_days: number("draft_days"),
    }
}

fn build(
    app: &OfficeApp,
    person: &Person,
    mut shown: Shown,
) -> Result<(StatusCode, RulesPage), Box<Response>> {
    let k = person.kit(app);
    let rules = &shown.view.settings.rules;
    if shown.sheet.is_empty() {
        for (name, value, ..) in RULES {
            shown.sheet.set(name, value(rules));
        }
    }
    let lines = RULES
        .iter()
        .map(|(name, _, least, most)| {
            let key = name.replace('_', "-");
            Rule {
                name,
                word: k.say(&format!("office-set-rule-{key}")),
                help: k.say(&format!("office-set-rule-{key}-help")),
                least: *least,
                most: *most,
            }
        })
        .collect();
    let page = RulesPage {
        bar: Bar::of(&person.session, "settings"),
        f: shown.frame(&k, "rules"),
        wall: k.fill("office-rule-wall", "k", rules.max_priority_run),
        rules: lines,
        s: shown.sheet,
        k,
    };
    Ok((shown.status, page))
}
