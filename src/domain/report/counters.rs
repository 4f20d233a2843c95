//! What each counter did: how long it was open, on a break, and with somebody.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::event::{OfficeEvent, What};
use crate::domain::ticket::CounterNumber;

/// Figures of one counter; times in minutes.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CounterLine {
    /// The number over it.
    pub counter: u16,
    /// Turns called to it, without repeated announcements.
    pub called: usize,
    /// Attentions that ended there.
    pub finished: usize,
    /// Time it was open.
    pub open_minutes: f64,
    /// Time it was on a break.
    pub paused_minutes: f64,
    /// Time somebody was attended.
    pub serving_minutes: f64,
}

#[derive(Default)]
struct Tally {
    line: CounterLine,
    open: SignedDuration,
    paused: SignedDuration,
    serving: SignedDuration,
    state: Option<(bool, Timestamp)>,
    attending: Option<Timestamp>,
}

impl Tally {
    fn settle(&mut self, now: Timestamp) {
        if let Some((open, since)) = self.state.take() {
            let spent = now.duration_since(since).max(SignedDuration::ZERO);
            let sum = if open { &mut self.open } else { &mut self.paused };
            *sum = sum.saturating_add(spent);
        }
    }

    fn leave(&mut self, now: Timestamp) {
        if let Some(since) = self.attending.take() {
            let spent = now.duration_since(since).max(SignedDuration::ZERO);
            self.serving = self.serving.saturating_add(spent);
        }
    }
}

/// One line a counter that was open, by number; what is still open counts until `now`.
pub fn counter_lines<'a>(
    events: impl IntoIterator<Item = &'a OfficeEvent>,
    now: Timestamp,
) -> Vec<CounterLine> {
    let mut tallies: BTreeMap<CounterNumber, Tally> = BTreeMap::new();
    for event in events {
        let Some(number) = event.counter else { continue };
        let tally = tallies.entry(number).or_default();
        match &event.what {
            What::CounterOpened => {
                tally.settle(event.at);
                tally.state = Some((true, event.at));
            }
            What::CounterPaused { .. } => {
                tally.settle(event.at);
                tally.state = Some((false, event.at));
            }
            What::CounterClosed => tally.settle(event.at),
            What::Called { .. } => tally.line.called += 1,
            What::Started => tally.attending = Some(event.at),
            What::Finished { .. } => {
                tally.line.finished += 1;
                tally.leave(event.at);
            }
            What::Transferred { .. } | What::Parked { .. } | What::Recycled => tally.leave(event.at),
            _ => {}
        }
    }
    tallies
        .into_iter()
        .map(|(number, mut tally)| {
            tally.settle(now);
            tally.leave(now);
            let minutes = super::minutes;
            CounterLine {
                counter: number.0,
                open_minutes: minutes(tally.open),
                paused_minutes: minutes(tally.paused),
                serving_minutes: minutes(tally.serving),
                ..tally.line
            }
        })
        .collect()
}
