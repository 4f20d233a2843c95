//! What an administrator sets while the office works: rules, hours, queues, profiles, zones and counters.
//!
//! A [`Settings`] is one whole document with a version. It is exchanged as a whole by one command, so that no two
//! parts of it can disagree, and every version stands in the history as the event that brought it.
//! What belongs to the machine (addresses, keys, the time zone, the day cut) is not here but in [`Base`].
//! Begin at [`Settings::setup`]; faults of a document are in `check`, what the line itself forbids in `change`,
//! what is different between two in `differ`.

mod change;
mod check;
mod differ;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use check::{CLOSURES_MAX, COUNTER_MAX, Fault, ID_MAX, NAME_MAX, PROFILE_NAME_MAX, Problem, RULES};
pub use differ::{Difference, differences};

use super::command::TransferPlace;
use super::hours::{Hours, HoursProblem};
use super::setup::{CounterSetup, OfficeSetup, QueueSetup, SetupProblem, Zone, profile_name};
use crate::domain::queue::{MaxRun, Profile};
use crate::domain::ticket::{BusinessDate, CounterNumber, QueueId, Series};

/// Id of the zone of an office that writes none.
pub const ONLY_ZONE: &str = "sala";

/// Hours as they are written: `mon-fri` with `08:00-12:30` and `13:30-16:30`.
pub type Week = BTreeMap<String, Vec<String>>;

/// Everything an administrator sets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The rules of the line.
    #[serde(default)]
    pub rules: Rules,
    /// Days on which no tickets are given, such as `2026-12-25`.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub closures: BTreeSet<BusinessDate>,
    /// When tickets are given; always if nothing is written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>)]
    pub hours: Week,
    /// Queues, in the order of the board.
    #[serde(default)]
    pub queues: Vec<QueueSettings>,
    /// What counters may serve.
    #[serde(default)]
    pub profiles: Vec<ProfileSettings>,
    /// Waiting rooms with a board of their own; one with all counters if none is written.
    #[serde(default)]
    pub zones: Vec<ZoneSettings>,
    /// Counters.
    #[serde(default)]
    pub counters: Vec<CounterSettings>,
}

/// The rules of the line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// K: how many preferred turns may follow each other while a general one waits, 1 to 9.
    pub max_priority_run: u8,
    /// Announcements before somebody may be marked absent.
    pub no_show_calls: u32,
    /// Seconds after the last announcement before that.
    pub no_show_after_seconds: u32,
    /// Announcements of one turn at the most.
    pub recall_max: u32,
    /// Seconds between two announcements of one turn at the least.
    pub recall_gap_seconds: u32,
    /// Minutes after an absence within which a person may come back to the line.
    pub rejoin_minutes: u32,
    /// How often one ticket may come back.
    pub rejoin_max: u32,
    /// Behind how many of its lane it then stands.
    pub rejoin_behind: u32,
    /// Minutes somebody with an appointment may be late and still keep it.
    pub appointment_grace_minutes: u32,
    /// Minutes of waiting above which the supervisor is alarmed.
    pub alarm_minutes: u32,
    /// Days for which a form that was stopped at a kiosk waits for its citizen; 0 where none is kept.
    pub draft_days: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            max_priority_run: MaxRun::default().get(),
            no_show_calls: 1,
            no_show_after_seconds: 0,
            recall_max: 5,
            recall_gap_seconds: 0,
            rejoin_minutes: 30,
            rejoin_max: 2,
            rejoin_behind: 2,
            appointment_grace_minutes: 15,
            alarm_minutes: 45,
            draft_days: 7,
        }
    }
}

/// One queue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueSettings {
    /// Name for programs; the catalogue sends procedures to it.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// One or two capital letters in front of its numbers.
    pub series: String,
    /// Minutes an attention takes, until enough are measured.
    #[serde(default = "service_minutes")]
    pub service_minutes: u32,
    /// Tickets of a day at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_cap: Option<u32>,
    /// Whether tickets stop when somebody new would still wait at closing time.
    #[serde(default = "yes")]
    pub stops_by_forecast: bool,
    /// Where a ticket that is sent here stands: `keep` or `last`.
    #[serde(default)]
    pub transfer_place: TransferPlace,
    /// Whether tickets that are open at the day cut go on waiting the next day.
    #[serde(default)]
    pub carries_over: bool,
    /// Whether it gives no tickets any more. It stays for its reports, and for numbers that kiosks gave before.
    #[serde(default, skip_serializing_if = "is_no")]
    pub retired: bool,
    /// Hours of this queue, where they are not the office's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>)]
    pub hours: Week,
}

/// What some counters serve.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileSettings {
    /// Name for programs.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Queues it serves.
    pub serves: Vec<String>,
    /// Queues it serves while nobody waits in the first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then_serves: Vec<String>,
}

/// A waiting room with a board of its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneSettings {
    /// Name for programs and addresses.
    pub id: String,
    /// Name for people.
    pub name: String,
}

/// One counter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CounterSettings {
    /// The number over it.
    pub number: u16,
    /// Id of the profile it serves.
    pub profile: String,
    /// Id of its zone; none where the office has no zones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// What belongs to the machine and the place, and does not change while the office works.
#[derive(Clone, PartialEq, Debug)]
pub struct Base {
    /// Time zone of its days.
    pub zone: TimeZone,
    /// How long after midnight a day begins.
    pub day_cut: SignedDuration,
    /// First number of the blocks leased to kiosks.
    pub lease_from: u32,
    /// Name of the waiting room where no zones are written.
    pub room: String,
}

fn service_minutes() -> u32 {
    8
}
fn yes() -> bool {
    true
}
fn is_no(value: &bool) -> bool {
    !value
}

impl QueueSettings {
    /// A queue with everything else as it is when nothing is written.
    pub fn new(id: &str, name: &str, series: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            series: series.to_owned(),
            service_minutes: service_minutes(),
            daily_cap: None,
            stops_by_forecast: true,
            transfer_place: TransferPlace::Keep,
            carries_over: false,
            retired: false,
            hours: Week::new(),
        }
    }
}

impl ProfileSettings {
    /// The queues of each tier; no empty tier.
    pub fn tiers(&self) -> Vec<Vec<QueueId>> {
        [&self.serves, &self.then_serves]
            .into_iter()
            .filter(|tier| !tier.is_empty())
            .map(|tier| tier.iter().cloned().map(QueueId).collect())
            .collect()
    }
}

/// Why a document makes no office.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// The parts do not fit together.
    #[error(transparent)]
    Setup(#[from] SetupProblem),
    /// Hours that nobody can read.
    #[error("{of} of the settings: {problem}")]
    Hours {
        /// Whose.
        of: String,
        /// What is wrong.
        problem: HoursProblem,
    },
    /// K outside its bounds.
    #[error("max_priority_run is {0}; write 1 to 9")]
    MaxRun(u8),
    /// A counter without a profile that exists.
    #[error("Counter {0} has the profile {1}, which is not there; write one of the ids of [[profiles]]")]
    Profile(u16, String),
}

impl Settings {
    /// The office that this document describes.
    ///
    /// # Errors
    /// When the parts do not fit together. A document may fit and still have faults that an administrator should
    /// mend before the next change: see [`Settings::faults`].
    pub fn setup(&self, base: &Base, version: u64) -> Result<OfficeSetup, Unfit> {
        let rules = &self.rules;
        let max_run = MaxRun::new(rules.max_priority_run).ok_or(Unfit::MaxRun(rules.max_priority_run))?;
        let minutes = |minutes: u32| SignedDuration::from_mins(i64::from(minutes));
        let setup = OfficeSetup {
            zone: base.zone.clone(),
            day_cut: base.day_cut,
            max_run,
            lease_from: base.lease_from.max(1),
            no_show_calls: rules.no_show_calls,
            no_show_after: SignedDuration::from_secs(i64::from(rules.no_show_after_seconds)),
            recall_max: rules.recall_max.max(1),
            recall_gap: SignedDuration::from_secs(i64::from(rules.recall_gap_seconds)),
            rejoin_within: minutes(rules.rejoin_minutes),
            rejoin_max: rules.rejoin_max,
            rejoin_behind: usize::try_from(rules.rejoin_behind).unwrap_or(usize::MAX),
            appointment_grace: minutes(rules.appointment_grace_minutes),
            alarm_minutes: rules.alarm_minutes,
            draft_days: rules.draft_days,
            hours: hours("hours", &self.hours)?,
            closures: self.closures.iter().map(|day| day.0).collect(),
            queues: self.queues.iter().map(queue).collect::<Result<_, _>>()?,
            counters: self
                .counters
                .iter()
                .map(|counter| self.counter_setup(counter))
                .collect::<Result<_, _>>()?,
            zones: self.zones_of(&base.room),
            version,
            written: self.clone(),
            room: base.room.clone(),
        };
        setup.check()?;
        Ok(setup)
    }

    /// A queue by its id.
    pub fn queue(&self, id: &str) -> Option<&QueueSettings> {
        self.queues.iter().find(|queue| queue.id == id)
    }

    /// A profile by its id.
    pub fn profile(&self, id: &str) -> Option<&ProfileSettings> {
        self.profiles.iter().find(|profile| profile.id == id)
    }

    /// A counter by its number.
    pub fn counter(&self, number: u16) -> Option<&CounterSettings> {
        self.counters.iter().find(|counter| counter.number == number)
    }

    /// Counters of a profile, by number.
    pub fn counters_of(&self, profile: &str) -> Vec<u16> {
        let with = self.counters.iter().filter(|counter| counter.profile == profile);
        with.map(|counter| counter.number).collect()
    }

    fn counter_setup(&self, counter: &CounterSettings) -> Result<CounterSetup, Unfit> {
        let profile = self
            .profile(&counter.profile)
            .ok_or_else(|| Unfit::Profile(counter.number, counter.profile.clone()))?;
        let tiers = profile.tiers();
        // Counters that serve the same share one count of contested calls, whatever their profiles are called.
        let name = profile_name(&tiers);
        Ok(CounterSetup {
            number: CounterNumber(counter.number),
            profile: Profile { name, tiers },
        })
    }

    fn zones_of(&self, room: &str) -> Vec<Zone> {
        let counters = |id: Option<&str>| {
            self.counters
                .iter()
                .filter(|counter| id.is_none() || counter.zone.as_deref() == id)
                .map(|counter| CounterNumber(counter.number))
                .collect()
        };
        if self.zones.is_empty() {
            return vec![Zone {
                id: ONLY_ZONE.to_owned(),
                name: room.to_owned(),
                counters: counters(None),
            }];
        }
        self.zones
            .iter()
            .map(|zone| Zone {
                id: zone.id.clone(),
                name: zone.name.clone(),
                counters: counters(Some(&zone.id)),
            })
            .collect()
    }
}

/// Reads written hours; none where nothing is written.
fn hours(of: &str, written: &Week) -> Result<Option<Hours>, Unfit> {
    if written.is_empty() {
        return Ok(None);
    }
    let mut hours = Hours::default();
    for (days, spans) in written {
        for span in spans {
            hours.add(days, span).map_err(|problem| Unfit::Hours {
                of: of.to_owned(),
                problem,
            })?;
        }
    }
    Ok(Some(hours))
}

fn queue(written: &QueueSettings) -> Result<QueueSetup, Unfit> {
    Ok(QueueSetup {
        hours: hours(&format!("hours of queue {}", written.id), &written.hours)?,
        daily_cap: written.daily_cap,
        stops_by_forecast: written.stops_by_forecast,
        transfer_place: written.transfer_place,
        carries_over: written.carries_over,
        retired: written.retired,
        id: QueueId(written.id.clone()),
        name: written.name.clone(),
        series: Series(written.series.clone()),
        service: SignedDuration::from_mins(i64::from(written.service_minutes.max(1))),
    })
}
