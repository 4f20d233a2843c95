//! Where forms end at the kiosks, and how people say it went: the newest totals of each kiosk, added up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::event::{OfficeEvent, What};
use crate::domain::ticket::{BusinessDate, KioskId};
use crate::domain::usage::{Mark, UsageLine};

/// Totals of all kiosks over some days.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct Usage {
    /// Where forms ended, by procedure, step and outcome.
    pub lines: Vec<UsageLine>,
    /// How people said it went.
    pub marks: Vec<Mark>,
}

/// How the forms of one procedure ended.
#[derive(Clone, PartialEq, Debug)]
pub struct ProcedureUsage {
    /// The procedure's identifier.
    pub procedure: String,
    /// Forms that were begun and ended in some way.
    pub begun: u32,
    /// Sent.
    pub sent: u32,
    /// Ended by the citizen before they were sent.
    pub left: u32,
    /// Given up without a word.
    pub silent: u32,
    /// Where forms ended that were not sent, in the order of a form.
    pub given_up: Vec<StepUsage>,
}

/// Forms that ended at one step without being sent.
#[derive(Clone, PartialEq, Debug)]
pub struct StepUsage {
    /// The step, as in [`UsageLine::step`].
    pub step: String,
    /// Ended by the citizen.
    pub left: u32,
    /// Nobody was there any more.
    pub silent: u32,
}

impl Usage {
    /// The totals of the days from `from` to `to`.
    ///
    /// A total never goes down, so that a telling which arrives late or twice changes nothing.
    pub fn of<'a>(
        events: impl IntoIterator<Item = &'a OfficeEvent>,
        from: BusinessDate,
        to: BusinessDate,
    ) -> Self {
        let mut lines: BTreeMap<(BusinessDate, &KioskId, &str, &str, &str), u32> = BTreeMap::new();
        let mut marks: BTreeMap<(BusinessDate, &KioskId, u8), u32> = BTreeMap::new();
        for event in events {
            let What::KioskCounted { kiosk, totals } = &event.what else {
                continue;
            };
            if !(from..=to).contains(&totals.date) {
                continue;
            }
            for line in &totals.lines {
                let key = (totals.date, kiosk, &*line.procedure, &*line.step, &*line.outcome);
                let known = lines.entry(key).or_default();
                *known = line.count.max(*known);
            }
            for mark in &totals.marks {
                let known = marks.entry((totals.date, kiosk, mark.mark)).or_default();
                *known = mark.count.max(*known);
            }
        }
        let mut sums: BTreeMap<(&str, &str, &str), u32> = BTreeMap::new();
        for ((_, _, procedure, step, outcome), count) in lines {
            let sum = sums.entry((procedure, step, outcome)).or_default();
            *sum = sum.saturating_add(count);
        }
        let mut said: BTreeMap<u8, u32> = BTreeMap::new();
        for ((_, _, mark), count) in marks {
            let sum = said.entry(mark).or_default();
            *sum = sum.saturating_add(count);
        }
        let line = |((procedure, step, outcome), count): ((&str, &str, &str), u32)| UsageLine {
            procedure: procedure.to_owned(),
            step: step.to_owned(),
            outcome: outcome.to_owned(),
            count,
        };
        Self {
            lines: sums.into_iter().map(line).collect(),
            marks: said
                .into_iter()
                .map(|(mark, count)| Mark { mark, count })
                .collect(),
        }
    }

    /// One row a procedure, those that were begun most first.
    pub fn procedures(&self) -> Vec<ProcedureUsage> {
        let mut rows: BTreeMap<&str, ProcedureUsage> = BTreeMap::new();
        for line in &self.lines {
            let row = rows.entry(&line.procedure).or_insert_with(|| ProcedureUsage {
                procedure: line.procedure.clone(),
                begun: 0,
                sent: 0,
                left: 0,
                silent: 0,
                given_up: Vec::new(),
            });
            row.begun += line.count;
            if line.outcome == "sent" {
                row.sent += line.count;
                continue;
            }
            let index = row.given_up.iter().position(|known| known.step == line.step);
            let index = index.unwrap_or_else(|| {
                row.given_up.push(StepUsage {
                    step: line.step.clone(),
                    left: 0,
                    silent: 0,
                });
                row.given_up.len() - 1
            });
            if line.outcome == "left" {
                row.left += line.count;
                row.given_up[index].left += line.count;
            } else {
                row.silent += line.count;
                row.given_up[index].silent += line.count;
            }
        }
        let mut rows: Vec<ProcedureUsage> = rows.into_values().collect();
        for row in &mut rows {
            row.given_up.sort_by_key(|ended| place(&ended.step));
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.begun));
        rows
    }
}

/// Where a step stands in a form: its questions, then review, lane and consent.
fn place(step: &str) -> (u8, u32) {
    let question = step.strip_prefix("question-").and_then(|n| n.parse().ok());
    match (question, step) {
        (Some(n), _) => (0, n),
        (None, "review") => (1, 0),
        (None, "lane") => (2, 0),
        (None, "consent") => (3, 0),
        (None, _) => (4, 0),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::usage::KioskTotals;

    fn told(kiosk: &str, date: &str, step: &str, outcome: &str, count: u32) -> OfficeEvent {
        OfficeEvent {
            seq: 1,
            at: Timestamp::UNIX_EPOCH,
            business_date: date.parse().expect("a date"),
            ticket: None,
            counter: None,
            cause: None,
            who: None,
            what: What::KioskCounted {
                kiosk: KioskId(kiosk.into()),
                totals: KioskTotals {
                    date: date.parse().expect("a date"),
                    lines: vec![UsageLine {
                        procedure: "iprus".into(),
                        step: step.into(),
                        outcome: outcome.into(),
                        count,
                    }],
                    marks: vec![Mark { mark: 3, count }],
                },
            },
        }
    }

    fn day(text: &str) -> BusinessDate {
        text.parse().expect("a date")
    }

    #[test]
    fn kiosks_are_added_up_and_what_is_told_twice_counts_once() {
        let events = [
            told("k1", "2026-11-24", "review", "left", 2),
            told("k1", "2026-11-24", "review", "left", 5),
            told("k1", "2026-11-24", "review", "left", 5),
            told("k2", "2026-11-24", "review", "left", 1),
            told("k1", "2026-11-25", "review", "left", 90),
        ];
        let usage = Usage::of(&events, day("2026-11-24"), day("2026-11-24"));
        assert_eq!((usage.lines.len(), usage.lines[0].count), (1, 6));
        assert_eq!(usage.marks, [Mark { mark: 3, count: 6 }]);
        let both = Usage::of(&events, day("2026-11-24"), day("2026-11-25"));
        assert_eq!(both.lines[0].count, 96);
    }

    #[test]
    fn steps_stand_in_the_order_of_a_form() {
        let events = [
            told("k1", "2026-11-24", "consent", "left", 1),
            told("k1", "2026-11-24", "question-10", "silent", 1),
            told("k1", "2026-11-24", "question-2", "left", 2),
            told("k1", "2026-11-24", "question-2", "silent", 1),
            told("k1", "2026-11-24", "consent", "sent", 7),
        ];
        let rows = Usage::of(&events, day("2026-11-24"), day("2026-11-24")).procedures();
        let row = &rows[0];
        assert_eq!((row.begun, row.sent, row.left, row.silent), (12, 7, 3, 2));
        let steps: Vec<(&str, u32, u32)> = row
            .given_up
            .iter()
            .map(|ended| (ended.step.as_str(), ended.left, ended.silent))
            .collect();
        assert_eq!(
            steps,
            [("question-2", 2, 1), ("question-10", 0, 1), ("consent", 1, 0)]
        );
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_changes_nothing(counts in prop::collection::vec((0..3u8, 1..9u32), 1..20)) {
            let mut events: Vec<OfficeEvent> = counts
                .iter()
                .map(|(kiosk, count)| told(&format!("k{kiosk}"), "2026-11-24", "lane", "left", *count))
                .collect();
            let date = day("2026-11-24");
            let forth = Usage::of(&events, date, date);
            events.reverse();
            prop_assert_eq!(forth, Usage::of(&events, date, date));
        }
    }
}
