//! Queues: name, letter, hours and limits; a queue that is not needed any more is retired and keeps its reports.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::sheet::{DayRow, Sheet};
use super::{Frame, NotSaved, Shown, Which, drawn, id_of, save, saved, view};
use crate::app::office::OfficeApp;
use crate::console::kit::Kit;
use crate::console::{App, Bar, Person};
use crate::domain::office::TransferPlace;
use crate::domain::office::settings::{Fault, Problem, QueueSettings, Settings};
use crate::domain::ticket::QueueId;

const HERE: &str = "/console/settings/queues";

#[derive(Template)]
#[template(path = "console/pages/settings/queues.html")]
struct QueuesPage {
    k: Kit,
    bar: Bar,
    f: Frame,
    s: Sheet,
    days: Vec<DayRow>,
    queues: Vec<Line>,
    /// The queue that is open on the right.
    open: Option<Line>,
}

#[derive(Clone)]
struct Line {
    id: String,
    series: String,
    name: String,
    hours: String,
    cap: String,
    retired: bool,
    /// Turns that are open now.
    turns: usize,
    first: bool,
    last: bool,
}

pub(in crate::console) async fn show(
    State(app): App,
    person: Person,
    Query(which): Query<Which>,
) -> Response {
    drawn(Shown::calm(&app, &which).and_then(|shown| build(&app, &person, &which.open, shown)))
}

/// A queue to save, to retire, to bring back, to move or to delete.
pub(in crate::console) async fn change(
    State(app): App,
    person: Person,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let mut sheet = Sheet::typed(form);
    let open = sheet.text("open").to_owned();
    let mut settings = match view(&app) {
        Ok(view) => view.settings,
        Err(response) => return *response,
    };
    let version = sheet.text("version").parse().unwrap_or(0);
    let mut faults = Vec::new();
    let id = match sheet.text("act") {
        "retire" | "restore" => {
            let retired = sheet.text("act") == "retire";
            set_retired(&mut settings, &open, retired);
            open.clone()
        }
        "delete" => {
            settings.queues.retain(|queue| queue.id != open);
            for profile in &mut settings.profiles {
                profile.serves.retain(|queue| *queue != open);
                profile.then_serves.retain(|queue| *queue != open);
            }
            String::new()
        }
        act @ ("up" | "down") => {
            move_queue(&mut settings, &open, act == "up");
            open.clone()
        }
        _ => put(&mut settings, &open, &sheet, &mut faults),
    };
    let prefix = format!("queues.{}.", if id.is_empty() { &open } else { &id });
    let done = if faults.is_empty() {
        save(&app, &person, version, settings).await
    } else {
        Err(NotSaved::Faulty(faults))
    };
    match done {
        Ok(()) => saved(HERE, &id),
        Err(why) => {
            if sheet.text("act") != "save" {
                // A button only says which; the form shows the queue as it is.
                sheet = Sheet::default();
            }
            drawn(
                Shown::again(&app, &person, sheet, &prefix, why)
                    .and_then(|shown| build(&app, &person, &open, shown)),
            )
        }
    }
}

fn set_retired(settings: &mut Settings, id: &str, retired: bool) {
    if let Some(queue) = settings.queues.iter_mut().find(|queue| queue.id == id) {
        queue.retired = retired;
    }
}

fn move_queue(settings: &mut Settings, id: &str, up: bool) {
    let Some(at) = settings.queues.iter().position(|queue| queue.id == id) else {
        return;
    };
    let to = if up { at.saturating_sub(1) } else { at + 1 };
    if to < settings.queues.len() {
        settings.queues.swap(at, to);
    }
}

/// Writes what was typed into the document; returns the id of the queue.
fn put(settings: &mut Settings, open: &str, sheet: &Sheet, faults: &mut Vec<Fault>) -> String {
    let known = settings.queue(open).cloned();
    let id = match (&known, sheet.text("id")) {
        (Some(queue), _) => queue.id.clone(),
        (None, "") => {
            let taken: Vec<&str> = settings.queues.iter().map(|queue| queue.id.as_str()).collect();
            id_of(sheet.text("name"), &taken)
        }
        (None, typed) => typed.to_owned(),
    };
    let field = |name: &str| format!("queues.{id}.{name}");
    let own_hours = sheet.on("own-hours");
    let mut queue = QueueSettings::new(&id, sheet.text("name"), &sheet.text("series").to_uppercase());
    queue.service_minutes = sheet.number(&field("service_minutes"), faults, (1, 240));
    queue.daily_cap = match sheet.text("daily_cap") {
        "" => None,
        _ => Some(sheet.number(&field("daily_cap"), faults, (1, 9999))),
    };
    queue.stops_by_forecast = sheet.on("stops_by_forecast");
    queue.carries_over = sheet.on("carries_over");
    queue.transfer_place = if sheet.text("transfer_place") == "last" {
        TransferPlace::Last
    } else {
        TransferPlace::Keep
    };
    if own_hours {
        queue.hours = sheet.week();
        if queue.hours.is_empty() {
            faults.push(Fault {
                field: field("hours"),
                problem: Problem::NeverOpen,
            });
        }
    }
    match settings
        .queues
        .iter_mut()
        .find(|queue| known.is_some() && queue.id == id)
    {
        Some(place) => {
            queue.retired = place.retired;
            *place = queue;
        }
        None => settings.queues.push(queue),
    }
    id
}

fn build(
    app: &OfficeApp,
    person: &Person,
    open: &str,
    mut shown: Shown,
) -> Result<(StatusCode, QueuesPage), Box<Response>> {
    let k = person.kit(app);
    let settings = &shown.view.settings;
    let last = settings.queues.len().saturating_sub(1);
    let queues: Vec<Line> = app.look(|office, _| {
        let line = |(at, queue): (usize, &QueueSettings)| Line {
            id: queue.id.clone(),
            series: queue.series.clone(),
            name: queue.name.clone(),
            hours: k.say(if queue.hours.is_empty() {
                "office-set-hours-office"
            } else {
                "office-set-hours-own"
            }),
            cap: queue
                .daily_cap
                .map_or_else(|| "–".to_owned(), |cap| cap.to_string()),
            retired: queue.retired,
            turns: office.open_turns(&QueueId(queue.id.clone())),
            first: at == 0,
            last: at == last,
        };
        settings.queues.iter().enumerate().map(line).collect()
    });
    let chosen = settings.queue(open).cloned();
    if shown.sheet.is_empty() {
        let new = QueueSettings::new("", "", "");
        fill(&mut shown.sheet, chosen.as_ref().unwrap_or(&new));
    }
    let page = QueuesPage {
        bar: Bar::of(&person.session, "settings"),
        f: shown.frame(&k, "queues"),
        days: shown.sheet.days(&k),
        open: chosen.and_then(|queue| queues.iter().find(|line| line.id == queue.id).cloned()),
        queues,
        s: shown.sheet,
        k,
    };
    Ok((shown.status, page))
}

fn fill(sheet: &mut Sheet, queue: &QueueSettings) {
    sheet.set("id", &queue.id);
    sheet.set("name", &queue.name);
    sheet.set("series", &queue.series);
    sheet.set("service_minutes", queue.service_minutes);
    sheet.set(
        "daily_cap",
        queue.daily_cap.map(|cap| cap.to_string()).unwrap_or_default(),
    );
    sheet.tick("stops_by_forecast", queue.stops_by_forecast);
    sheet.tick("carries_over", queue.carries_over);
    let last = queue.transfer_place == TransferPlace::Last;
    sheet.set("transfer_place", if last { "last" } else { "keep" });
    sheet.tick("own-hours", !queue.hours.is_empty());
    sheet.set_week(&queue.hours);
}
