//! What an office is made of: its queues, its counters and its few numbers.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::command::TransferPlace;
use super::hours::Hours;
use super::settings::{Base, Settings};
use crate::domain::queue::{MaxRun, Profile};
use crate::domain::ticket::{BusinessDate, CounterNumber, QueueId, Series};

/// The part of an office that only settings change.
#[derive(Clone, PartialEq, Debug)]
pub struct OfficeSetup {
    /// Time zone of its days.
    pub zone: TimeZone,
    /// How long after midnight a day begins.
    pub day_cut: SignedDuration,
    /// K of "priority, at most K in a row".
    pub max_run: MaxRun,
    /// First number of the blocks leased to kiosks.
    pub lease_from: u32,
    /// Announcements before a person may be called absent.
    pub no_show_calls: u32,
    /// Time after the last announcement before that.
    pub no_show_after: SignedDuration,
    /// Announcements of one turn at the most.
    pub recall_max: u32,
    /// Time between two announcements of one turn at the least.
    pub recall_gap: SignedDuration,
    /// How soon after an absence a person may come back to the line.
    pub rejoin_within: SignedDuration,
    /// How often one ticket may come back.
    pub rejoin_max: u32,
    /// Behind how many of its lane it then stands.
    pub rejoin_behind: usize,
    /// How late somebody with an appointment may come and still keep it.
    pub appointment_grace: SignedDuration,
    /// When tickets are given; always if not written.
    pub hours: Option<Hours>,
    /// Days on which none are given.
    pub closures: BTreeSet<Date>,
    /// Queues, in the order of the board.
    pub queues: Vec<QueueSetup>,
    /// Counters, by number.
    pub counters: Vec<CounterSetup>,
    /// Waiting rooms, in the order they are written; never none.
    pub zones: Vec<Zone>,
    /// Minutes of waiting above which the supervisor is alarmed.
    pub alarm_minutes: u32,
    /// Days for which a form that was stopped at a kiosk waits; 0 where none is kept.
    pub draft_days: u32,
    /// Name of the waiting room where no zones are written.
    pub room: String,
    /// The settings this was made of.
    pub written: Settings,
    /// Their version.
    pub version: u64,
}

/// A waiting room: who sees and hears a call. It changes nothing in the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone {
    /// Name for programs and addresses.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Its counters.
    pub counters: BTreeSet<CounterNumber>,
}

/// One queue.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueSetup {
    /// Its name for programs.
    pub id: QueueId,
    /// Its name for people.
    pub name: String,
    /// Its letter.
    pub series: Series,
    /// How long an attention takes as long as we have not measured any.
    pub service: SignedDuration,
    /// Hours of this queue, where they are not the office's.
    pub hours: Option<Hours>,
    /// Tickets of a day at the most.
    pub daily_cap: Option<u32>,
    /// Whether tickets stop when somebody new would still wait at closing time.
    pub stops_by_forecast: bool,
    /// Where a ticket that is sent here stands.
    pub transfer_place: TransferPlace,
    /// Whether tickets that are open at the day cut go on waiting the next day.
    pub carries_over: bool,
    /// Whether it gives no tickets any more, except those that kiosks gave before.
    pub retired: bool,
}

/// One counter.
#[derive(Clone, PartialEq, Debug)]
pub struct CounterSetup {
    /// The number over it.
    pub number: CounterNumber,
    /// What it serves.
    pub profile: Profile,
}

/// Why a set-up makes no office.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupProblem {
    /// Nothing to wait for.
    #[error("There is no queue; write at least one [[queues]]")]
    NoQueue,
    /// Two queues share a name.
    #[error("Queue {0} is written twice; give each its own id")]
    QueueTwice(QueueId),
    /// Two queues share a letter, so their numbers could not be told apart.
    #[error("Series {0} is used by two queues; give each its own letter")]
    SeriesTwice(Series),
    /// A series that does not read well on a board.
    #[error("Series {0} is not one or two capital letters")]
    Series(Series),
    /// Two counters share a number.
    #[error("Counter {0} is written twice; give each its own number")]
    CounterTwice(CounterNumber),
    /// A counter that serves nothing or something unknown.
    #[error("Counter {0} serves {1}, which is no queue here; write one of the ids of [[queues]]")]
    UnknownQueue(CounterNumber, QueueId),
    /// A counter that serves nothing.
    #[error("Counter {0} serves no queue; write its queues under `serves`")]
    Idle(CounterNumber),
}

/// The name under which counters of these tiers share one count of contested calls.
pub fn profile_name(tiers: &[Vec<QueueId>]) -> String {
    let tier = |tier: &Vec<QueueId>| tier.iter().map(QueueId::as_str).collect::<Vec<_>>().join("+");
    tiers.iter().map(tier).collect::<Vec<_>>().join(">")
}

impl OfficeSetup {
    /// The business date of a moment here.
    pub fn date_of(&self, now: Timestamp) -> BusinessDate {
        BusinessDate::of(now, &self.zone, self.day_cut)
    }

    /// A queue by its name.
    pub fn queue(&self, id: &QueueId) -> Option<&QueueSetup> {
        self.queues.iter().find(|queue| queue.id == *id)
    }

    /// A zone by its id.
    pub fn zone_of(&self, id: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.id == id)
    }

    /// What does not change with the settings.
    pub fn base(&self) -> Base {
        Base {
            zone: self.zone.clone(),
            day_cut: self.day_cut,
            lease_from: self.lease_from,
            room: self.room.clone(),
        }
    }

    /// A counter by its number.
    pub fn counter(&self, number: CounterNumber) -> Option<&CounterSetup> {
        self.counters.iter().find(|counter| counter.number == number)
    }

    /// Hours in which tickets of a queue are given.
    pub fn hours_of<'a>(&'a self, queue: &'a QueueSetup) -> Option<&'a Hours> {
        queue.hours.as_ref().or(self.hours.as_ref())
    }

    /// Checks that the parts fit together.
    pub fn check(&self) -> Result<(), SetupProblem> {
        if self.queues.is_empty() {
            return Err(SetupProblem::NoQueue);
        }
        for (index, queue) in self.queues.iter().enumerate() {
            let earlier = &self.queues[..index];
            if earlier.iter().any(|other| other.id == queue.id) {
                return Err(SetupProblem::QueueTwice(queue.id.clone()));
            }
            if earlier.iter().any(|other| other.series == queue.series) {
                return Err(SetupProblem::SeriesTwice(queue.series.clone()));
            }
            let letters = queue.series.as_str();
            if !(1..=2).contains(&letters.len()) || !letters.bytes().all(|b| b.is_ascii_uppercase()) {
                return Err(SetupProblem::Series(queue.series.clone()));
            }
        }
        for (index, counter) in self.counters.iter().enumerate() {
            if self.counters[..index]
                .iter()
                .any(|other| other.number == counter.number)
            {
                return Err(SetupProblem::CounterTwice(counter.number));
            }
            if counter.profile.tiers.iter().all(Vec::is_empty) {
                return Err(SetupProblem::Idle(counter.number));
            }
            for queue in counter.profile.tiers.iter().flatten() {
                if self.queue(queue).is_none() {
                    return Err(SetupProblem::UnknownQueue(counter.number, queue.clone()));
                }
            }
        }
        Ok(())
    }
}
