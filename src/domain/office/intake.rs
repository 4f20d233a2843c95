//! Whether a queue gives tickets now, and why not.
//!
//! A number that a kiosk gave while it was cut off is a promise and is taken in regardless.

use jiff::{SignedDuration, Timestamp};

use super::Office;
use super::hours::Standing;
use crate::domain::ticket::{Lane, QueueId};

/// Whether somebody new may take a ticket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intake {
    /// Yes.
    Open,
    /// Outside the hours.
    Closed {
        /// When it opens next.
        opens: Option<Timestamp>,
    },
    /// The day's tickets are given.
    Full {
        /// How many there were.
        cap: u32,
    },
    /// Somebody new would still wait at closing time.
    TooLate {
        /// When it closes.
        closes: Timestamp,
    },
    /// Staff stopped it for today.
    Stopped,
}

impl Intake {
    /// The word used in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed { .. } => "queue_closed",
            Self::Full { .. } => "queue_full",
            Self::TooLate { .. } => "queue_too_late",
            Self::Stopped => "queue_stopped",
        }
    }

    /// Why, for the people who read it.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Open => "it does".to_owned(),
            Self::Closed { opens: Some(opens) } => format!("it opens at {opens}"),
            Self::Closed { opens: None } => "it is closed".to_owned(),
            Self::Full { cap } => format!("the {cap} tickets of today are given"),
            Self::TooLate { closes } => {
                format!("whoever waits already will be attended until it closes at {closes}")
            }
            Self::Stopped => "staff stopped it for today".to_owned(),
        }
    }
}

impl Office {
    /// Whether `queue` gives a ticket of `lane` to somebody who comes now.
    pub fn intake(&self, queue: &QueueId, lane: Lane, now: Timestamp) -> Intake {
        let Some(setup) = self.setup.queue(queue) else {
            return Intake::Stopped;
        };
        if setup.retired || self.stopped.contains(queue) {
            return Intake::Stopped;
        }
        if let Some(cap) = setup.daily_cap
            && self.issued.get(queue).copied().unwrap_or(0) >= cap
        {
            return Intake::Full { cap };
        }
        let standing = match self.setup.hours_of(setup) {
            Some(hours) => hours.standing(now, &self.setup.zone, &self.setup.closures),
            None if self.setup.closures.contains(&self.setup.date_of(now).0) => {
                Standing::Closed { opens: None }
            }
            None => return Intake::Open,
        };
        match standing {
            Standing::Closed { opens } => Intake::Closed { opens },
            Standing::Open { closes } if setup.stops_by_forecast => {
                let end = self.estimate_new(queue, lane, now).and_then(|wait| {
                    let wait = SignedDuration::from_mins(i64::from(wait.to_minutes));
                    now.checked_add(wait.saturating_add(self.service_mean(queue)))
                        .ok()
                });
                match end {
                    Some(end) if end > closes => Intake::TooLate { closes },
                    // Without an open counter there is no forecast, and nobody is turned away for a guess.
                    Some(_) | None => Intake::Open,
                }
            }
            Standing::Open { .. } => Intake::Open,
        }
    }

    /// What staff said about a queue whose system does not work.
    pub fn outage(&self, queue: &QueueId) -> Option<Option<&str>> {
        self.down.get(queue).map(Option::as_deref)
    }

    /// Whether staff stopped a queue for today.
    pub fn is_stopped(&self, queue: &QueueId) -> bool {
        self.stopped.contains(queue)
    }
}
