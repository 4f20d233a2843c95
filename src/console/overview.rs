//! The supervisor's page: alarms first, queues, counters, waits by hour, and why each turn was called.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::kit::{Kit, minutes, page};
use super::steer::{HelpRow, help_rows};
use super::{App, Bar, Person};
use crate::app::office::{Ask, ClockError, OfficeApp, Peer, PrinterBody, Problem};
use crate::domain::event::What;
use crate::domain::office::{Command, CounterState, Office};
use crate::domain::queue::{Decision, Rule};
use crate::domain::report::percentile;
use crate::domain::ticket::{CounterNumber, Lane, QueueId, Status, Ticket};
use crate::domain::timekeeper::{EARLIEST, Trust};

/// Calls on the page of all calls.
const CALLS_SHOWN: u32 = 300;

/// A turn that stays this long at a counter may have been left there.
const STUCK_AFTER: SignedDuration = SignedDuration::from_mins(15);

#[derive(Template)]
#[template(path = "console/pages/office.html")]
struct OfficePage {
    k: Kit,
    bar: Bar,
    live: Live,
}

#[derive(Template)]
#[template(path = "console/pages/office_live.html")]
struct Live {
    k: Kit,
    alarms: Vec<(String, String)>,
    help: Vec<HelpRow>,
    damaged: bool,
    clock: Option<Doubt>,
    rule: String,
    queues: Vec<QueueRow>,
    counters: Vec<CounterTile>,
    chart: Option<Chart>,
    limit: u32,
    why: Option<Why>,
    kiosks: Vec<KioskRow>,
    issued: usize,
    finished: usize,
    no_show: usize,
    leased: usize,
}

/// The machine's clock is not believed.
struct Doubt {
    own: String,
    wall: String,
    /// Whether it can be right at all.
    possible: bool,
}

struct QueueRow {
    series: String,
    name: String,
    waiting: usize,
    preferred: usize,
    oldest: Option<SignedDuration>,
    p90: Option<SignedDuration>,
    over: bool,
    counters: usize,
    finished: usize,
    tone: &'static str,
    icon: &'static str,
    word: String,
}

struct CounterTile {
    number: u16,
    tone: &'static str,
    icon: &'static str,
    word: String,
    text: String,
    since: Option<SignedDuration>,
    /// Its turn looks stuck, so the counter may be given up and the turn sent back to its place.
    stuck: bool,
}

struct KioskRow {
    name: String,
    seen: Option<SignedDuration>,
    printers: Vec<PrinterRow>,
}

/// A printer of a kiosk, in words.
pub(super) struct PrinterRow {
    pub(super) tone: &'static str,
    pub(super) word: String,
    /// About how many papers are left, where it is known.
    pub(super) left: Option<u64>,
}

/// What a kiosk said of its printer; a word that is not known here is shown as trouble.
pub(super) fn printer_row(printer: &PrinterBody, k: &Kit) -> PrinterRow {
    let (tone, key) = match printer.state.as_str() {
        "ready" if printer.paper_low => ("warn", "office-printer-low"),
        "low" => ("warn", "office-printer-low"),
        "ready" => ("good", "office-printer-ready"),
        "no-paper" => ("bad", "office-printer-no-paper"),
        "cover-open" => ("bad", "office-printer-cover"),
        "cutter" => ("bad", "office-printer-cutter"),
        "unknown" | "unproven" => ("off", "office-printer-unknown"),
        _ => ("bad", "office-printer-away"),
    };
    PrinterRow {
        tone,
        word: k.say(key),
        left: printer.papers_left,
    }
}

/// Why a turn was called.
struct Why {
    number: String,
    counter: CounterNumber,
    at: Timestamp,
    candidates: Vec<Candidate>,
    reason: String,
}

struct Candidate {
    number: String,
    lane: String,
    arrived: Option<Timestamp>,
    chosen: bool,
}

/// Bars of an hour in the picture of 820×110.
struct Chart {
    hours: Vec<Hour>,
    limit_y: Option<i64>,
    width: i64,
}

struct Hour {
    label: String,
    centre: i64,
    bars: Vec<Column>,
}

struct Column {
    x: i64,
    y: i64,
    height: i64,
    middle: i64,
    text_y: i64,
    inside: bool,
    preferred: bool,
    minutes: i64,
}

#[derive(Template)]
#[template(path = "console/pages/calls.html")]
struct CallsPage {
    k: Kit,
    bar: Bar,
    calls: Vec<Why>,
}

pub(super) async fn show(State(app): App, person: Person) -> Response {
    page(&OfficePage {
        k: person.kit(&app),
        bar: Bar::of(&person.session, "office"),
        live: build(&app, &person),
    })
}

pub(super) async fn live(State(app): App, person: Person) -> Response {
    page(&build(&app, &person))
}

pub(super) async fn calls(State(app): App, person: Person) -> Response {
    let events = match app.calls(CALLS_SHOWN) {
        Ok(events) => events,
        Err(error) => return Problem::from(error).into_response(),
    };
    let k = person.kit(&app);
    let calls = app.look(|office, _| {
        events
            .iter()
            .filter_map(|event| match &event.what {
                What::Called { decision, reason, .. } => {
                    let told = (decision, reason.as_deref());
                    Some(why(office, &k, event.ticket?, event.counter?, event.at, told))
                }
                _ => None,
            })
            .collect()
    });
    page(&CallsPage {
        k,
        bar: Bar::of(&person.session, "calls"),
        calls,
    })
}

#[derive(Deserialize)]
pub(super) struct Release {
    counter: u16,
}

/// Closes a counter nobody works at any more; a turn that is there goes back to its own place.
pub(super) async fn release(State(app): App, person: Person, Form(form): Form<Release>) -> Response {
    let command = Command::Close {
        counter: CounterNumber(form.counter),
        release: true,
    };
    let ask = Ask {
        who: Some(person.session.staff.login),
        ..Ask::default()
    };
    match app.command(command, ask).await {
        Ok(_) => Redirect::to("/console/office").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Takes the machine's time, because a person looked at the clock and says so.
pub(super) async fn confirm_clock(State(app): App, person: Person, peer: Peer) -> Response {
    match app.confirm_clock(&person.session.staff.login, &peer).await {
        // An impossible time is shown on the page, without the button.
        Ok(()) | Err(ClockError::Impossible(_)) => Redirect::to("/console/office").into_response(),
        Err(ClockError::Store(error)) => Problem::from(error).into_response(),
    }
}

fn doubt(app: &OfficeApp, k: &Kit) -> Option<Doubt> {
    let state = app.clock_state();
    let text = |at: &Timestamp| format!("{} · {}", k.day(at), k.clock(at));
    (state.trust != Trust::Followed).then(|| Doubt {
        own: text(&state.now),
        wall: text(&state.wall),
        possible: state.wall >= EARLIEST,
    })
}

fn build(app: &OfficeApp, person: &Person) -> Live {
    let k = person.kit(app);
    let setup = app.setup();
    let limit = setup.alarm_minutes;
    let damaged = app.quarantined().is_some();
    let clock = doubt(app, &k);
    let kiosks = app
        .kiosks()
        .into_iter()
        .map(|kiosk| KioskRow {
            name: kiosk.kiosk.to_string(),
            seen: kiosk.seen_at.map(|at| k.now.duration_since(at)),
            printers: kiosk
                .printers
                .iter()
                .map(|printer| printer_row(printer, &k))
                .collect(),
        })
        .collect::<Vec<_>>();
    // An office that wrote down no rooms may have no screen, and is not scolded for it.
    let has_boards = !setup.written.zones.is_empty();
    let dark: Vec<String> = app
        .boards()
        .into_iter()
        .filter(|zone| has_boards && zone.alarm)
        .map(|zone| zone.name)
        .collect();
    app.look(|office, now| {
        let queues: Vec<QueueRow> = office
            .queues()
            .map(|queue| queue_row(office, &queue.id, limit, now, &k))
            .collect();
        let count = |status| office.tickets().filter(|ticket| ticket.status == status).count();
        Live {
            alarms: queues
                .iter()
                .filter_map(|queue| alarm(queue, limit, &k))
                .chain(kiosks.iter().filter_map(|kiosk| printer_alarm(kiosk, &k)))
                .chain(dark.iter().map(|zone| {
                    let what = k.fill("office-alarm-board", "zone", zone);
                    (what, k.say("office-alarm-board-more"))
                }))
                .collect(),
            help: help_rows(office, now),
            clock,
            damaged: damaged || office.continued().is_some(),
            rule: k.fill("office-rule-staff", "k", office.setup().max_run.get()),
            counters: office
                .counters()
                .map(|(number, _)| tile(office, number, now, &k))
                .collect(),
            chart: chart(office, limit, &k),
            limit,
            // A choice between two lanes explains the rule; the newest of those, or the newest call.
            why: office
                .calls()
                .rev()
                .find(|call| call.decision.rule != Rule::OnlyLane)
                .or_else(|| office.calls().next_back())
                .map(|call| {
                    let told = (&call.decision, call.reason.as_deref());
                    why(office, &k, call.ticket, call.counter, call.at, told)
                }),
            kiosks,
            issued: office.tickets().count(),
            finished: count(Status::Finished),
            no_show: count(Status::NoShow),
            leased: office.tickets().filter(|ticket| ticket.leased).count(),
            queues,
            k: k.clone(),
        }
    })
}

/// A kiosk that cannot print needs somebody now: a turn without paper is a number to remember.
fn printer_alarm(kiosk: &KioskRow, k: &Kit) -> Option<(String, String)> {
    let all_bad = !kiosk.printers.is_empty() && kiosk.printers.iter().all(|printer| printer.tone == "bad");
    let word = &kiosk.printers.first().filter(|_| all_bad)?.word;
    Some((k.fill("office-alarm-printer", "kiosk", &kiosk.name), word.clone()))
}

/// What is wrong with a queue, and the figures behind it.
fn alarm(queue: &QueueRow, limit: u32, k: &Kit) -> Option<(String, String)> {
    if queue.counters == 0 && queue.waiting > 0 {
        let what = k.fill("office-alarm-no-counter", "queue", &queue.name);
        return Some((what, k.fill("office-alarm-no-counter-more", "n", queue.waiting)));
    }
    let oldest = queue
        .oldest
        .filter(|oldest| minutes(*oldest) >= i64::from(limit))?;
    let values = [
        ("queue", queue.name.clone()),
        ("minutes", limit.to_string()),
        ("oldest", minutes(oldest).to_string()),
        ("counters", queue.counters.to_string()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    let say = |key| crate::i18n::fill(k.language, key, &values);
    Some((say("office-alarm-wait"), say("office-alarm-wait-more")))
}

/// Waits to the first call of a group of today's tickets, sorted.
fn waits<'a>(tickets: impl Iterator<Item = &'a Ticket>, now: Timestamp) -> Vec<SignedDuration> {
    let mut waits: Vec<SignedDuration> = tickets
        .filter(|ticket| ticket.first_called_at.is_some())
        .map(|ticket| ticket.waited(now))
        .collect();
    waits.sort_unstable();
    waits
}

fn queue_row(office: &Office, id: &QueueId, limit: u32, now: Timestamp, k: &Kit) -> QueueRow {
    let of_queue = || office.tickets().filter(|ticket| ticket.queue == *id);
    let line = office.line(id);
    let oldest = of_queue()
        .filter(|ticket| ticket.status == Status::Waiting)
        .map(|ticket| ticket.waited(now))
        .max();
    let p90 = percentile(&waits(of_queue(), now), 90);
    let counters = office
        .profiles()
        .filter(|(_, profile)| profile.serves(id))
        .filter_map(|(number, _)| office.counter(number))
        .filter(|counter| counter.state == CounterState::Open)
        .count();
    let waiting = line.map_or(0, |line| line.len());
    let over = [oldest, p90]
        .into_iter()
        .flatten()
        .any(|wait| minutes(wait) >= i64::from(limit));
    let (tone, icon, word) = if office.outage(id).is_some() {
        ("bad", "plugs-bold", "office-steer-is-down")
    } else if office.is_stopped(id) {
        ("warn", "pause-bold", "office-intake-stopped")
    } else if counters == 0 {
        let tone = if waiting > 0 { "warn" } else { "off" };
        (tone, "storefront-bold", "office-queue-no-counter")
    } else if over {
        ("bad", "warning-bold", "office-queue-over")
    } else {
        ("good", "check-bold", "office-queue-fine")
    };
    let setup = office.setup().queue(id);
    QueueRow {
        series: setup.map(|queue| queue.series.to_string()).unwrap_or_default(),
        name: setup.map(|queue| queue.name.clone()).unwrap_or_default(),
        waiting,
        preferred: line.map_or(0, |line| line.preferred_len()),
        oldest,
        p90,
        over,
        counters,
        finished: of_queue()
            .filter(|ticket| ticket.status == Status::Finished)
            .count(),
        tone,
        icon,
        word: k.say(word),
    }
}

fn tile(office: &Office, number: CounterNumber, now: Timestamp, k: &Kit) -> CounterTile {
    let counter = office.counter(number);
    let ticket = counter.and_then(|counter| office.ticket(counter.ticket?));
    let (tone, icon, word) = match (counter.map(|counter| &counter.state), ticket.map(|t| t.status)) {
        (_, Some(Status::Called)) => ("info", "megaphone-bold", "office-tile-calls"),
        (_, Some(_)) => ("good", "user-bold", "office-tile-serves"),
        (Some(CounterState::Open), None) => ("info", "circle-bold", "office-tile-free"),
        (Some(CounterState::Paused { .. }), None) => ("warn", "coffee-bold", "office-tile-paused"),
        (Some(CounterState::Closed) | None, None) => ("off", "x-bold", "office-tile-closed"),
    };
    let text = match (ticket, counter.map(|counter| &counter.state)) {
        (Some(ticket), _) => ticket.shown(),
        (None, Some(CounterState::Paused { reason })) => reason.clone().unwrap_or_else(|| "–".to_owned()),
        (None, _) => "–".to_owned(),
    };
    let since = match (ticket, counter) {
        (Some(ticket), _) => ticket.started_at.or(ticket.last_called_at),
        (None, Some(counter)) if counter.state != CounterState::Closed => Some(counter.since),
        (None, _) => None,
    };
    CounterTile {
        number: number.0,
        tone,
        icon,
        word: k.say(word),
        text,
        since: since.map(|since| now.duration_since(since)),
        stuck: ticket.is_some() && since.is_some_and(|since| now.duration_since(since) >= STUCK_AFTER),
    }
}

fn why(
    office: &Office,
    k: &Kit,
    ticket: crate::domain::id::TicketId,
    counter: CounterNumber,
    at: Timestamp,
    (decision, reason): (&Decision, Option<&str>),
) -> Why {
    let lane = |lane: Lane| {
        k.say(match lane {
            Lane::General => "office-lane-general",
            Lane::Priority => "office-lane-priority",
            Lane::Appointment => "office-lane-appointment",
        })
    };
    let key = match decision.rule {
        Rule::OnlyLane => "office-because-only",
        Rule::OutOfTurn => "office-because-chosen",
        Rule::PriorityFirst => "office-because-priority",
        Rule::GeneralAfterRun => "office-because-general",
    };
    let values = [
        ("run", decision.run.to_string()),
        ("k", decision.max_run.to_string()),
        ("reason", reason.unwrap_or("–").to_owned()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    Why {
        number: office.shown(ticket),
        counter,
        at,
        candidates: decision
            .candidates
            .iter()
            .map(|candidate| Candidate {
                number: office.shown(candidate.ticket),
                lane: lane(candidate.lane),
                arrived: office.ticket(candidate.ticket).map(|ticket| ticket.issued_at),
                chosen: candidate.ticket == ticket,
            })
            .collect(),
        reason: crate::i18n::fill(k.language, key, &values),
    }
}

/// Foot of the bars, and the height they may have.
const FOOT: i64 = 96;
const TALL: i64 = 76;

fn chart(office: &Office, limit: u32, k: &Kit) -> Option<Chart> {
    let hour_of = |at: Timestamp| i64::from(k.zone.to_datetime(at).hour());
    let called: Vec<&Ticket> = office
        .tickets()
        .filter(|ticket| ticket.first_called_at.is_some())
        .collect();
    let last = called.iter().map(|ticket| hour_of(ticket.issued_at)).max()?;
    let first = called
        .iter()
        .map(|ticket| hour_of(ticket.issued_at))
        .min()?
        .max(last - 7);
    let p90 = |hour: i64, preferred: bool| {
        let group = called
            .iter()
            .copied()
            .filter(|ticket| hour_of(ticket.issued_at) == hour && ticket.lane.is_preferred() == preferred);
        percentile(&waits(group, k.now), 90).map(minutes)
    };
    let figures: Vec<(i64, Option<i64>, Option<i64>)> = (first..=last)
        .map(|hour| (hour, p90(hour, false), p90(hour, true)))
        .collect();
    let highest = figures
        .iter()
        .flat_map(|(_, general, preferred)| [*general, *preferred])
        .flatten()
        .max()?
        .max(1);
    // The alarm's line is drawn when the waits come near it, else it would press the bars flat.
    let limit = i64::from(limit);
    let near = highest * 2 >= limit;
    let top = if near { highest.max(limit) } else { highest };
    let step = 820 / i64::try_from(figures.len()).unwrap_or(1).max(4);
    let hours = figures
        .iter()
        .zip(0_i64..)
        .map(|((hour, general, preferred), n)| {
            let centre = step * n + step / 2;
            let bar = |minutes: i64, preferred: bool| {
                let x = if preferred { centre + 4 } else { centre - 60 };
                let height = (minutes * TALL / top).max(2);
                let inside = !preferred && height > 22;
                Column {
                    x,
                    y: FOOT - height,
                    height,
                    middle: x + 28,
                    text_y: if inside { FOOT - 5 } else { FOOT - height - 5 },
                    inside,
                    preferred,
                    minutes,
                }
            };
            let bars = [general.map(|m| bar(m, false)), preferred.map(|m| bar(m, true))];
            Hour {
                label: format!("{hour:02} a {:02}", hour + 1),
                centre,
                bars: bars.into_iter().flatten().collect(),
            }
        })
        .collect();
    Some(Chart {
        hours,
        limit_y: near.then(|| FOOT - limit * TALL / top),
        width: step * i64::try_from(figures.len()).unwrap_or(1),
    })
}
