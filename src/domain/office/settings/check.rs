//! What is wrong with a document of settings, each fault at its field.
//!
//! These are stricter than what an office can work with: they keep an administrator from slips. An office that was
//! set up by hand before goes on working with its own.

use std::collections::BTreeSet;

use super::{ProfileSettings, QueueSettings, Rules, Settings, Week};
use crate::domain::office::hours::{Hours, HoursProblem};

/// Longest name of a queue or a zone, as it fits on a board.
pub const NAME_MAX: usize = 40;
/// Longest name of a profile.
pub const PROFILE_NAME_MAX: usize = 120;
/// Longest id: it stands in addresses.
pub const ID_MAX: usize = 32;
/// Highest number of a counter, as it is spoken and painted.
pub const COUNTER_MAX: u16 = 999;
/// Most closed days, a few years of them.
pub const CLOSURES_MAX: usize = 400;
/// Most of anything else; far above any office.
const MANY: usize = 200;
/// Highest cap of a day; numbers beyond it are leased to kiosks.
const CAP_MAX: u32 = 9999;
/// Longest attention that is guessed, in minutes.
const SERVICE_MAX: u32 = 240;

/// Name of a rule, how it is read, and its least and most.
pub type RuleBounds = (&'static str, fn(&Rules) -> u32, u32, u32);

/// The rules of the line with their bounds, in the order of the page.
pub const RULES: [RuleBounds; 11] = [
    (
        "max_priority_run",
        |rules| u32::from(rules.max_priority_run),
        1,
        9,
    ),
    ("no_show_calls", |rules| rules.no_show_calls, 0, 10),
    (
        "no_show_after_seconds",
        |rules| rules.no_show_after_seconds,
        0,
        3600,
    ),
    ("recall_max", |rules| rules.recall_max, 1, 20),
    ("recall_gap_seconds", |rules| rules.recall_gap_seconds, 0, 600),
    ("rejoin_minutes", |rules| rules.rejoin_minutes, 0, 600),
    ("rejoin_max", |rules| rules.rejoin_max, 0, 20),
    ("rejoin_behind", |rules| rules.rejoin_behind, 0, 50),
    (
        "appointment_grace_minutes",
        |rules| rules.appointment_grace_minutes,
        0,
        240,
    ),
    ("alarm_minutes", |rules| rules.alarm_minutes, 1, 600),
    ("draft_days", |rules| rules.draft_days, 0, 30),
];

/// Something wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Fault {
    /// The field, such as `queues.tributos.series`, `counters.4.profile` or `rules.recall_max`.
    pub field: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What may be wrong.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// A number outside its bounds.
    #[error("Write a number from {least} to {most}")]
    Range {
        /// Least.
        least: u32,
        /// Most.
        most: u32,
    },
    /// A name that is missing, too long, or holds what no screen can show.
    #[error("Write a name of 1 to {0} characters")]
    Name(usize),
    /// An id that does not fit into an address.
    #[error("Write small letters, digits and hyphens, {ID_MAX} at the most")]
    Id,
    /// An id that something else has.
    #[error("The id {0} is used twice; give each its own")]
    IdTwice(String),
    /// A series that does not read well on a board.
    #[error("Write one or two capital letters from A to Z")]
    Series,
    /// Two queues share a letter.
    #[error("Series {series} is already used by queue {queue}; choose another letter")]
    SeriesTaken {
        /// The series.
        series: String,
        /// Name of the queue that has it.
        queue: String,
    },
    /// Nothing is left to wait for.
    #[error("An office needs at least one queue that gives tickets")]
    NoQueue,
    /// More than any office has.
    #[error("There are more than {0} of these")]
    TooMany(usize),
    /// Two counters share a number.
    #[error("Counter {0} is there already; give each its own number")]
    CounterTwice(u16),
    /// A counter with a profile that does not exist.
    #[error("Counter {counter} serves the profile {profile}, which is not there; give it another one first")]
    ProfileMissing {
        /// The counter.
        counter: u16,
        /// The profile.
        profile: String,
    },
    /// A counter whose calls nobody would hear.
    #[error("Counter {counter} stands in no zone of the office; choose one")]
    ZoneMissing {
        /// The counter.
        counter: u16,
    },
    /// A profile with a queue that does not exist.
    #[error("There is no queue {0}")]
    QueueMissing(String),
    /// A profile with a queue in both tiers or twice in one.
    #[error("Queue {0} stands there twice; choose where it is served first")]
    QueueTwice(String),
    /// A profile that serves nothing.
    #[error("Choose at least one queue that is served first")]
    Idle,
    /// A day nobody knows.
    #[error("{0} is no day of the week")]
    Day(String),
    /// A span that nobody can read, or that ends before it begins.
    #[error("{0} is no span of time; write it like 08:00-16:30, the end after the beginning")]
    Span(String),
    /// Two spans of a day share some time.
    #[error("The spans {0} and {1} overlap; write them one after the other")]
    Overlap(String, String),
    /// Hours that are written and never open.
    #[error("Write at least one span, or let tickets be given at all hours")]
    NeverOpen,
    /// People wait in, or stand at a counter for, a queue that is to go.
    #[error(
        "{open} people still have a turn of queue {queue}; attend them first, or send them to another queue"
    )]
    QueueHasTurns {
        /// Name of the queue.
        queue: String,
        /// Turns that are open.
        open: usize,
    },
    /// Numbers of a series are on paper, or promised to kiosks.
    #[error("Numbers {0}-… were given today or are promised to kiosks; they must stay what they are")]
    NumbersOut(String),
    /// Somebody works at a counter that is to go.
    #[error("Counter {counter} is open; close it first")]
    CounterOpen {
        /// The counter.
        counter: u16,
    },
    /// Turns that were put aside at a counter that is to go.
    #[error("Counter {counter} has {parked} turns put aside; call them back first")]
    CounterHasParked {
        /// The counter.
        counter: u16,
        /// How many.
        parked: usize,
    },
}

impl Problem {
    /// A stable word for programs, and the key of its words for people.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Range { .. } => "range",
            Self::Name(_) => "name",
            Self::Id => "id",
            Self::IdTwice(_) => "id-twice",
            Self::Series => "series",
            Self::SeriesTaken { .. } => "series-taken",
            Self::NoQueue => "no-queue",
            Self::TooMany(_) => "too-many",
            Self::CounterTwice(_) => "counter-twice",
            Self::ProfileMissing { .. } => "profile-missing",
            Self::ZoneMissing { .. } => "zone-missing",
            Self::QueueMissing(_) => "queue-missing",
            Self::QueueTwice(_) => "queue-twice",
            Self::Idle => "idle",
            Self::Day(_) => "day",
            Self::Span(_) => "span",
            Self::Overlap(..) => "overlap",
            Self::NeverOpen => "never-open",
            Self::QueueHasTurns { .. } => "queue-has-turns",
            Self::NumbersOut(_) => "numbers-out",
            Self::CounterOpen { .. } => "counter-open",
            Self::CounterHasParked { .. } => "counter-has-parked",
        }
    }

    /// The two values its words name, empty where there is none: the thing, and the other thing.
    pub fn values(&self) -> (String, String) {
        let one = |value: &dyn ToString| (value.to_string(), String::new());
        match self {
            Self::Range { least, most } => (least.to_string(), most.to_string()),
            Self::Name(most) | Self::TooMany(most) => one(most),
            Self::Id => one(&ID_MAX),
            Self::Series | Self::NoQueue | Self::Idle | Self::NeverOpen => (String::new(), String::new()),
            Self::IdTwice(text)
            | Self::QueueMissing(text)
            | Self::QueueTwice(text)
            | Self::Day(text)
            | Self::Span(text)
            | Self::NumbersOut(text) => one(text),
            Self::SeriesTaken { series, queue } => (series.clone(), queue.clone()),
            Self::CounterTwice(counter) | Self::ZoneMissing { counter } | Self::CounterOpen { counter } => {
                one(counter)
            }
            Self::ProfileMissing { counter, profile } => (counter.to_string(), profile.clone()),
            Self::Overlap(first, second) => (first.clone(), second.clone()),
            Self::QueueHasTurns { queue, open } => (queue.clone(), open.to_string()),
            Self::CounterHasParked { counter, parked } => (counter.to_string(), parked.to_string()),
        }
    }
}

/// Collects faults with the fields they stand at.
#[derive(Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, field: impl Into<String>, problem: Problem) {
        let field = field.into();
        self.0.push(Fault { field, problem });
    }

    fn range(&mut self, field: String, value: u32, least: u32, most: u32) {
        if !(least..=most).contains(&value) {
            self.add(field, Problem::Range { least, most });
        }
    }

    fn many(&mut self, field: &str, count: usize, most: usize) {
        if count > most {
            self.add(field, Problem::TooMany(most));
        }
    }
}

impl Settings {
    /// Everything that is wrong with the document itself, whoever waits.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Faults::default();
        for (name, value, least, most) in RULES {
            faults.range(format!("rules.{name}"), value(&self.rules), least, most);
        }
        faults.many("closures", self.closures.len(), CLOSURES_MAX);
        week("hours", &self.hours, &mut faults);
        self.check_queues(&mut faults);
        self.check_profiles(&mut faults);
        self.check_zones(&mut faults);
        self.check_counters(&mut faults);
        faults.0
    }

    /// What is wrong that was not wrong before.
    ///
    /// An office that was set up by hand may have faults of its own, and they are not in the way of another change.
    pub fn new_faults(&self, before: &Self) -> Vec<Fault> {
        let known = before.faults();
        let mut faults = self.faults();
        faults.retain(|fault| !known.contains(fault));
        faults
    }

    fn check_queues(&self, faults: &mut Faults) {
        if self.queues.iter().all(|queue| queue.retired) {
            faults.add("queues", Problem::NoQueue);
        }
        faults.many("queues", self.queues.len(), MANY);
        for (at, queue) in self.queues.iter().enumerate() {
            let field = |name: &str| format!("queues.{}.{name}", queue.id);
            let earlier = &self.queues[..at];
            if !is_id(&queue.id) {
                faults.add(field("id"), Problem::Id);
            } else if earlier.iter().any(|other| other.id == queue.id) {
                faults.add(field("id"), Problem::IdTwice(queue.id.clone()));
            }
            if !is_name(&queue.name, NAME_MAX) {
                faults.add(field("name"), Problem::Name(NAME_MAX));
            }
            if !is_series(&queue.series) {
                faults.add(field("series"), Problem::Series);
            } else if let Some(other) = self.other_of_series(queue, at) {
                let problem = Problem::SeriesTaken {
                    series: queue.series.clone(),
                    queue: other.name.clone(),
                };
                faults.add(field("series"), problem);
            }
            faults.range(field("service_minutes"), queue.service_minutes, 1, SERVICE_MAX);
            if let Some(cap) = queue.daily_cap {
                faults.range(field("daily_cap"), cap, 1, CAP_MAX);
            }
            week(&field("hours"), &queue.hours, faults);
        }
    }

    /// A queue before this one with the same letter.
    fn other_of_series(&self, queue: &QueueSettings, at: usize) -> Option<&QueueSettings> {
        self.queues[..at]
            .iter()
            .find(|other| other.series == queue.series)
    }

    fn check_profiles(&self, faults: &mut Faults) {
        faults.many("profiles", self.profiles.len(), MANY);
        for (at, profile) in self.profiles.iter().enumerate() {
            let field = |name: &str| format!("profiles.{}.{name}", profile.id);
            if !is_id(&profile.id) {
                faults.add(field("id"), Problem::Id);
            } else if self.profiles[..at].iter().any(|other| other.id == profile.id) {
                faults.add(field("id"), Problem::IdTwice(profile.id.clone()));
            }
            if !is_name(&profile.name, PROFILE_NAME_MAX) {
                faults.add(field("name"), Problem::Name(PROFILE_NAME_MAX));
            }
            self.check_tiers(profile, faults);
        }
    }

    fn check_tiers(&self, profile: &ProfileSettings, faults: &mut Faults) {
        let field = |name: &str| format!("profiles.{}.{name}", profile.id);
        let mut seen = BTreeSet::new();
        for (tier, queues) in [("serves", &profile.serves), ("then_serves", &profile.then_serves)] {
            for id in queues {
                match self.queue(id) {
                    None => faults.add(field(tier), Problem::QueueMissing(id.clone())),
                    Some(queue) if !seen.insert(id) => {
                        faults.add(field(tier), Problem::QueueTwice(queue.name.clone()));
                    }
                    Some(_) => {}
                }
            }
        }
        if profile.serves.is_empty() {
            faults.add(field("serves"), Problem::Idle);
        }
    }

    fn check_zones(&self, faults: &mut Faults) {
        faults.many("zones", self.zones.len(), MANY);
        for (at, zone) in self.zones.iter().enumerate() {
            let field = |name: &str| format!("zones.{}.{name}", zone.id);
            if !is_id(&zone.id) {
                faults.add(field("id"), Problem::Id);
            } else if self.zones[..at].iter().any(|other| other.id == zone.id) {
                faults.add(field("id"), Problem::IdTwice(zone.id.clone()));
            }
            if !is_name(&zone.name, NAME_MAX) {
                faults.add(field("name"), Problem::Name(NAME_MAX));
            }
        }
    }

    fn check_counters(&self, faults: &mut Faults) {
        faults.many("counters", self.counters.len(), MANY);
        for (at, counter) in self.counters.iter().enumerate() {
            let number = counter.number;
            let field = |name: &str| format!("counters.{number}.{name}");
            faults.range(field("number"), u32::from(number), 1, u32::from(COUNTER_MAX));
            if self.counters[..at].iter().any(|other| other.number == number) {
                faults.add(field("number"), Problem::CounterTwice(number));
            }
            if self.profile(&counter.profile).is_none() {
                let profile = counter.profile.clone();
                let counter = number;
                faults.add(field("profile"), Problem::ProfileMissing { counter, profile });
            }
            let known = |id: &String| self.zones.iter().any(|zone| zone.id == *id);
            let placed = match &counter.zone {
                Some(id) => known(id),
                None => self.zones.is_empty(),
            };
            if !placed {
                faults.add(field("zone"), Problem::ZoneMissing { counter: number });
            }
        }
    }
}

/// Hours that can be read, do not overlap and are ever open.
fn week(field: &str, written: &Week, faults: &mut Faults) {
    if written.is_empty() {
        return;
    }
    let mut hours = Hours::default();
    for (days, spans) in written {
        for span in spans {
            match hours.add(days, span) {
                Ok(()) => {}
                Err(HoursProblem::Day(day)) => faults.add(field, Problem::Day(day)),
                Err(HoursProblem::Span(span)) => faults.add(field, Problem::Span(span)),
            }
        }
    }
    if let Some((first, second)) = hours.overlap() {
        faults.add(field, Problem::Overlap(first, second));
    }
    if written.values().all(Vec::is_empty) {
        faults.add(field, Problem::NeverOpen);
    }
}

/// Whether an id fits into an address.
pub(super) fn is_id(id: &str) -> bool {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    (1..=ID_MAX).contains(&id.len()) && id.bytes().all(fits)
}

fn is_name(name: &str, most: usize) -> bool {
    name.trim() == name && (1..=most).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

fn is_series(series: &str) -> bool {
    (1..=2).contains(&series.len()) && series.bytes().all(|b| b.is_ascii_uppercase())
}
