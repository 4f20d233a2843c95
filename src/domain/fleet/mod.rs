//! Devices as the municipality looks after them: what they say of themselves, what goes wrong, what they are told.
//!
//! A [`Report`] is signed by the device that makes it and carried upwards by whoever is on the way. An [`Order`] is
//! signed by central and travels down with the answer; nobody reaches into a device. Nothing here is about a person:
//! counts, states and versions only. Begin at [`Report`], then [`alarm`] and [`order`].

pub mod alarm;
pub mod order;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::submission::{is_name, micros};

/// What a device's signature of a report begins with.
pub const REPORT_DOMAIN: &str = "VSP1//fleet-report//";
/// What a device's signature of what became of an order begins with.
pub const RESULT_DOMAIN: &str = "VSP1//fleet-result//";

/// Most printers, lines and other entries that a report may have.
const ENTRIES_MAX: usize = 64;
/// Longest word of a state.
const WORD_MAX: usize = 48;

/// What a device does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceRole {
    /// The citizen's screen.
    Kiosk,
    /// The office's hub.
    Office,
}

impl DeviceRole {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Kiosk => "kiosk",
            Self::Office => "office",
        }
    }
}

/// How a printer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrinterState {
    /// `first` or `second`.
    pub name: String,
    /// `ready`, `low`, `unknown`, or the word of what is wrong.
    pub state: String,
    /// Millimetres of paper that should be left.
    pub left_mm: u64,
    /// Whether somebody should bring a roll.
    pub paper_low: bool,
}

impl PrinterState {
    /// Whether it prints.
    pub fn prints(&self) -> bool {
        matches!(self.state.as_str(), "ready" | "low" | "unknown")
    }
}

/// What waits to be handed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxState {
    /// Submissions that wait.
    pub waiting: u32,
    /// For how many seconds the oldest of them does.
    pub oldest_seconds: u64,
    /// Submissions that need a person.
    pub stuck: u32,
}

/// A queue of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineState {
    /// Its id.
    pub queue: String,
    /// Tickets that wait.
    pub waiting: u64,
    /// Open counters that serve it.
    pub open_counters: u64,
}

/// Room where a device keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskState {
    /// Bytes that can still be written.
    pub free_bytes: u64,
    /// Bytes of the whole.
    pub total_bytes: u64,
}

impl DiskState {
    /// Hundredths that are free.
    pub fn free_percent(self) -> u64 {
        self.free_bytes
            .saturating_mul(100)
            .checked_div(self.total_bytes)
            .unwrap_or(100)
    }
}

/// How the system's updates stand; only an appliance has any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateState {
    /// The version of the system that runs.
    pub running: String,
    /// Whether it has proved that it serves.
    pub proved: bool,
    /// What is going on: `current`, `fetching`, `fetched`, `installed`, `failed` or `refused`.
    pub state: String,
    /// The version that this is about, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<String>,
    /// Versions that did not serve here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

/// What the last self-test found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorState {
    /// When it was made.
    #[serde(with = "micros")]
    pub at: Timestamp,
    /// What was not well, in the words of the test.
    pub wrong: Vec<String>,
}

/// What a device says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this shape: 1. Fields of a later one are passed over.
    pub v: u8,
    /// Its id.
    pub device: String,
    /// Id of its office.
    pub office: String,
    /// What it does.
    pub role: DeviceRole,
    /// When it was made, by the device's own clock.
    #[serde(with = "micros")]
    pub made_at: Timestamp,
    /// Version of the program.
    pub version: String,
    /// Seconds since the program began.
    pub up_seconds: u64,
    /// Its printers.
    #[serde(default)]
    pub printers: Vec<PrinterState>,
    /// What waits to be handed on.
    #[serde(default)]
    pub outbox: OutboxState,
    /// People who wait, where it is an office.
    #[serde(default)]
    pub lines: Vec<LineState>,
    /// Zones of the waiting room without a screen.
    #[serde(default)]
    pub dark_zones: u64,
    /// Room for its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskState>,
    /// How far its clock is behind the one above it, in milliseconds; unknown until that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_ms: Option<i64>,
    /// Whether a damaged data file was put aside.
    #[serde(default)]
    pub put_aside: bool,
    /// How its updates stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateState>,
    /// What the last self-test found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctor: Option<DoctorState>,
}

impl Report {
    /// Whether a report of this shape may be kept: names are names, words are words, nothing is without bounds.
    ///
    /// So that a device that was taken over cannot write sentences, or somebody's name, into the municipality's view.
    pub fn is_sound(&self) -> bool {
        let word = |text: &String| is_word(text);
        self.v == 1
            && is_device(&self.device)
            && is_name(&self.office)
            && is_word(&self.version)
            && self.printers.len() <= ENTRIES_MAX
            && self.lines.len() <= ENTRIES_MAX
            && self
                .printers
                .iter()
                .all(|one| is_word(&one.name) && is_word(&one.state))
            && self.lines.iter().all(|one| is_name(&one.queue))
            && self.update.as_ref().is_none_or(|update| {
                update.failed.len() <= ENTRIES_MAX
                    && [&update.running, &update.state].into_iter().all(word)
                    && update.offered.iter().chain(&update.failed).all(word)
            })
            && self
                .doctor
                .as_ref()
                .is_none_or(|doctor| doctor.wrong.len() <= ENTRIES_MAX && doctor.wrong.iter().all(word))
    }
}

/// Whether `text` is a word as devices use for states and versions.
pub fn is_word(text: &str) -> bool {
    (1..=WORD_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b' '))
}

/// Whether `text` is the id of a device; those of settings may have capitals.
pub fn is_device(text: &str) -> bool {
    is_name(&text.to_ascii_lowercase())
}

impl fmt::Display for DeviceRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn report(device: &str) -> Report {
        Report {
            v: 1,
            device: device.to_owned(),
            office: "centro".to_owned(),
            role: DeviceRole::Kiosk,
            made_at: Timestamp::from_second(1_795_500_000).expect("a time"),
            version: "0.1.0".to_owned(),
            up_seconds: 60,
            printers: vec![PrinterState {
                name: "first".into(),
                state: "ready".into(),
                left_mm: 40_000,
                paper_low: false,
            }],
            outbox: OutboxState::default(),
            lines: vec![],
            dark_zones: 0,
            disk: Some(DiskState {
                free_bytes: 50,
                total_bytes: 100,
            }),
            clock_offset_ms: Some(20),
            put_aside: false,
            update: None,
            doctor: None,
        }
    }

    #[test]
    fn a_report_has_words_and_no_sentences() {
        assert!(report("K2").is_sound());
        let mut long = report("K2");
        long.version = "x".repeat(49);
        assert!(!long.is_sound());
        let mut personal = report("K2");
        personal.printers[0].state = "María; 1712345678".into();
        assert!(!personal.is_sound());
        let mut foreign = report("K2");
        foreign.device = "../k2".into();
        assert!(!foreign.is_sound());
    }
}
