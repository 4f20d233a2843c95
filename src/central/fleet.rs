//! The page where the devices are looked after: what is wrong first, then every device, then the orders.
//!
//! For whoever has the right to; a browser asks for the token as a password. Without scripts. Begin at [`pages`].

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::{in_quito, language};
use crate::app::central::CentralApp;
use crate::app::central::guard::{Clerk, Guarded};
use crate::app::central::watch::orders::result_of;
use crate::app::central::watch::view::{FleetDeviceView, FleetView, OrderView};
use crate::app::office::Problem;
use crate::domain::desk::DeskRight;
use crate::domain::fleet::alarm::AlarmKind;
use crate::domain::fleet::order::OrderKind;
use crate::i18n::{Language, fill, say};

/// The pages, each with the right it needs.
pub(super) fn pages(central: &Arc<CentralApp>) -> Guarded {
    Guarded::pages(central)
        .get("/fleet", DeskRight::SeeFleet, show)
        .get("/fleet/css", DeskRight::SeeFleet, css)
        .get("/fleet/orders/{id}", DeskRight::OrderDevices, result)
        .post("/fleet/{device}/orders", DeskRight::OrderDevices, give)
}

#[derive(Template)]
#[template(path = "central/fleet.html")]
struct Page {
    language: Language,
    fleet: FleetView,
    /// What the last touch came to, or empty.
    told: String,
}

/// One pair of words in the card of a device.
struct Fact {
    label: String,
    value: String,
    /// Whether it is what an alarm is about.
    bad: bool,
}

impl Page {
    fn say(&self, key: &str) -> String {
        say(self.language, key)
    }

    fn at(&self, at: &Timestamp) -> String {
        in_quito(*at, "%d/%m/%Y %H:%M")
    }

    /// «3 de 12 con alarma».
    fn summary(&self) -> String {
        let alarmed = self.fleet.devices.iter().filter(|one| one.is_alarmed()).count();
        fill(
            self.language,
            "fleet-summary",
            &[
                ("alarmed", &alarmed.to_string()),
                ("all", &self.fleet.devices.len().to_string()),
            ],
        )
    }

    fn letters(&self) -> Option<String> {
        let problem = self.fleet.letters_problem.as_ref()?;
        let waiting = self.fleet.letters_waiting.to_string();
        Some(fill(
            self.language,
            "fleet-letters",
            &[("waiting", &waiting), ("why", problem)],
        ))
    }

    /// What is wrong, as lines.
    fn alarms(&self, view: &FleetDeviceView) -> Vec<String> {
        view.alarms
            .iter()
            .map(|alarm| {
                let what = self.say(&format!("fleet-alarm-{}", alarm.kind.code()));
                let since = fill(
                    self.language,
                    "fleet-mail-since",
                    &[("time", &self.at(&alarm.since))],
                );
                format!("{} · {since}", capital(&what))
            })
            .collect()
    }

    /// Bad, waiting, good or unknown, as a class of the style and a word for people.
    fn state(&self, view: &FleetDeviceView) -> (&'static str, String) {
        let (class, key) = match view {
            view if view.is_alarmed() => ("bad", "fleet-state-alarm"),
            view if !view.alarms.is_empty() => ("warn", "fleet-state-watch"),
            view if view.heard_at.is_none() => ("none", "fleet-state-none"),
            _ => ("good", "fleet-state-well"),
        };
        (class, self.say(key))
    }

    fn facts(&self, view: &FleetDeviceView) -> Vec<Fact> {
        let wrong = |kinds: &[AlarmKind]| view.alarms.iter().any(|alarm| kinds.contains(&alarm.kind));
        let fact = |key: &str, value: String, kinds: &[AlarmKind]| Fact {
            label: self.say(key),
            value,
            bad: wrong(kinds),
        };
        let heard = view
            .heard_at
            .map_or_else(|| self.say("fleet-never"), |at| self.at(&at));
        let mut facts = vec![fact("fleet-heard", heard, &[AlarmKind::Silent])];
        let Some(report) = &view.report else { return facts };
        facts.push(fact("fleet-version", report.version.clone(), &[]));
        for printer in &report.printers {
            let metres = printer.left_mm / 1000;
            let state = self.say(&format!("fleet-printer-{}", known_state(&printer.state)));
            let value = fill(
                self.language,
                "fleet-printer-left",
                &[("state", &state), ("metres", &metres.to_string())],
            );
            facts.push(fact(
                "fleet-printer",
                value,
                &[AlarmKind::Printer, AlarmKind::Paper],
            ));
        }
        let waiting = fill(
            self.language,
            "fleet-outbox-waiting",
            &[
                ("waiting", &report.outbox.waiting.to_string()),
                ("stuck", &report.outbox.stuck.to_string()),
            ],
        );
        facts.push(fact(
            "fleet-outbox",
            waiting,
            &[AlarmKind::Outbox, AlarmKind::Stuck],
        ));
        if !report.lines.is_empty() {
            let people: u64 = report.lines.iter().map(|line| line.waiting).sum();
            facts.push(fact("fleet-people", people.to_string(), &[]));
        }
        if let Some(disk) = report.disk {
            let gigabytes = disk.free_bytes / 1_000_000_000;
            facts.push(fact(
                "fleet-disk",
                format!("{gigabytes} GB · {} %", disk.free_percent()),
                &[AlarmKind::Disk],
            ));
        }
        if let Some(offset) = report.clock_offset_ms {
            let tenths = offset.unsigned_abs() / 100;
            let sign = if offset < 0 { "−" } else { "" };
            facts.push(fact(
                "fleet-clock",
                format!("{sign}{},{} s", tenths / 10, tenths % 10),
                &[AlarmKind::Clock],
            ));
        }
        if let Some(update) = &report.update {
            let state = self.say(&format!("fleet-update-{}", known_update(&update.state)));
            let offered = update.offered.as_deref().unwrap_or(&update.running);
            facts.push(fact(
                "fleet-update",
                format!("{offered} · {state}"),
                &[AlarmKind::Update],
            ));
        }
        if let Some(doctor) = &report.doctor {
            let found = if doctor.wrong.is_empty() {
                self.say("fleet-doctor-well")
            } else {
                doctor.wrong.join(", ")
            };
            facts.push(fact(
                "fleet-doctor",
                format!("{} · {found}", self.at(&doctor.at)),
                &[AlarmKind::Doctor],
            ));
        }
        facts
    }

    /// What may be told to a device: word and words.
    fn kinds(&self, view: &FleetDeviceView) -> Vec<(&'static str, String)> {
        let has_screen = view
            .report
            .as_ref()
            .is_none_or(|report| report.role.code() == "kiosk");
        OrderKind::ALL
            .into_iter()
            .filter(|kind| has_screen || *kind != OrderKind::ScreenPicture)
            .map(|kind| (kind.code(), self.order_word(kind.code())))
            .collect()
    }

    fn order_word(&self, kind: &str) -> String {
        match OrderKind::of(kind) {
            Some(kind) => self.say(&format!("fleet-order-{}", kind.code().replace('_', "-"))),
            None => kind.to_owned(),
        }
    }

    fn detail_word(&self, detail: &str) -> String {
        const KNOWN: [&str; 9] = [
            "asked",
            "no-service",
            "no-screen",
            "session-open",
            "no-appliance",
            "not-written",
            "too-large",
            "expired",
            "unknown",
        ];
        let key = detail.replace(' ', "-");
        match KNOWN.into_iter().find(|word| *word == key) {
            Some(word) => self.say(&format!("fleet-detail-{word}")),
            None => detail.to_owned(),
        }
    }

    fn end_word(&self, order: &OrderView) -> String {
        let word = self.say(&format!("fleet-end-{}", order.end.unwrap_or("open")));
        if order.detail.is_empty() {
            word
        } else {
            format!("{word}: {}", self.detail_word(&order.detail))
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// A word of a later version has no words of ours.
fn known_state(state: &str) -> &str {
    const KNOWN: [&str; 11] = [
        "ready",
        "low",
        "unknown",
        "no-paper",
        "cover-open",
        "cutter",
        "offline",
        "silent",
        "unproven",
        "vanished",
        "refused",
    ];
    KNOWN.into_iter().find(|word| *word == state).unwrap_or("other")
}

fn known_update(state: &str) -> &str {
    const KNOWN: [&str; 6] = ["current", "fetching", "fetched", "installed", "failed", "refused"];
    KNOWN.into_iter().find(|word| *word == state).unwrap_or("current")
}

async fn shown(central: &CentralApp, headers: &HeaderMap, told: String) -> Result<Response, Problem> {
    let page = Page {
        language: language(headers),
        fleet: central.fleet().await?,
        told,
    };
    match page.render() {
        Ok(text) => Ok(axum::response::Html(text).into_response()),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}

async fn show(
    State(central): State<Arc<CentralApp>>,
    clerk: Clerk,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    central.note_seen(&clerk).await?;
    shown(&central, &headers, String::new()).await
}

#[derive(Deserialize)]
struct OrderForm {
    kind: String,
}

async fn give(
    State(central): State<Arc<CentralApp>>,
    clerk: Clerk,
    headers: HeaderMap,
    Path(device): Path<String>,
    Form(form): Form<OrderForm>,
) -> Result<Response, Problem> {
    let Some(kind) = OrderKind::of(&form.kind) else {
        return Err(Problem::bad_request("kind", "There is no such order"));
    };
    match central.give_order(&clerk, &device, kind).await {
        Ok(_) => Ok(Redirect::to("/fleet#orders").into_response()),
        Err(crate::app::central::watch::orders::OrderError::Enough(_)) => {
            let told = fill(language(&headers), "fleet-enough", &[("device", &device)]);
            shown(&central, &headers, told).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn result(
    State(central): State<Arc<CentralApp>>,
    clerk: Clerk,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    result_of(&central, &clerk, &id).await
}

async fn css() -> Response {
    (
        [(axum::http::header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("fleet.css"),
    )
        .into_response()
}
