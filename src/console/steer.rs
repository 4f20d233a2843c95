//! What staff say of the whole line: a system that is down, a queue that stops, a counter that serves others today,
//! a person who waits at a kiosk.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::SignedDuration;
use serde::Deserialize;

use super::kit::{Kit, page};
use super::turn::carry_out;
use super::{App, Bar, Person};
use crate::app::office::OfficeApp;
use crate::domain::office::settings::ProfileSettings;
use crate::domain::office::{Command, CounterState, Intake, Office};
use crate::domain::staff::{Permission, may};
use crate::domain::ticket::{CounterNumber, KioskId, Lane, QueueId};

/// Longest note about a system that is down; it is read on a kiosk's screen.
const NOTE_MAX: usize = 80;

#[derive(Template)]
#[template(path = "console/pages/steer.html")]
struct SteerPage {
    k: Kit,
    bar: Bar,
    message: Option<String>,
    queues: Vec<QueueRow>,
    counters: Vec<CounterRow>,
    zones: Vec<(String, bool, String)>,
}

struct QueueRow {
    id: String,
    title: String,
    intake: String,
    tone: &'static str,
    down: bool,
    note: String,
    stopped: bool,
    orphaned: bool,
}

struct CounterRow {
    number: u16,
    state: String,
    serves: String,
    changed: bool,
    /// What it could serve: value of the form, and the words.
    choices: Vec<(String, String)>,
}

pub(super) async fn show(State(app): App, person: Person) -> Response {
    draw(&app, &person, None)
}

fn draw(app: &OfficeApp, person: &Person, message: Option<String>) -> Response {
    let k = person.kit(app);
    let (queues, counters) = app.look(|office, now| {
        let orphaned: Vec<QueueId> = office.orphaned().into_iter().cloned().collect();
        let queues = office
            .queues()
            .map(|queue| {
                let intake = office.intake(&queue.id, Lane::General, now);
                let (tone, words) = intake_words(intake, &k);
                QueueRow {
                    id: queue.id.to_string(),
                    title: format!("{} · {}", queue.series, queue.name),
                    intake: words,
                    tone,
                    down: office.outage(&queue.id).is_some(),
                    note: office.outage(&queue.id).flatten().unwrap_or_default().to_owned(),
                    stopped: office.is_stopped(&queue.id),
                    orphaned: orphaned.contains(&queue.id),
                }
            })
            .collect();
        (queues, counters(office, &k))
    });
    let zones = app
        .boards()
        .into_iter()
        .map(|zone| {
            let dark = zone.screens.is_empty();
            let words = if dark {
                k.say("office-board-dark")
            } else {
                k.fill("office-board-screens", "n", zone.screens.len())
            };
            (zone.name, dark, words)
        })
        .collect();
    page(&SteerPage {
        bar: Bar::of(&person.session, "steer"),
        message,
        queues,
        counters,
        zones,
        k,
    })
}

/// Whether a queue gives tickets, in words.
pub(super) fn intake_words(intake: Intake, k: &Kit) -> (&'static str, String) {
    match intake {
        Intake::Open => ("good", k.say("office-intake-open")),
        Intake::Closed { opens: Some(opens) } => ("off", k.fill("office-intake-opens", "t", k.clock(&opens))),
        Intake::Closed { opens: None } => ("off", k.say("office-intake-closed")),
        Intake::Full { cap } => ("warn", k.fill("office-intake-full", "n", cap)),
        Intake::TooLate { closes } => ("warn", k.fill("office-intake-late", "t", k.clock(&closes))),
        Intake::Stopped => ("warn", k.say("office-intake-stopped")),
    }
}

fn counters(office: &Office, k: &Kit) -> Vec<CounterRow> {
    let setup = office.setup();
    let name = |id: &QueueId| {
        setup
            .queue(id)
            .map_or_else(|| id.to_string(), |queue| queue.name.clone())
    };
    let words = |tiers: &[Vec<QueueId>]| {
        let tier = |tier: &Vec<QueueId>| tier.iter().map(name).collect::<Vec<_>>().join(", ");
        tiers
            .iter()
            .map(tier)
            .collect::<Vec<_>>()
            .join(&format!(" · {} ", k.say("office-then")))
    };
    let value = |tiers: &[Vec<QueueId>]| crate::domain::office::profile_name(tiers);
    // Every profile of the settings, and each queue alone.
    let mut all: Vec<Vec<Vec<QueueId>>> = Vec::new();
    for tiers in setup.written.profiles.iter().map(ProfileSettings::tiers) {
        let known = tiers.iter().flatten().all(|queue| setup.queue(queue).is_some());
        if known && !tiers.is_empty() && !all.contains(&tiers) {
            all.push(tiers);
        }
    }
    for queue in office.queues() {
        let alone = vec![vec![queue.id.clone()]];
        if !all.contains(&alone) {
            all.push(alone);
        }
    }
    setup
        .counters
        .iter()
        .filter_map(|counter| {
            let now = office.profile(counter.number)?;
            let state = match office.counter(counter.number)?.state {
                CounterState::Closed => "office-state-closed",
                CounterState::Open => "office-state-open",
                CounterState::Paused { .. } => "office-state-paused",
            };
            Some(CounterRow {
                number: counter.number.0,
                state: k.say(state),
                serves: words(&now.tiers),
                changed: now.tiers != counter.profile.tiers,
                choices: all
                    .iter()
                    .filter(|tiers| **tiers != now.tiers)
                    .map(|tiers| (value(tiers), words(tiers)))
                    .collect(),
            })
        })
        .collect()
}

/// A button of the page.
#[derive(Deserialize)]
pub(super) struct Press {
    #[serde(rename = "move")]
    name: String,
    #[serde(default)]
    queue: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    counter: Option<u16>,
    #[serde(default)]
    serves: String,
    #[serde(default)]
    from: String,
}

/// Says something of a queue or changes what a counter serves.
pub(super) async fn press(State(app): App, person: Person, Form(form): Form<Press>) -> Response {
    let queue = QueueId(form.queue);
    let note: String = form.note.trim().chars().take(NOTE_MAX).collect();
    let steers = may(person.session.staff.role, Permission::SteerQueues);
    let command = match form.name.as_str() {
        "down" | "up" => Some(Command::Outage {
            queue,
            down: form.name == "down",
            note: (!note.is_empty()).then_some(note),
        }),
        "stop" | "resume" if steers => Some(Command::Stop {
            queue,
            stop: form.name == "stop",
        }),
        "serve" if steers => form.counter.map(|counter| Command::Serve {
            counter: CounterNumber(counter),
            tiers: form
                .serves
                .split('>')
                .map(|tier| tier.split('+').map(QueueId::from).collect())
                .collect(),
        }),
        _ => None,
    };
    let Some(command) = command else {
        return axum::http::StatusCode::FORBIDDEN.into_response();
    };
    let done = carry_out(&app, &person, command).await;
    if steers && form.from != "agent" {
        draw(&app, &person, done.err())
    } else {
        Redirect::to("/console/agent").into_response()
    }
}

/// Which kiosk somebody goes to.
#[derive(Deserialize)]
pub(super) struct Going {
    kiosk: String,
    #[serde(default)]
    from: String,
}

/// Somebody goes to the person at a kiosk.
pub(super) async fn go_to_kiosk(State(app): App, person: Person, Form(form): Form<Going>) -> Response {
    let command = Command::EndHelp {
        kiosk: KioskId(form.kiosk),
        attended: true,
    };
    // Somebody else may have gone a moment before; that is no trouble.
    let _ = carry_out(&app, &person, command).await;
    let back = if form.from == "office" {
        "/console/office"
    } else {
        "/console/agent"
    };
    Redirect::to(back).into_response()
}

/// People who wait at a kiosk, for the pages that show it.
pub(super) struct HelpRow {
    /// The kiosk.
    pub(super) kiosk: String,
    /// At which step, in its own words.
    pub(super) step: String,
    /// For how long.
    pub(super) waits: SignedDuration,
}

/// The calls for a person, oldest first.
pub(super) fn help_rows(office: &Office, now: jiff::Timestamp) -> Vec<HelpRow> {
    let mut rows: Vec<HelpRow> = office
        .help_calls()
        .map(|(kiosk, call)| HelpRow {
            kiosk: kiosk.to_string(),
            step: call.step.clone().unwrap_or_default(),
            waits: now.duration_since(call.since).max(SignedDuration::ZERO),
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.waits));
    rows
}
