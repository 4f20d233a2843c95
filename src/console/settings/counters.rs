//! Counters: their number, what they serve and the room that hears their calls; and the rooms themselves.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::sheet::Sheet;
use super::{Frame, NotSaved, Shown, Which, drawn, id_of, save, saved, view};
use crate::app::office::OfficeApp;
use crate::console::kit::Kit;
use crate::console::{App, Bar, Person};
use crate::domain::office::settings::{COUNTER_MAX, CounterSettings, Settings, ZoneSettings};
use crate::domain::office::{CounterState, Office};
use crate::domain::ticket::CounterNumber;

const HERE: &str = "/console/settings/counters";

#[derive(Template)]
#[template(path = "console/pages/settings/counters.html")]
struct CountersPage {
    k: Kit,
    bar: Bar,
    f: Frame,
    s: Sheet,
    counters: Vec<Line>,
    zones: Vec<ZoneLine>,
    profiles: Vec<(String, String)>,
    /// Number of the counter that is open on the right; empty for a new one.
    open: String,
    /// Id of the zone that is open on the right.
    zone: Option<ZoneLine>,
}

struct Line {
    number: u16,
    zone: String,
    profile: String,
    tone: &'static str,
    state: String,
}

#[derive(Clone)]
struct ZoneLine {
    id: String,
    name: String,
    counters: String,
}

pub(in crate::console) async fn show(
    State(app): App,
    person: Person,
    Query(which): Query<Which>,
) -> Response {
    drawn(Shown::calm(&app, &which).and_then(|shown| build(&app, &person, &which.open, shown)))
}

/// A counter or a zone to save or to take away.
pub(in crate::console) async fn change(
    State(app): App,
    person: Person,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let sheet = Sheet::typed(form);
    let open = sheet.text("open").to_owned();
    let (prefix, done) = match view(&app) {
        Ok(view) => match sheet.text("act") {
            "zone" | "zone-retire" => change_zone(&app, &person, &sheet, view.settings).await,
            act => change_counter(&app, &person, &sheet, view.settings, act == "retire").await,
        },
        Err(response) => return *response,
    };
    match done {
        Ok(open) => saved(HERE, &open),
        Err(why) => drawn(
            Shown::again(&app, &person, sheet, &prefix, why)
                .and_then(|shown| build(&app, &person, &open, shown)),
        ),
    }
}

fn version(sheet: &Sheet) -> u64 {
    sheet.text("version").parse().unwrap_or(0)
}

async fn change_counter(
    app: &std::sync::Arc<OfficeApp>,
    person: &Person,
    sheet: &Sheet,
    mut settings: Settings,
    retire: bool,
) -> (String, Result<String, NotSaved>) {
    let before: Option<u16> = sheet.text("open").parse().ok();
    if retire {
        let number = before.unwrap_or_default();
        settings.counters.retain(|counter| counter.number != number);
        let done = save(app, person, version(sheet), settings).await;
        return (format!("counters.{number}."), done.map(|()| String::new()));
    }
    let mut faults = Vec::new();
    let number: u16 = sheet.number("counters.0.number", &mut faults, (1, u32::from(COUNTER_MAX)));
    if !faults.is_empty() {
        return ("counters.0.".to_owned(), Err(NotSaved::Faulty(faults)));
    }
    let zone = sheet.text("zone");
    let counter = CounterSettings {
        number,
        profile: sheet.text("profile").to_owned(),
        zone: (!zone.is_empty()).then(|| zone.to_owned()),
    };
    match settings
        .counters
        .iter_mut()
        .find(|counter| Some(counter.number) == before)
    {
        Some(place) => *place = counter,
        None => settings.counters.push(counter),
    }
    // Stable, so that of two with one number the new one stands second and is named as the fault.
    if settings
        .counters
        .iter()
        .filter(|counter| counter.number == number)
        .count()
        == 1
    {
        settings.counters.sort_by_key(|counter| counter.number);
    }
    let done = save(app, person, version(sheet), settings).await;
    (format!("counters.{number}."), done.map(|()| number.to_string()))
}

async fn change_zone(
    app: &std::sync::Arc<OfficeApp>,
    person: &Person,
    sheet: &Sheet,
    mut settings: Settings,
) -> (String, Result<String, NotSaved>) {
    let open = sheet.text("open").to_owned();
    let before = open.strip_prefix("zone-").unwrap_or_default();
    let id = if before.is_empty() {
        let taken: Vec<&str> = settings.zones.iter().map(|zone| zone.id.as_str()).collect();
        id_of(sheet.text("name"), &taken)
    } else {
        before.to_owned()
    };
    if sheet.text("act") == "zone-retire" {
        settings.zones.retain(|zone| zone.id != id);
        if settings.zones.is_empty() {
            // The last room goes: the office is one room again.
            for counter in &mut settings.counters {
                counter.zone = None;
            }
        }
    } else {
        let name = sheet.text("name").to_owned();
        match settings.zones.iter_mut().find(|zone| zone.id == id) {
            Some(zone) => zone.name = name,
            None => settings.zones.push(ZoneSettings { id: id.clone(), name }),
        }
        if settings.zones.len() == 1 {
            // With the first room, every counter stands in it until somebody says otherwise.
            for counter in &mut settings.counters {
                counter.zone.get_or_insert_with(|| id.clone());
            }
        }
    }
    let done = save(app, person, version(sheet), settings).await;
    (format!("zones.{id}."), done.map(|()| String::new()))
}

fn build(
    app: &OfficeApp,
    person: &Person,
    open: &str,
    mut shown: Shown,
) -> Result<(StatusCode, CountersPage), Box<Response>> {
    let k = person.kit(app);
    let settings = &shown.view.settings;
    let zone_name = |id: Option<&str>| {
        let zone = settings.zones.iter().find(|zone| Some(zone.id.as_str()) == id);
        zone.map_or_else(|| "–".to_owned(), |zone| zone.name.clone())
    };
    let counters = app.look(|office, _| {
        let line = |counter: &CounterSettings| {
            let profile = settings.profile(&counter.profile);
            let (tone, state) = state(office, CounterNumber(counter.number), &k);
            Line {
                number: counter.number,
                zone: zone_name(counter.zone.as_deref()),
                profile: profile.map(|profile| profile.name.clone()).unwrap_or_default(),
                tone,
                state,
            }
        };
        settings.counters.iter().map(line).collect()
    });
    let zones: Vec<ZoneLine> = settings
        .zones
        .iter()
        .map(|zone| {
            let of = settings
                .counters
                .iter()
                .filter(|counter| counter.zone.as_deref() == Some(&zone.id));
            ZoneLine {
                id: zone.id.clone(),
                name: zone.name.clone(),
                counters: of
                    .map(|counter| counter.number.to_string())
                    .collect::<Vec<_>>()
                    .join(", "),
            }
        })
        .collect();
    let chosen = open.parse().ok().and_then(|number| settings.counter(number));
    let zone = open.strip_prefix("zone-").map(|id| {
        zones
            .iter()
            .find(|zone| zone.id == id)
            .cloned()
            .unwrap_or_else(ZoneLine::new)
    });
    if shown.sheet.is_empty() {
        if let Some(counter) = chosen {
            shown.sheet.set("number", counter.number);
            shown.sheet.set("profile", &counter.profile);
            shown.sheet.set("zone", counter.zone.clone().unwrap_or_default());
        }
        if let Some(zone) = &zone {
            shown.sheet.set("name", &zone.name);
        }
    }
    let settings = &shown.view.settings;
    let page = CountersPage {
        bar: Bar::of(&person.session, "settings"),
        f: shown.frame(&k, "counters"),
        profiles: settings
            .profiles
            .iter()
            .map(|profile| (profile.id.clone(), profile.name.clone()))
            .collect(),
        open: chosen
            .map(|counter| counter.number.to_string())
            .unwrap_or_default(),
        counters,
        zones,
        zone,
        s: shown.sheet,
        k,
    };
    Ok((shown.status, page))
}

impl ZoneLine {
    fn new() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            counters: String::new(),
        }
    }
}

/// How a counter is now, so that nobody takes one away where somebody works.
fn state(office: &Office, number: CounterNumber, k: &Kit) -> (&'static str, String) {
    let counter = office.counter(number);
    let who = counter
        .and_then(|counter| counter.who.clone())
        .map(|who| format!(" · {who}"));
    let (tone, word) = match counter.map(|counter| &counter.state) {
        None | Some(CounterState::Closed) => ("off", "office-state-closed"),
        Some(CounterState::Open) => ("good", "office-state-open"),
        Some(CounterState::Paused { .. }) => ("warn", "office-state-paused"),
    };
    (tone, format!("{}{}", k.say(word), who.unwrap_or_default()))
}
