//! One turn under the glass: found by its number, its life, and what may be done with it outside the usual order.
//!
//! A call out of turn, a return to the line, a lane put right and a turn given back all happen here, so that the page
//! of the counter keeps its few buttons for what happens all day.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::kit::{Kit, page};
use super::{App, Bar, Person, agent};
use crate::app::office::{Ask, OfficeApp, Problem};
use crate::domain::event::What;
use crate::domain::id::TicketId;
use crate::domain::office::{Command, Office};
use crate::domain::printing::PaperOrder;
use crate::domain::staff::{Permission, may};
use crate::domain::ticket::{KioskId, Lane, Status, Ticket};

/// Longest reason that is kept.
const REASON_MAX: usize = 120;

#[derive(Template)]
#[template(path = "console/pages/find.html")]
struct FindPage {
    k: Kit,
    bar: Bar,
    asked: String,
    message: Option<String>,
    found: Option<Found>,
}

struct Found {
    id: TicketId,
    number: String,
    queue: String,
    status: String,
    lane: String,
    life: Vec<Step>,
    /// The counter it may be called to now, out of turn.
    call_to: Option<String>,
    rejoin: bool,
    cancel: bool,
    /// Kiosks that may print its ticket once more.
    copies: Vec<String>,
    /// Lanes it may be put into: the word of the API and the words for people.
    lanes: Vec<(&'static str, String)>,
}

struct Step {
    at: Timestamp,
    what: String,
    counter: String,
    who: String,
    /// A reason or a note, in the words of who gave it.
    words: String,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

/// `t18`, `T 018` and `T-018` are the same turn.
fn tidy(asked: &str) -> String {
    let letters: String = asked.chars().filter(char::is_ascii_alphabetic).collect();
    let digits: String = asked.chars().filter(char::is_ascii_digit).collect();
    let number: u32 = digits.parse().unwrap_or(0);
    format!("{}-{number:03}", letters.to_ascii_uppercase())
}

pub(super) async fn show(State(app): App, person: Person, Query(asked): Query<Asked>) -> Response {
    draw(&app, &person, asked.q, None)
}

fn draw(app: &OfficeApp, person: &Person, asked: String, message: Option<String>) -> Response {
    let k = person.kit(app);
    let wanted = tidy(&asked);
    let kiosks: Vec<String> = app.config().kiosks.iter().map(|kiosk| kiosk.id.clone()).collect();
    let ticket = app.look(|office, _| {
        let ticket = office.ticket_shown(&wanted)?;
        Some((ticket.clone(), moves(office, ticket, person, &kiosks, &k)))
    });
    let found = match ticket {
        None => None,
        Some((ticket, found)) => match app.events_of(ticket.id) {
            Ok(events) => Some(Found {
                life: events.iter().map(|event| step(event, &k)).collect(),
                ..found
            }),
            Err(error) => return Problem::from(error).into_response(),
        },
    };
    page(&FindPage {
        k,
        bar: Bar::of(&person.session, "find"),
        asked,
        message,
        found,
    })
}

/// What this person may do with the turn as it stands.
fn moves(office: &Office, ticket: &Ticket, person: &Person, kiosks: &[String], k: &Kit) -> Found {
    let role = person.session.staff.role;
    let attends = may(role, Permission::AttendCounter);
    let counter = person.session.counter.filter(|number| {
        let free = office.counter(*number).is_some_and(|counter| {
            counter.ticket.is_none() && counter.state == crate::domain::office::CounterState::Open
        });
        free && office
            .profile(*number)
            .is_some_and(|profile| profile.serves(&ticket.queue))
    });
    let callable = matches!(ticket.status, Status::Waiting | Status::NoShow);
    let corrects = may(role, Permission::CorrectLane) && !ticket.status.is_final();
    let lane_words = |lane: Lane| k.say(&format!("office-lane-{}", lane.code()));
    Found {
        id: ticket.id,
        number: ticket.shown(),
        queue: office
            .setup()
            .queue(&ticket.queue)
            .map(|queue| queue.name.clone())
            .unwrap_or_default(),
        status: k.say(&format!(
            "office-status-{}",
            ticket.status.code().replace('_', "-")
        )),
        lane: lane_words(ticket.lane),
        life: Vec::new(),
        call_to: counter
            .filter(|_| attends && callable)
            .map(|number| number.to_string()),
        rejoin: attends && ticket.status == Status::NoShow,
        cancel: attends && matches!(ticket.status, Status::Waiting | Status::Parked),
        copies: if may(role, Permission::OrderPapers) && !ticket.status.is_final() {
            kiosks.to_vec()
        } else {
            Vec::new()
        },
        lanes: Lane::ALL
            .into_iter()
            .filter(|lane| corrects && *lane != ticket.lane)
            .map(|lane| (lane.code(), lane_words(lane)))
            .collect(),
    }
}

fn step(event: &crate::domain::event::OfficeEvent, k: &Kit) -> Step {
    Step {
        at: event.at,
        what: k.say(&format!("office-event-{}", event.what.kind().replace('_', "-"))),
        counter: event.counter.map(|n| n.to_string()).unwrap_or_default(),
        who: match &event.what {
            What::Issued { kiosk, .. } => kiosk.as_ref().map(ToString::to_string).unwrap_or_default(),
            _ => event.who.clone().unwrap_or_default(),
        },
        words: match &event.what {
            What::Called { reason, .. } => reason.clone().unwrap_or_default(),
            What::Parked { note } => note.clone().unwrap_or_default(),
            What::LaneCorrected { from, lane, .. } => {
                let words = |lane: &Lane| k.say(&format!("office-lane-{}", lane.code()));
                format!("{} → {}", words(from), words(lane))
            }
            _ => String::new(),
        },
    }
}

/// A button under a found turn.
#[derive(Deserialize)]
pub(super) struct Press {
    ticket: TicketId,
    #[serde(rename = "move")]
    name: String,
    #[serde(default)]
    lane: Option<Lane>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    kiosk: String,
}

/// Does what was pressed under a found turn, and shows it again.
pub(super) async fn press(State(app): App, person: Person, Form(form): Form<Press>) -> Response {
    let command = match form.name.as_str() {
        "call" => person.session.counter.map(|counter| Command::Pick {
            counter,
            ticket: form.ticket,
            reason: form.reason.trim().chars().take(REASON_MAX).collect(),
        }),
        "rejoin" => Some(Command::Rejoin(form.ticket)),
        "cancel" => Some(Command::Cancel {
            ticket: form.ticket,
            reason: "by_staff".to_owned(),
        }),
        "copy"
            if may(person.session.staff.role, Permission::OrderPapers)
                && app.config().kiosks.iter().any(|kiosk| kiosk.id == form.kiosk) =>
        {
            Some(Command::OrderPaper {
                kiosk: KioskId(form.kiosk.clone()),
                order: PaperOrder::Reprint { ticket: form.ticket },
            })
        }
        "lane" if may(person.session.staff.role, Permission::CorrectLane) => {
            form.lane.map(|lane| Command::CorrectLane {
                ticket: form.ticket,
                lane,
            })
        }
        _ => None,
    };
    let Some(command) = command else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let calls = matches!(command, Command::Pick { .. });
    let copies = matches!(command, Command::OrderPaper { .. });
    let done = carry_out(&app, &person, command).await;
    match done {
        Ok(()) if calls => Redirect::to("/console/agent").into_response(),
        Ok(()) if copies => Redirect::to("/console/printers").into_response(),
        done => {
            let number = app.look(|office, _| office.shown(form.ticket));
            draw(&app, &person, number, done.err())
        }
    }
}

/// Gives a command in a person's name; a refusal comes back in words.
pub(super) async fn carry_out(app: &Arc<OfficeApp>, person: &Person, command: Command) -> Result<(), String> {
    let ask = Ask {
        who: Some(person.session.staff.login.clone()),
        ..Ask::default()
    };
    match app.command(command, ask).await {
        Ok(_) => Ok(()),
        Err(error) => Err(agent::words(&person.kit(app), &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn a_number_is_found_however_it_is_typed() {
        for text in ["T-018", "t18", " t 018 "] {
            assert_eq!(tidy(text), "T-018");
        }
        assert_eq!(tidy("c1001"), "C-1001");
    }
}
