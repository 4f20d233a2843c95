//! What may happen to a paper between the commit and the hand: states, time to live, and the roll.
//!
//! The rule behind it: a paper is printed by itself only while not one byte of it was accepted, its
//! citizen is still there and it is not old. Everything after the first byte is a person's decision,
//! and what they get is marked as a copy.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::id::TicketId;

/// Which paper a job of the journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaperKind {
    /// The proof that a form was handed in.
    Receipt,
    /// The turn of a queue.
    Turn,
    /// What to bring.
    List,
    /// What to pay and where.
    Payment,
    /// The code of a form that goes on later.
    Resume,
    /// A technician's sample.
    Readiness,
}

impl PaperKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Receipt,
        Self::Turn,
        Self::List,
        Self::Payment,
        Self::Resume,
        Self::Readiness,
    ];

    /// Its word in the journal.
    pub fn code(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Turn => "turn",
            Self::List => "list",
            Self::Payment => "payment",
            Self::Resume => "resume",
            Self::Readiness => "readiness",
        }
    }

    /// The kind of a word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// How long it is worth printing. A receipt is worth it for ever, but nothing prints it by itself once
    /// its citizen has gone.
    pub fn time_to_live(self) -> Option<SignedDuration> {
        match self {
            Self::Receipt => None,
            Self::Turn | Self::List | Self::Payment | Self::Resume | Self::Readiness => {
                Some(SignedDuration::from_secs(120))
            }
        }
    }
}

/// Where a job of the journal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Committed, not sent.
    Queued,
    /// From before the first byte until its outcome is known.
    Sending,
    /// The printer proved it.
    Printed,
    /// Every byte was handed to a printer that proves nothing.
    Sent,
    /// Not one byte was accepted.
    Held,
    /// Some bytes went and the rest is not known.
    Unknown,
    /// Too old to print.
    Expired,
    /// Its citizen left before it could be printed.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Printed,
        Self::Sent,
        Self::Held,
        Self::Unknown,
        Self::Expired,
        Self::Cancelled,
    ];

    /// Its word in the journal.
    pub fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Printed => "printed",
            Self::Sent => "sent",
            Self::Held => "held",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether it may be sent to a printer as the original.
    pub fn may_be_sent(self, kind: PaperKind, created_at: Timestamp, now: Timestamp) -> bool {
        let is_young = kind
            .time_to_live()
            .is_none_or(|life| now.duration_since(created_at) <= life);
        match self {
            Self::Queued | Self::Held => is_young,
            Self::Sending | Self::Printed | Self::Sent | Self::Unknown | Self::Expired | Self::Cancelled => {
                false
            }
        }
    }

    /// What it becomes when its citizen leaves: nothing prints for a person who is gone.
    #[must_use]
    pub fn after_leaving(self, kind: PaperKind) -> Self {
        match (self, kind) {
            (Self::Queued | Self::Held, PaperKind::Receipt) => Self::Held,
            (Self::Queued | Self::Held, _) => Self::Cancelled,
            (other, _) => other,
        }
    }

    /// What it becomes when the program starts again: what was under way is unknown, what waited is old.
    #[must_use]
    pub fn after_restart(self, kind: PaperKind) -> Self {
        match (self, kind) {
            (Self::Sending, _) => Self::Unknown,
            (Self::Queued | Self::Held, PaperKind::Receipt) => Self::Held,
            (Self::Queued | Self::Held, _) => Self::Expired,
            (other, _) => other,
        }
    }
}

/// What is known of a roll of paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    /// Millimetres used since it was put in.
    pub used_mm: u64,
    /// Papers printed since.
    pub papers: u64,
}

/// How long a roll will last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Millimetres that should be left.
    pub left_mm: u64,
    /// Papers of the usual length that should be left; nothing before the first.
    pub papers_left: Option<u64>,
    /// Whether somebody should bring a new one.
    pub is_low: bool,
}

impl Roll {
    /// What is left of a roll of `length_mm`. A low sensor, where there is one, is believed more.
    pub fn forecast(self, length_mm: u64) -> Forecast {
        /// A turn ticket and a receipt are about 450 mm together: this is good for thirty people.
        const LOW_PAPERS: u64 = 60;
        let left_mm = length_mm.saturating_sub(self.used_mm);
        let papers_left = self
            .used_mm
            .checked_div(self.papers)
            .filter(|usual| *usual > 0)
            .map(|usual| left_mm / usual);
        Forecast {
            left_mm,
            papers_left,
            is_low: papers_left.map_or(left_mm * 20 < length_mm, |papers| papers < LOW_PAPERS),
        }
    }
}

/// What staff ask of a kiosk's printers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum PaperOrder {
    /// A sample with every letter on it.
    TestPage,
    /// A new roll is in the printer.
    RollChanged {
        /// `first` or `second`.
        printer: String,
    },
    /// A turn ticket once more, marked as a copy.
    Reprint {
        /// Whose.
        #[schema(value_type = String)]
        ticket: TicketId,
    },
}

/// What became of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderOutcome {
    /// Done; a paper came out as far as the printer says.
    Done,
    /// Nobody knows whether it came out.
    Unknown,
    /// It could not be done.
    Failed,
}

/// How long an order stands: nothing prints by itself long after somebody asked for it.
pub const ORDER_LIFE: SignedDuration = SignedDuration::from_mins(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn words_go_round() {
        for kind in PaperKind::ALL {
            assert_eq!(PaperKind::from_code(kind.code()), Some(kind));
        }
        for state in JobState::ALL {
            assert_eq!(JobState::from_code(state.code()), Some(state));
        }
    }

    #[test]
    fn only_what_no_printer_touched_is_sent_and_only_while_it_is_fresh() {
        for state in JobState::ALL {
            let is_untouched = matches!(state, JobState::Queued | JobState::Held);
            assert_eq!(state.may_be_sent(PaperKind::Turn, at(0), at(120)), is_untouched);
            assert!(!state.may_be_sent(PaperKind::Turn, at(0), at(121)));
            assert_eq!(
                state.may_be_sent(PaperKind::Receipt, at(0), at(9_000)),
                is_untouched
            );
        }
    }

    #[test]
    fn nothing_prints_by_itself_after_its_citizen_or_a_restart() {
        for kind in PaperKind::ALL {
            for state in JobState::ALL {
                let restarted = state.after_restart(kind);
                assert_ne!(restarted, JobState::Queued);
                assert_ne!(restarted, JobState::Sending);
                // A receipt waits to be asked for; whoever asks gets a copy made anew.
                assert!(restarted != JobState::Held || kind == PaperKind::Receipt);
                assert!(state.after_leaving(kind) != JobState::Held || kind == PaperKind::Receipt);
                assert_eq!(state.after_restart(kind).after_restart(kind), restarted);
            }
        }
        assert_eq!(
            JobState::Sending.after_restart(PaperKind::Turn),
            JobState::Unknown
        );
    }

    #[test]
    fn a_roll_is_counted_down_in_papers() {
        let fresh = Roll::default().forecast(80_000);
        assert_eq!(
            (fresh.left_mm, fresh.papers_left, fresh.is_low),
            (80_000, None, false)
        );
        let used = Roll {
            used_mm: 60_000,
            papers: 300,
        };
        let half = used.forecast(80_000);
        assert_eq!((half.papers_left, half.is_low), (Some(100), false));
        let low = Roll {
            used_mm: 70_000,
            papers: 350,
        };
        assert!(low.forecast(80_000).is_low);
        assert_eq!(
            low.forecast(60_000).left_mm,
            0,
            "the roll was longer than it said"
        );
    }
}
