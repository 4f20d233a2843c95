//! The administrator's pages of the line: counters and zones, queues, profiles, hours and closed days, rules.
//!
//! A page shows one document of settings and sends one changed thing back together with the version it was made from;
//! what may be changed is decided by [`crate::domain::office::Command::Configure`], not here.
//! Begin at [`Frame`]; what was typed and what is wrong with it is a [`sheet::Sheet`].

pub(super) mod counters;
pub(super) mod hours;
pub(super) mod profiles;
pub(super) mod queues;
pub(super) mod rules;
mod sheet;

#[cfg(test)]
mod tests;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Person;
use super::kit::{Kit, page};
use crate::app::office::{Ask, OfficeApp, OfficeError, Problem, SettingsView};
use crate::domain::office::Refusal;
use crate::domain::office::settings::{self, Fault, Settings};
use crate::domain::seal::hex;
use sheet::Sheet;

/// The pages: address, word, and name.
const TABS: [(&str, &str, &str); 5] = [
    ("/console/settings/counters", "office-set-counters", "counters"),
    ("/console/settings/queues", "office-set-queues", "queues"),
    ("/console/settings/profiles", "office-set-profiles", "profiles"),
    ("/console/settings/hours", "office-set-hours", "hours"),
    ("/console/settings/rules", "office-set-rules", "rules"),
];

/// What every page of settings has around its own.
struct Frame {
    /// Address and word of each page, and whether it is this one.
    tabs: Vec<(&'static str, String, bool)>,
    /// The version the page was made from.
    version: u64,
    /// Who changed the settings last, and when.
    changed: String,
    /// What is wrong that stands beside no field.
    troubles: Vec<String>,
    /// Whether something was just saved.
    saved: bool,
}

/// What the address says: which thing is open, and whether it was just saved.
#[derive(Deserialize, Default)]
pub(super) struct Which {
    #[serde(default)]
    open: String,
    #[serde(default)]
    saved: String,
}

/// Why something was not saved.
enum NotSaved {
    /// Somebody else was faster.
    Stale,
    /// Something is wrong with what was typed.
    Faulty(Vec<Fault>),
    /// Somebody would lose something by it.
    InUse(Vec<Fault>),
    /// It could not be kept.
    Problem(Box<Problem>),
}

/// A page with what is in force, what was typed and what is wrong.
struct Shown {
    view: SettingsView,
    sheet: Sheet,
    status: StatusCode,
    saved: bool,
    troubles: Vec<String>,
}

impl Shown {
    /// A page as it is when nothing was typed.
    fn calm(app: &OfficeApp, which: &Which) -> Result<Self, Box<Response>> {
        Ok(Self {
            view: view(app)?,
            sheet: Sheet::default(),
            status: StatusCode::OK,
            saved: !which.saved.is_empty(),
            troubles: Vec::new(),
        })
    }

    /// The same page again, with what was typed and why it was not taken.
    fn again(
        app: &OfficeApp,
        person: &Person,
        mut sheet: Sheet,
        prefix: &str,
        why: NotSaved,
    ) -> Result<Self, Box<Response>> {
        let (k, view) = (person.kit(app), view(app)?);
        let (status, troubles) = match why {
            NotSaved::Problem(problem) => return Err(Box::new(problem.into_response())),
            NotSaved::Stale => {
                let told = two(&k, "office-set-stale", &who(&k, &view), &k.clock(&view.at));
                (StatusCode::CONFLICT, vec![told])
            }
            NotSaved::Faulty(faults) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                sheet.take_faults(&k, prefix, faults),
            ),
            NotSaved::InUse(faults) => (StatusCode::CONFLICT, sheet.take_faults(&k, prefix, faults)),
        };
        Ok(Self {
            view,
            sheet,
            status,
            saved: false,
            troubles,
        })
    }

    fn frame(&self, k: &Kit, here: &str) -> Frame {
        let when = format!("{} {}", k.day(&self.view.at), k.clock(&self.view.at));
        let changed = match self.view.who.as_deref() {
            None => k.fill("office-set-from-file", "t", when),
            Some(_) => two(k, "office-set-changed", &who(k, &self.view), &when),
        };
        Frame {
            tabs: TABS
                .iter()
                .map(|(address, word, name)| (*address, k.say(word), *name == here))
                .collect(),
            version: self.view.version,
            changed,
            troubles: self.troubles.clone(),
            saved: self.saved,
        }
    }
}

/// Who changed the settings last, in words.
fn who(k: &Kit, view: &SettingsView) -> String {
    match view.who.as_deref() {
        None => k.say("office-set-somebody"),
        Some("terminal") => k.say("office-audit-by-terminal"),
        Some(who) => who.to_owned(),
    }
}

fn view(app: &OfficeApp) -> Result<SettingsView, Box<Response>> {
    app.settings()
        .map_err(|error| Box::new(Problem::from(error).into_response()))
}

/// Words with the two values `{a}` and `{b}`.
fn two(k: &Kit, key: &str, a: &str, b: &str) -> String {
    crate::i18n::fill(k.language, key, &[("a", a), ("b", b)])
}

/// A fault in words.
fn fault_words(k: &Kit, problem: &settings::Problem) -> String {
    let (a, b) = problem.values();
    two(k, &format!("office-set-fault-{}", problem.code()), &a, &b)
}

/// Answers with a page, or with what kept it from being made.
fn drawn<T: askama::Template>(made: Result<(StatusCode, T), Box<Response>>) -> Response {
    match made {
        Ok((status, template)) => (status, page(&template)).into_response(),
        Err(response) => *response,
    }
}

/// Asks the office to take a change.
///
/// The same form sent twice, as by a double click, is one change: its key is made of who, from what and what.
async fn save(
    app: &std::sync::Arc<OfficeApp>,
    person: &Person,
    version: u64,
    settings: Settings,
) -> Result<(), NotSaved> {
    let login = person.session.staff.login.clone();
    let body = serde_json::to_vec(&settings).unwrap_or_default();
    let ask = Ask {
        key: Some(format!("page {login} {version} {}", hex(&Sha256::digest(body)))),
        who: Some(login),
        replaces: None,
    };
    match app.configure(version, settings, ask).await {
        Ok(_) => Ok(()),
        Err(OfficeError::Refused(Refusal::SettingsStale { .. })) => Err(NotSaved::Stale),
        Err(OfficeError::Refused(Refusal::SettingsFaulty(faults))) => Err(NotSaved::Faulty(faults)),
        Err(OfficeError::Refused(Refusal::SettingsInUse(faults))) => Err(NotSaved::InUse(faults)),
        Err(error) => Err(NotSaved::Problem(Box::new(error.into()))),
    }
}

/// Back to a page, with the thing that was saved open.
fn saved(address: &str, open: &str) -> Response {
    let open: String = open
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    Redirect::to(&format!("{address}?open={open}&saved=1")).into_response()
}

/// The first page.
pub(super) async fn home() -> Redirect {
    Redirect::to(TABS[0].0)
}

/// An id for a new thing, made of its name: small letters, digits and hyphens, and not one of `taken`.
fn id_of(name: &str, taken: &[&str]) -> String {
    use unicode_normalization::UnicodeNormalization;
    let plain: String = name
        .nfd()
        .filter(char::is_ascii)
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let mut id: String = words.join("-").chars().take(settings::ID_MAX - 4).collect();
    if id.is_empty() {
        id.push('x');
    }
    let free = |id: &String| !taken.contains(&id.as_str());
    (2..)
        .map(|n| format!("{id}-{n}"))
        .find(free)
        .filter(|_| !free(&id))
        .unwrap_or_else(|| id.clone())
}
