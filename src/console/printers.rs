//! The printers of the kiosks: how they are, a new roll, a test page, and what became of the latest orders.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::SignedDuration;
use serde::Deserialize;

use super::kit::{Kit, page};
use super::overview::{PrinterRow, printer_row};
use super::turn::carry_out;
use super::{App, Bar, Person};
use crate::app::office::{OfficeApp, OrderView};
use crate::domain::office::Command;
use crate::domain::printing::{OrderOutcome, PaperOrder};
use crate::domain::ticket::KioskId;

#[derive(Template)]
#[template(path = "console/pages/printers.html")]
struct PrintersPage {
    k: Kit,
    bar: Bar,
    live: Live,
}

/// The part that is drawn anew when something changed.
#[derive(Template)]
#[template(path = "console/pages/printers_live.html")]
struct Live {
    k: Kit,
    message: Option<String>,
    kiosks: Vec<Kiosk>,
}

struct Kiosk {
    name: String,
    told: Option<SignedDuration>,
    printers: Vec<Printer>,
    orders: Vec<Line>,
}

struct Printer {
    name: String,
    word: String,
    row: PrinterRow,
    /// Metres of paper that should be left.
    left_m: String,
}

/// An order and what became of it, in words.
struct Line {
    at: jiff::Timestamp,
    what: String,
    tone: &'static str,
    outcome: String,
}

pub(super) async fn show(State(app): App, person: Person) -> Response {
    draw(&app, &person, None)
}

pub(super) async fn live(State(app): App, person: Person) -> Response {
    page(&build(&app, &person, None))
}

fn draw(app: &OfficeApp, person: &Person, message: Option<String>) -> Response {
    page(&PrintersPage {
        k: person.kit(app),
        bar: Bar::of(&person.session, "printers"),
        live: build(app, person, message),
    })
}

fn build(app: &OfficeApp, person: &Person, message: Option<String>) -> Live {
    let k = person.kit(app);
    let kiosks = app
        .kiosks()
        .into_iter()
        .map(|kiosk| Kiosk {
            told: kiosk.told_at.map(|at| k.now.duration_since(at)),
            printers: kiosk
                .printers
                .iter()
                .map(|printer| Printer {
                    name: printer.name.clone(),
                    word: k.say(match printer.name.as_str() {
                        "second" => "office-printer-second",
                        _ => "office-printer-first",
                    }),
                    row: printer_row(printer, &k),
                    left_m: format!("{},{}", printer.left_mm / 1000, printer.left_mm % 1000 / 100),
                })
                .collect(),
            orders: app
                .orders(&kiosk.kiosk)
                .iter()
                .rev()
                .map(|order| line(order, &k))
                .collect(),
            name: kiosk.kiosk.to_string(),
        })
        .collect();
    Live { message, kiosks, k }
}

fn line(order: &OrderView, k: &Kit) -> Line {
    let (tone, key) = match order.outcome {
        Some(OrderOutcome::Done) => ("good", "office-order-done"),
        Some(OrderOutcome::Unknown) => ("warn", "office-order-unknown"),
        Some(OrderOutcome::Failed) => ("bad", "office-order-failed"),
        None if order.open => ("off", "office-order-open"),
        None => ("bad", "office-order-late"),
    };
    Line {
        at: order.at,
        what: match &order.order {
            PaperOrder::TestPage => k.say("office-order-test"),
            PaperOrder::RollChanged { .. } => k.say("office-order-roll"),
            PaperOrder::Reprint { .. } => {
                let number = order.turn.as_ref().map_or("–", |turn| turn.number.as_str());
                k.fill("office-order-copy", "n", number)
            }
        },
        tone,
        outcome: k.say(key),
    }
}

#[derive(Deserialize)]
pub(super) struct Wish {
    kiosk: String,
    order: String,
    #[serde(default)]
    printer: String,
}

/// Says that a roll is new, or asks for a test page.
pub(super) async fn order(State(app): App, person: Person, Form(form): Form<Wish>) -> Response {
    let order = match form.order.as_str() {
        "test_page" => PaperOrder::TestPage,
        "roll_changed" if matches!(form.printer.as_str(), "first" | "second") => PaperOrder::RollChanged {
            printer: form.printer,
        },
        _ => return Redirect::to("/console/printers").into_response(),
    };
    let kiosk = KioskId(form.kiosk);
    if !app.kiosks().iter().any(|known| known.kiosk == kiosk) {
        return Redirect::to("/console/printers").into_response();
    }
    match carry_out(&app, &person, Command::OrderPaper { kiosk, order }).await {
        Ok(()) => Redirect::to("/console/printers").into_response(),
        Err(words) => draw(&app, &person, Some(words)),
    }
}
