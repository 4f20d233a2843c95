//! Whether the machines of the office work: for whoever mends them, without any turn, form or person.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;

use super::kit::{Kit, page};
use super::{App, Bar, Person};
use crate::app::office::Problem;
use crate::clock::from_micros;
use crate::domain::audit::Checkpoint;

/// A kiosk asks for something at least this often.
const SILENT_AFTER: SignedDuration = SignedDuration::from_mins(5);

#[derive(Template)]
#[template(path = "console/pages/health.html")]
struct HealthPage {
    k: Kit,
    bar: Bar,
    version: &'static str,
    kiosks: Vec<Kiosk>,
    put_aside: bool,
    events: u64,
    signed: Option<(String, String)>,
}

struct Kiosk {
    name: String,
    seen: Option<SignedDuration>,
    tone: &'static str,
    word: String,
}

pub(super) async fn show(State(app): App, person: Person) -> Response {
    let k = person.kit(&app);
    let newest = match app.newest_checkpoint() {
        Ok(newest) => newest,
        Err(error) => return Problem::from(error).into_response(),
    };
    let signed = newest
        .and_then(|text| Checkpoint::parse(&text).ok())
        .map(|checkpoint| {
            let at = from_micros(checkpoint.at);
            (k.day(&at), k.clock(&at))
        });
    let kiosks = app
        .kiosks_seen()
        .into_iter()
        .map(|(id, seen)| {
            let seen = seen.map(|at| k.now.duration_since(at));
            let (tone, word) = match seen {
                None => ("off", "office-kiosk-unseen"),
                Some(since) if since >= SILENT_AFTER => ("warn", "office-health-silent"),
                Some(_) => ("good", "office-health-works"),
            };
            Kiosk {
                name: id.to_string(),
                seen,
                tone,
                word: k.say(word),
            }
        })
        .collect();
    page(&HealthPage {
        bar: Bar::of(&person.session, "health"),
        version: env!("CARGO_PKG_VERSION"),
        kiosks,
        put_aside: app.quarantined().is_some(),
        events: app.seq(),
        signed,
        k,
    })
}
