//! A turn: its number, its lane and where it stands.
//!
//! A ticket is never a person: it carries no name, no document number and no reason for its lane.
//! Begin at [`Ticket`]; the rules that move it are in [`super::office`].

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::id::{SubmissionId, TicketId};

macro_rules! word {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

word!(
    /// Name of a queue in configuration and API, such as `tributos`.
    QueueId
);
word!(
    /// The letter in front of the numbers of one queue, such as `T`.
    Series
);
word!(
    /// Name of a kiosk in configuration and API.
    KioskId
);

/// Number of a counter, as painted over it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CounterNumber(pub u16);

impl fmt::Display for CounterNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which of the waiting lines of a queue a ticket stands in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Everybody.
    #[default]
    General,
    /// People whom the law attends first; self-declared, and the reason is never asked.
    Priority,
    /// Someone with an appointment that is due.
    Appointment,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 3] = [Self::General, Self::Priority, Self::Appointment];

    /// The word used in the API and in the store.
    pub fn code(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Priority => "priority",
            Self::Appointment => "appointment",
        }
    }

    /// Whether this lane goes before the general one, within the bound of the policy.
    pub fn is_preferred(self) -> bool {
        match self {
            Self::General => false,
            Self::Priority | Self::Appointment => true,
        }
    }
}

/// Where a ticket stands in its lane: lower goes first. Never a time of the hub's clock.
///
/// Most tickets only have an arrival. One that a kiosk gave on its own while it was cut off stands right behind the
/// last arrival of its moment, and one that comes back after an absence behind the second of its lane; the two finer
/// numbers order those among each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Place {
    /// Number of the arrival at the hub, or of the arrival it stands behind.
    pub arrival_seq: u64,
    /// Order of kiosks' own tickets behind one arrival.
    #[serde(default, skip_serializing_if = "is_default")]
    pub behind: u64,
    /// Order of people who came back to one place.
    #[serde(default, skip_serializing_if = "is_default")]
    pub back: u64,
}

/// Whether a field says nothing, so that JSON leaves it out.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Place {
    /// Before everybody.
    pub const FRONT: Self = Self::at(0);
    /// Behind everybody.
    pub const LAST: Self = Self::at(u64::MAX);

    /// The place of an arrival.
    pub const fn at(arrival_seq: u64) -> Self {
        Self {
            arrival_seq,
            behind: 0,
            back: 0,
        }
    }
}

/// Where a ticket stands; always a fold over its events.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In its lane.
    Waiting,
    /// Announced; the person is on the way.
    Called,
    /// At the counter.
    Serving,
    /// Put aside, to be resumed.
    Parked,
    /// Attended. Final.
    Finished,
    /// Called and not come. Final, unless the person comes back soon enough.
    NoShow,
    /// Given back before it was called. Final.
    Cancelled,
    /// Still open when its day ended. Final.
    Expired,
}

impl Status {
    /// The word used in the API and in the store.
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Called => "called",
            Self::Serving => "serving",
            Self::Parked => "parked",
            Self::Finished => "finished",
            Self::NoShow => "no_show",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Whether a counter is occupied by a ticket that stands so.
    pub fn is_at_counter(self) -> bool {
        matches!(self, Self::Called | Self::Serving)
    }

    /// Whether nothing can happen to the ticket any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Waiting | Self::Called | Self::Serving | Self::Parked => false,
            Self::Finished | Self::NoShow | Self::Cancelled | Self::Expired => true,
        }
    }
}

/// The day a ticket belongs to, which begins at the office's day cut and not at midnight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BusinessDate(pub Date);

impl BusinessDate {
    /// The business date of `now` in an office of this zone whose day begins `day_cut` after midnight.
    pub fn of(now: Timestamp, zone: &TimeZone, day_cut: SignedDuration) -> Self {
        let shifted = now.checked_sub(day_cut).unwrap_or(now);
        Self(zone.to_datetime(shifted).date())
    }

    /// The day before, for things that stay valid overnight.
    pub fn yesterday(self) -> Self {
        Self(self.0.yesterday().unwrap_or(self.0))
    }
}

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for BusinessDate {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for BusinessDate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BusinessDate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A turn of one day.
#[derive(Clone, PartialEq, Debug)]
pub struct Ticket {
    /// Its name for programs.
    pub id: TicketId,
    /// The letter people see; it stays when the ticket changes its queue.
    pub series: Series,
    /// The number people see.
    pub number: u32,
    /// Where it waits or waited last.
    pub queue: QueueId,
    /// Its line there.
    pub lane: Lane,
    /// The day its number belongs to.
    pub business_date: BusinessDate,
    /// Its place: lower goes first within a lane. Never a time.
    pub place: Place,
    /// The place it had when it was issued.
    pub arrival: Place,
    /// The appointment it is for; before it is due, the ticket stands in no line.
    pub slot: Option<Timestamp>,
    /// Whether it stands in its line: all but appointments that are not due yet.
    pub due: bool,
    /// How often the person came back after an absence.
    pub returns: u32,
    /// When it was issued, by the clock of whoever issued it.
    pub issued_at: Timestamp,
    /// Whether a kiosk issued it from a lease, without asking us.
    pub leased: bool,
    /// The kiosk that issued it.
    pub kiosk: Option<KioskId>,
    /// The confirmed form that goes with it.
    pub submission: Option<SubmissionId>,
    /// Where it stands.
    pub status: Status,
    /// The counter that has it, or had it last.
    pub counter: Option<CounterNumber>,
    /// How often it was announced since it last waited.
    pub calls: u32,
    /// The first call of its life; waiting ends here for good.
    pub first_called_at: Option<Timestamp>,
    /// The newest call.
    pub last_called_at: Option<Timestamp>,
    /// When attention began, of the newest leg.
    pub started_at: Option<Timestamp>,
    /// When it became final.
    pub ended_at: Option<Timestamp>,
    /// Why it is parked, in the words of the agent.
    pub note: Option<String>,
}

impl Ticket {
    /// The number as shown and spoken, such as `T-018`.
    pub fn shown(&self) -> String {
        shown(&self.series, self.number)
    }

    /// Time from issue to the first call, or to `now` while it waits; never negative.
    pub fn waited(&self, now: Timestamp) -> SignedDuration {
        let until = self.first_called_at.or(self.ended_at).unwrap_or(now);
        until.duration_since(self.issued_at).max(SignedDuration::ZERO)
    }
}

/// A number as people see it: three digits, four past 999, and it never wraps.
pub fn shown(series: &Series, number: u32) -> String {
    format!("{series}-{number:03}")
}

/// Times as RFC 3339 text, for `#[serde(with)]`.
pub mod time_text {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes `2026-11-24T15:42:00Z`.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    /// Reads the same.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }

    /// The same for a time that may be missing.
    pub mod option {
        use jiff::Timestamp;
        use serde::{Deserialize, Deserializer, Serializer};

        /// Writes the text or null.
        pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => serializer.collect_str(at),
                None => serializer.serialize_none(),
            }
        }

        /// Reads the same.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            Option::<String>::deserialize(deserializer)?
                .map(|text| text.parse().map_err(serde::de::Error::custom))
                .transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_three_digits_and_widens() {
        let series = Series::from("T");
        assert_eq!(shown(&series, 18), "T-018");
        assert_eq!(shown(&series, 999), "T-999");
        assert_eq!(shown(&series, 1000), "T-1000");
    }

    #[test]
    fn the_day_begins_at_the_cut_in_the_offices_zone() {
        let zone = TimeZone::get("America/Guayaquil").expect("zone");
        let cut = SignedDuration::from_hours(3);
        let date = |text: &str| BusinessDate::of(text.parse().expect("time"), &zone, cut).to_string();
        assert_eq!(date("2026-11-24T15:42:00Z"), "2026-11-24");
        // 02:59 in Quito still belongs to the day before.
        assert_eq!(date("2026-11-24T07:59:59Z"), "2026-11-23");
        assert_eq!(date("2026-11-24T08:00:00Z"), "2026-11-24");
    }
}
