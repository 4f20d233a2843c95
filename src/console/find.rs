//! Find a turn by its number, and read its life.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::kit::{Kit, page};
use super::{App, Bar, Person, kit_of};
use crate::app::office::Problem;
use crate::domain::event::What;
use crate::domain::ticket::Ticket;

#[derive(Template)]
#[template(path = "console/pages/find.html")]
struct FindPage {
    k: Kit,
    bar: Bar,
    asked: String,
    found: Option<Found>,
}

struct Found {
    number: String,
    queue: String,
    status: String,
    life: Vec<Step>,
}

struct Step {
    at: Timestamp,
    what: String,
    counter: String,
    who: String,
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
    let k = kit_of(&app);
    let wanted = tidy(&asked.q);
    let ticket: Option<Ticket> = app.look(|office, _| office.ticket_shown(&wanted).cloned());
    let found = match ticket {
        None => None,
        Some(ticket) => {
            let events = match app.events_of(ticket.id) {
                Ok(events) => events,
                Err(error) => return Problem::from(error).into_response(),
            };
            let queue = app.setup().queue(&ticket.queue);
            Some(Found {
                number: ticket.shown(),
                queue: queue.map_or_else(String::new, |queue| queue.name.clone()),
                status: k.say(&format!(
                    "office-status-{}",
                    ticket.status.code().replace('_', "-")
                )),
                life: events
                    .iter()
                    .map(|event| Step {
                        at: event.at,
                        what: k.say(&format!("office-event-{}", event.what.kind().replace('_', "-"))),
                        counter: event.counter.map(|n| n.to_string()).unwrap_or_default(),
                        who: match &event.what {
                            What::Issued { kiosk, .. } => {
                                kiosk.as_ref().map(ToString::to_string).unwrap_or_default()
                            }
                            _ => event.who.clone().unwrap_or_default(),
                        },
                    })
                    .collect(),
            })
        }
    };
    page(&FindPage {
        k,
        bar: Bar::of(&person.session, "find"),
        asked: asked.q,
        found,
    })
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
