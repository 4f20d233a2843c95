//! The audit log as a page: the newest entries, by person and by day, and its check.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::Deserialize;

use super::accounts::role_word;
use super::kit::{Kit, page};
use super::{App, Bar, Person};
use crate::app::office::{Caller, OfficeApp, Peer, Problem};
use crate::clock::from_micros;
use crate::domain::audit::{AuditEvent, Entry, Fault, Findings, Note};
use crate::store::StoreError;
use crate::store::office::AuditFilter;

/// Entries of a page; older ones are reached by the day.
const SHOWN: u32 = 200;

#[derive(Template)]
#[template(path = "console/pages/audit.html")]
struct AuditPage {
    k: Kit,
    bar: Bar,
    people: Vec<String>,
    who: String,
    day: String,
    lines: Vec<Line>,
    /// Whether there are more than these.
    more: bool,
    checkpoint: Option<String>,
    checked: Option<Checked>,
}

struct Line {
    seq: u64,
    day: String,
    time: String,
    who: String,
    what: String,
    about: String,
    peer: String,
    tone: &'static str,
}

struct Checked {
    sound: bool,
    summary: String,
    faults: Vec<String>,
    notes: Vec<String>,
}

/// Which entries.
#[derive(Deserialize, Default)]
pub(super) struct Which {
    #[serde(default)]
    who: String,
    #[serde(default)]
    day: String,
}

pub(super) async fn show(State(app): App, person: Person, Query(which): Query<Which>) -> Response {
    match build(&app, &person, which, None) {
        Ok(template) => page(&template),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Checks the whole log, and says which entry is wrong.
pub(super) async fn verify(State(app): App, peer: Peer, person: Person) -> Response {
    let caller = Caller::Person(person.session.clone());
    let done = match app.verify_audit(&caller, &peer).await {
        Ok(found) => build(&app, &person, Which::default(), Some(&found)),
        Err(error) => Err(error),
    };
    match done {
        Ok(template) => page(&template),
        Err(error) => Problem::from(error).into_response(),
    }
}

fn build(
    app: &OfficeApp,
    person: &Person,
    which: Which,
    found: Option<&Findings>,
) -> Result<AuditPage, StoreError> {
    let k = person.kit(app);
    let day: Option<Date> = which.day.parse().ok();
    let midnight = |date: Date| {
        let midnight = date.at(0, 0, 0, 0);
        k.zone.to_timestamp(midnight).ok()
    };
    let filter = AuditFilter {
        who: Some(which.who.clone()).filter(|who| !who.is_empty()),
        from: day.and_then(midnight),
        until: day.and_then(|day| day.tomorrow().ok()).and_then(midnight),
    };
    let entries = app.audit_page(filter, SHOWN + 1)?;
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    Ok(AuditPage {
        bar: Bar::of(&person.session, "audit"),
        people: app.audit_people()?,
        who: which.who,
        day: day.map(|day| day.to_string()).unwrap_or_default(),
        more: entries.len() > shown,
        lines: entries.iter().take(shown).map(|entry| line(&k, entry)).collect(),
        checkpoint: app.newest_checkpoint()?,
        checked: found.map(|found| checked(&k, found)),
        k,
    })
}

fn line(k: &Kit, entry: &Entry) -> Line {
    let at = from_micros(entry.at);
    // An entry of a newer version, or one somebody wrote over, still shows.
    let event = serde_json::from_str::<AuditEvent>(&entry.event).ok();
    let (what, about, tone) = match &event {
        Some(event) => (
            k.say(&format!("office-audit-{}", event.kind().replace('_', "-"))),
            event.subject(|role| role_word(k, role), |command| command_word(k, command)),
            tone(event),
        ),
        None => (k.say("office-audit-unreadable"), String::new(), "bad"),
    };
    let who = match entry.who.as_deref() {
        Some("office") => k.say("office-audit-by-office"),
        Some("terminal") => k.say("office-audit-by-terminal"),
        Some(who) => who.to_owned(),
        None => "–".to_owned(),
    };
    Line {
        seq: entry.seq,
        day: k.day(&at),
        time: k.zone.to_datetime(at).strftime("%H:%M:%S").to_string(),
        who,
        what,
        about,
        peer: entry.peer.clone().unwrap_or_default(),
        tone,
    }
}

/// A command in the words of the console's buttons; a word of its own stays as it is.
fn command_word(k: &Kit, command: &str) -> String {
    let key = match command {
        "next" => "office-move-next",
        "recall" => "office-move-recall",
        "start" => "office-move-start",
        "finish" => "office-move-finish",
        "no-show" => "office-move-no-show",
        "transfer" => "office-move-transfer",
        "park" => "office-move-park",
        "resume" => "office-resume",
        "open" => "office-open",
        "pause" => "office-pause",
        "close" => "office-close",
        other => return other.to_owned(),
    };
    k.say(key)
}

/// What a reader should look at twice.
fn tone(event: &AuditEvent) -> &'static str {
    match event {
        AuditEvent::LoginLocked | AuditEvent::LogBegan { after_damage: true } => "bad",
        AuditEvent::Verified { faults, .. } if *faults > 0 => "bad",
        AuditEvent::LoginFailed { .. }
        | AuditEvent::Unmasked { .. }
        | AuditEvent::DraftOpened { .. }
        | AuditEvent::DraftUsed { .. }
        | AuditEvent::AccountAdded { .. }
        | AuditEvent::AccountDisabled { .. }
        | AuditEvent::AccountEnabled { .. }
        | AuditEvent::AccountUnlocked { .. }
        | AuditEvent::PasswordChanged { .. }
        | AuditEvent::AccountRenamed { .. }
        | AuditEvent::RoleChanged { .. }
        | AuditEvent::SessionsRevoked { .. }
        | AuditEvent::TokenMade { .. }
        | AuditEvent::TokenRevoked { .. }
        | AuditEvent::DeviceInvited { .. }
        | AuditEvent::DeviceEnrolled { .. }
        | AuditEvent::DeviceRevoked { .. }
        | AuditEvent::ClockConfirmed { .. }
        | AuditEvent::SecondStepAdded { .. }
        | AuditEvent::SecondStepRemoved { .. }
        | AuditEvent::RecoveryCodeUsed { .. }
        | AuditEvent::SettingsChanged { .. }
        | AuditEvent::SettingsEdited { .. } => "warn",
        AuditEvent::LogBegan { .. }
        | AuditEvent::OfficeStarted { .. }
        | AuditEvent::OfficeStopped
        | AuditEvent::LoggedIn { .. }
        | AuditEvent::SessionResumed
        | AuditEvent::LoggedOut
        | AuditEvent::Commanded { .. }
        | AuditEvent::Read { .. }
        | AuditEvent::Verified { .. } => "",
    }
}

fn checked(k: &Kit, found: &Findings) -> Checked {
    let values = [
        ("entries", found.entries.to_string()),
        ("checkpoints", found.checkpoints.to_string()),
        ("faults", found.faults.len().to_string()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    let key = if found.is_sound() {
        "office-audit-sound"
    } else {
        "office-audit-broken"
    };
    Checked {
        sound: found.is_sound(),
        summary: crate::i18n::fill(k.language, key, &values),
        faults: found.faults.iter().map(|fault| fault_words(k, fault)).collect(),
        notes: found.notes.iter().map(|note| note_words(k, note)).collect(),
    }
}

fn fault_words(k: &Kit, fault: &Fault) -> String {
    let two = |key: &str, a: String, b: String| {
        crate::i18n::fill(k.language, key, &[("a", a.as_str()), ("b", b.as_str())])
    };
    match fault {
        Fault::Changed(seq) => k.fill("office-fault-changed", "n", seq),
        Fault::Missing(from, to) if from == to => k.fill("office-fault-missing-one", "n", from),
        Fault::Missing(from, to) => two("office-fault-missing", from.to_string(), to.to_string()),
        Fault::CutOff { last, signed } => two("office-fault-cut", last.to_string(), signed.to_string()),
        Fault::Rewritten(seq) => k.fill("office-fault-rewritten", "n", seq),
        Fault::Forged(seq) => k.fill("office-fault-forged", "n", seq),
        Fault::Garbled(line) => k.fill("office-fault-garbled", "n", line),
        Fault::Replaced(epoch) => k.fill("office-fault-replaced", "n", epoch),
    }
}

fn note_words(k: &Kit, note: &Note) -> String {
    match note {
        Note::EarlierFile(epoch) => k.fill("office-audit-earlier", "n", epoch),
        Note::Unsigned(entries) => k.fill("office-audit-unsigned", "n", entries),
    }
}
