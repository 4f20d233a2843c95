//! The page of somebody at a counter: my turn, its form, my line.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::kit::{Kit, page};
use super::steer::{HelpRow, help_rows};
use super::{App, Bar, Person};
use crate::app::office::{
    Ask, FormLook, FormView, MoveBody, OfficeApp, OfficeError, Problem, Tone, command_of,
};
use crate::clock;
use crate::domain::office::{Command, CounterState, Office};
use crate::domain::queue::{Profile, Rule};
use crate::domain::redacted::mask_id;
use crate::domain::ticket::{CounterNumber, QueueId, Status, Ticket};

/// Turns shown of the line; the count beside it tells how many there are.
const LINE_ROWS: usize = 7;
/// Absent turns shown.
const ABSENT_SHOWN: usize = 4;

#[derive(Template)]
#[template(path = "console/pages/agent.html")]
struct AgentPage {
    k: Kit,
    bar: Bar,
    queues: Vec<(String, String)>,
    live: Live,
}

#[derive(Template)]
#[template(path = "console/pages/agent_live.html")]
struct Live {
    k: Kit,
    /// Of this rendering: pressing a button twice is pressing it once.
    press: String,
    message: Option<String>,
    state: &'static str,
    state_word: String,
    reason: Option<String>,
    turn: Option<Turn>,
    moves: Vec<Move>,
    why: String,
    form: Sheet,
    line: Vec<Row>,
    waiting: usize,
    next_why: Option<String>,
    parked: Vec<Parked>,
    may_resume: bool,
    /// Shown to the agent, because numbers on paper and numbers here may differ.
    damaged: bool,
    help: Vec<HelpRow>,
    /// Turns of my queues that did not come and may still come back.
    absent: Vec<String>,
    /// Queues I serve: id, name, and whether its system is down.
    systems: Vec<(String, String, bool)>,
}

struct Turn {
    id: String,
    number: String,
    heading: String,
    waited: SignedDuration,
    called: Timestamp,
    calls: u32,
    since: Option<Timestamp>,
    since_word: String,
}

struct Move {
    name: &'static str,
    word: String,
    icon: &'static str,
    key: &'static str,
    legal: bool,
    primary: bool,
    /// Asks something first, in a dialog of the page.
    asks: bool,
}

struct Row {
    number: String,
    preferred: bool,
    waited: SignedDuration,
}

struct Parked {
    id: String,
    number: String,
    note: String,
}

enum Sheet {
    NoTurn,
    None,
    NotYet,
    Ready(Shown),
}

struct Shown {
    title: String,
    code: String,
    made_at: String,
    rows: Vec<ShownRow>,
    result: Option<(&'static str, String, String)>,
}

struct ShownRow {
    index: usize,
    label: String,
    value: String,
    masked: bool,
    /// What was drawn.
    drawing: Option<String>,
}

pub(super) async fn show(State(app): App, person: Person) -> Response {
    let counter = person.session.counter;
    // A counter that an administrator took away while nobody worked there.
    let Some(counter) = counter.filter(|number| app.setup().counter(*number).is_some()) else {
        return Redirect::to("/console/counters").into_response();
    };
    let queues = app
        .setup()
        .queues
        .iter()
        .filter(|queue| !queue.retired)
        .map(|queue| (queue.id.to_string(), format!("{} · {}", queue.series, queue.name)))
        .collect();
    let live = build(&app, &person, counter, None).await;
    let mut bar = Bar::of(&person.session, "agent");
    bar.counter_state = live.state;
    page(&AgentPage {
        k: person.kit(&app),
        bar,
        queues,
        live,
    })
}

pub(super) async fn live(State(app): App, person: Person) -> Response {
    match person.session.counter {
        Some(counter) => page(&build(&app, &person, counter, None).await),
        None => StatusCode::GONE.into_response(),
    }
}

/// A button of the page.
#[derive(Deserialize)]
pub(super) struct Press {
    #[serde(rename = "move")]
    name: String,
    #[serde(default)]
    press: String,
    #[serde(default)]
    queue: Option<String>,
    #[serde(default)]
    place: Option<String>,
    #[serde(default)]
    ticket: Option<String>,
    #[serde(default)]
    text: Option<String>,
}

pub(super) async fn press(
    State(app): App,
    person: Person,
    headers: HeaderMap,
    Form(form): Form<Press>,
) -> Response {
    let Some(counter) = person.session.counter else {
        return Redirect::to("/console/counters").into_response();
    };
    let body = MoveBody {
        queue: form.queue.filter(|queue| !queue.is_empty()).map(QueueId),
        place: form.place,
        ticket: form.ticket.and_then(|id| id.parse().ok()),
        note: form.text.clone(),
        result: None,
        reason: form.text,
        ..MoveBody::default()
    };
    let ask = Ask {
        // The move is part of the key, because one page has many buttons.
        key: (!form.press.is_empty() && form.press.len() <= 64)
            .then(|| format!("console-{}-{}", form.press, form.name)),
        who: Some(person.session.staff.login.clone()),
        replaces: None,
    };
    let done = match command_of(&form.name, counter, body) {
        Ok(command) => app
            .command(command, ask)
            .await
            .map_err(|error| words(&person.kit(&app), &error)),
        Err(_) => Err(person.kit(&app).say("office-refusal-other")),
    };
    if form.name == "close" && done.is_ok() {
        return match app.choose_counter(&person.secret, None).await {
            Ok(()) => Redirect::to("/console/counters").into_response(),
            Err(error) => Problem::from(error).into_response(),
        };
    }
    if headers.contains_key("x-live") {
        page(&build(&app, &person, counter, done.err()).await)
    } else {
        Redirect::to("/console/agent").into_response()
    }
}

/// What went wrong, in the words of the console.
pub(super) fn words(k: &Kit, error: &OfficeError) -> String {
    let key = match error {
        OfficeError::Refused(refusal) => match refusal.code() {
            "counter_not_open" => "office-refusal-counter-not-open",
            "counter_busy" => "office-refusal-counter-busy",
            "no_ticket" => "office-refusal-no-ticket",
            "wrong_status" => "office-refusal-wrong-status",
            "too_early" => "office-refusal-too-early",
            "same_queue" => "office-refusal-same-queue",
            "recalled_enough" => "office-refusal-recalled-enough",
            "recalled_just_now" => "office-refusal-recalled-just-now",
            "reason_missing" => "office-refusal-reason",
            "not_served" => "office-refusal-not-served",
            "rejoin_late" => "office-refusal-rejoin-late",
            "rejoin_often" => "office-refusal-rejoin-often",
            _ => "office-refusal-other",
        },
        OfficeError::KeyReused => "office-refusal-other",
        OfficeError::Store(_) => "office-refusal-store",
    };
    k.say(key)
}

/// Which masked answer.
#[derive(Deserialize)]
pub(super) struct Reveal {
    row: usize,
}

/// Tells one masked answer of the turn at this counter, once the look is on record.
pub(super) async fn reveal(State(app): App, person: Person, Form(form): Form<Reveal>) -> Response {
    let nothing = || StatusCode::NOT_FOUND.into_response();
    let Some(counter) = person.session.counter else {
        return nothing();
    };
    let submission = app.look(|office, _| at_counter(office, counter).and_then(|ticket| ticket.submission));
    let Some(submission) = submission.map(|id| id.to_string()) else {
        return nothing();
    };
    let FormLook::Ready(view) = look(&app, submission.clone()).await else {
        return nothing();
    };
    let Some(row) = view.rows.get(form.row) else {
        return nothing();
    };
    let command = Command::Unmask {
        counter,
        submission,
        label: row.label.clone(),
    };
    let ask = Ask {
        who: Some(person.session.staff.login),
        ..Ask::default()
    };
    match app.command(command, ask).await {
        Ok(_) => row.value.reveal().clone().into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

async fn look(app: &Arc<OfficeApp>, submission: String) -> FormLook {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || app.open_form(&submission))
        .await
        .unwrap_or(FormLook::None)
}

fn at_counter(office: &Office, counter: CounterNumber) -> Option<&Ticket> {
    office.ticket(office.counter(counter)?.ticket?)
}

async fn build(
    app: &Arc<OfficeApp>,
    person: &Person,
    counter: CounterNumber,
    message: Option<String>,
) -> Live {
    let k = person.kit(app);
    let (mut live, submission) = app.look(|office, now| state(office, now, counter, &k, message));
    live.damaged = app.quarantined().is_some();
    if let Some(submission) = submission {
        live.form = match look(app, submission).await {
            FormLook::None => Sheet::None,
            FormLook::NotYet => Sheet::NotYet,
            FormLook::Ready(view) => Sheet::Ready(shown(view)),
        };
    }
    live
}

fn state(
    office: &Office,
    now: Timestamp,
    counter: CounterNumber,
    k: &Kit,
    message: Option<String>,
) -> (Live, Option<String>) {
    let here = office.counter(counter);
    let ticket = at_counter(office, counter);
    let (state, word, reason) = match here.map(|here| &here.state) {
        None | Some(CounterState::Closed) => ("closed", "office-bar-closed", None),
        Some(CounterState::Open) => ("open", "office-bar-open", None),
        Some(CounterState::Paused { reason }) => ("paused", "office-bar-paused", reason.clone()),
    };
    let waiting_tickets = |ids: Vec<crate::domain::id::TicketId>| {
        ids.into_iter()
            .filter_map(|id| office.ticket(id))
            .map(|ticket| Row {
                number: ticket.shown(),
                preferred: ticket.lane.is_preferred(),
                waited: ticket.waited(now),
            })
            .collect::<Vec<_>>()
    };
    let profile = office.profile(counter);
    let waiting = profile.map_or(0, |profile| {
        profile
            .tiers
            .iter()
            .flatten()
            .filter_map(|queue| office.line(queue))
            .map(|line| line.len())
            .sum()
    });
    let absent = profile.map_or_else(Vec::new, |profile| absent(office, profile, now));
    // An old screen has room for so much; the other cards push the line together.
    let rows = LINE_ROWS - if absent.is_empty() { 0 } else { 2 };
    let (line, next_why) = match profile {
        Some(profile) => (
            waiting_tickets(office.upcoming(profile, rows)),
            office.preview(profile).map(|(_, decision)| {
                let key = match decision.rule {
                    Rule::PriorityFirst => "office-next-priority",
                    Rule::GeneralAfterRun => "office-next-general",
                    Rule::OnlyLane | Rule::OutOfTurn => "office-next-only",
                };
                let run = [
                    ("run", decision.run.to_string()),
                    ("k", decision.max_run.to_string()),
                ];
                crate::i18n::fill(
                    k.language,
                    key,
                    &run.each_ref().map(|(name, value)| (*name, value.as_str())),
                )
            }),
        ),
        None => (Vec::new(), None),
    };
    let status = ticket.map(|ticket| ticket.status);
    let live = Live {
        press: press_key(),
        message,
        state,
        state_word: k.fill(word, "n", counter),
        reason,
        turn: ticket.map(|ticket| turn(ticket, k, now)),
        moves: moves(state, status, k),
        why: k.say(match (state, status) {
            ("open", None) => "office-why-none",
            ("open", Some(Status::Called)) => "office-why-called",
            ("open", Some(_)) => "office-why-serving",
            ("paused", _) => "office-why-paused",
            _ => "office-why-closed",
        }),
        form: if ticket.is_some() {
            Sheet::None
        } else {
            Sheet::NoTurn
        },
        line,
        waiting,
        next_why,
        parked: office
            .parked()
            .filter(|ticket| ticket.counter == Some(counter))
            .map(|ticket| Parked {
                id: ticket.id.to_string(),
                number: ticket.shown(),
                note: ticket.note.clone().unwrap_or_default(),
            })
            .collect(),
        may_resume: state == "open" && ticket.is_none(),
        damaged: false,
        help: help_rows(office, now),
        absent,
        systems: profile
            .into_iter()
            .flat_map(|profile| profile.tiers.iter().flatten())
            .filter_map(|id| office.setup().queue(id))
            .map(|queue| {
                let down = office.outage(&queue.id).is_some();
                (queue.id.to_string(), queue.name.clone(), down)
            })
            .collect(),
        k: k.clone(),
    };
    let submission = ticket
        .and_then(|ticket| ticket.submission)
        .map(|id| id.to_string());
    (live, submission)
}

/// Newest first; whoever comes back asks at the counter that called.
fn absent(office: &Office, profile: &Profile, now: Timestamp) -> Vec<String> {
    let within = office.setup().rejoin_within;
    let mut absent: Vec<&Ticket> = office
        .tickets()
        .filter(|ticket| ticket.status == Status::NoShow && profile.serves(&ticket.queue))
        .filter(|ticket| ticket.ended_at.is_some_and(|at| now.duration_since(at) <= within))
        .collect();
    absent.sort_unstable_by_key(|ticket| std::cmp::Reverse(ticket.ended_at));
    absent.into_iter().take(ABSENT_SHOWN).map(Ticket::shown).collect()
}

fn turn(ticket: &Ticket, k: &Kit, now: Timestamp) -> Turn {
    let heading = match (ticket.status, ticket.lane.is_preferred()) {
        (Status::Serving, true) => "office-turn-serving-priority",
        (Status::Serving, false) => "office-turn-serving-general",
        (_, true) => "office-turn-called-priority",
        (_, false) => "office-turn-called-general",
    };
    Turn {
        id: ticket.id.to_string(),
        number: ticket.shown(),
        heading: k.say(heading),
        waited: ticket.waited(now),
        called: ticket.last_called_at.unwrap_or(now),
        calls: ticket.calls,
        since: ticket.started_at.or(ticket.last_called_at),
        since_word: k.say(if ticket.status == Status::Serving {
            "office-turn-serving"
        } else {
            "office-turn-coming"
        }),
    }
}

/// The seven moves in six places: to start and to finish are never both possible.
fn moves(state: &str, status: Option<Status>, k: &Kit) -> Vec<Move> {
    let open = state == "open";
    let called = status == Some(Status::Called);
    let serving = status == Some(Status::Serving);
    let one = |name, word, icon, key, legal, primary, asks| Move {
        name,
        word: k.say(word),
        icon,
        key,
        legal,
        primary,
        asks,
    };
    let mut moves = vec![
        one(
            "next",
            "office-move-next",
            "megaphone-bold",
            "F2",
            open && status.is_none(),
            true,
            false,
        ),
        if serving {
            one(
                "finish",
                "office-move-finish",
                "check-bold",
                "F6",
                true,
                true,
                false,
            )
        } else {
            one(
                "start",
                "office-move-start",
                "user-bold",
                "F4",
                called,
                true,
                false,
            )
        },
        one(
            "recall",
            "office-move-recall",
            "bell-ringing-bold",
            "F3",
            called,
            false,
            false,
        ),
        one(
            "no-show",
            "office-move-no-show",
            "user-minus-bold",
            "F7",
            called,
            false,
            false,
        ),
        one(
            "transfer",
            "office-move-transfer",
            "arrow-bend-up-right-bold",
            "F8",
            called || serving,
            false,
            true,
        ),
        one(
            "park",
            "office-move-park",
            "pause-bold",
            "F9",
            serving,
            false,
            true,
        ),
    ];
    // What can be pressed stands on top; the rest keeps its order below.
    moves.sort_by_key(|one| (!one.legal, one.legal && !one.primary));
    moves
}

fn press_key() -> String {
    clock::random::<12>()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn shown(view: FormView) -> Shown {
    Shown {
        title: view.title,
        code: view.code,
        made_at: view.made_at,
        rows: view
            .rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| ShownRow {
                index,
                label: row.label,
                value: if row.masked {
                    mask_id(row.value.reveal())
                } else {
                    row.value.reveal().clone()
                },
                masked: row.masked,
                drawing: row.drawing.map(|drawing| drawing.reveal().clone()),
            })
            .collect(),
        result: view.result.map(|result| {
            let tone = match result.tone {
                Tone::Good => "good",
                Tone::Warn => "warn",
                Tone::Bad => "bad",
            };
            (tone, result.title, result.text)
        }),
    }
}
