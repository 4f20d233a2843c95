//! What an office did, worked out from its events and from nothing else.
//!
//! Anybody with the event export can recompute every number here; that is why the report reads events and not the
//! tables beside them. Begin at [`Facts::of`], which makes one row a ticket, and [`Report::of`], which counts them.

mod counters;
mod facts;
mod usage;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use counters::{CounterLine, counter_lines};
pub use facts::Facts;
pub use usage::{ProcedureUsage, StepUsage, Usage};

use super::ticket::{BusinessDate, Lane, QueueId, Status};

/// Figures of one day or of several.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Report {
    /// One line a queue and lane that had anybody.
    pub lines: Vec<Line>,
    /// Everybody together.
    pub total: Line,
    /// One line a local hour of arrival that had anybody.
    pub hours: Vec<HourLine>,
    /// One line a business date that had anybody.
    pub days: Vec<DayLine>,
    /// How right the waits were that people were told.
    pub estimates: EstimateError,
    /// Calls out of turn, with the reasons staff gave.
    pub out_of_turn: Vec<OutOfTurn>,
    /// One line a counter that worked.
    pub counters: Vec<CounterLine>,
}

/// Figures of one group of tickets; times in minutes.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Line {
    /// The queue they ended in; empty for the total.
    pub queue: String,
    /// The lane they ended in; empty for the total.
    pub lane: String,
    /// Tickets issued.
    pub issued: usize,
    /// Tickets called at least once.
    pub called: usize,
    /// Attended.
    pub finished: usize,
    /// Called and not come.
    pub no_show: usize,
    /// Given back.
    pub cancelled: usize,
    /// Never attended.
    pub expired: usize,
    /// Absences after which the person came back.
    pub rejoined: usize,
    /// Transfers from one queue to another.
    pub transferred: usize,
    /// Mean wait to the first call.
    pub wait_mean_minutes: Option<f64>,
    /// Half waited no longer.
    pub wait_p50_minutes: Option<f64>,
    /// Nine of ten waited no longer.
    pub wait_p90_minutes: Option<f64>,
    /// The longest wait.
    pub wait_max_minutes: Option<f64>,
    /// Mean time from the newest call to the counter.
    pub way_mean_minutes: Option<f64>,
    /// Mean attention, all legs together.
    pub service_mean_minutes: Option<f64>,
    /// Half were attended no longer.
    pub service_p50_minutes: Option<f64>,
    /// Nine of ten were attended no longer.
    pub service_p90_minutes: Option<f64>,
}

/// Figures of one local hour, by the hour of arrival.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HourLine {
    /// The hour, 0 to 23.
    pub hour: i8,
    /// Tickets issued in it.
    pub issued: usize,
    /// Attentions ended in it.
    pub finished: usize,
    /// Nine of ten of the general lane waited no longer.
    pub general_p90_minutes: Option<f64>,
    /// Nine of ten of the preferred lanes waited no longer.
    pub preferred_p90_minutes: Option<f64>,
}

/// Figures of one business date.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DayLine {
    /// The date.
    pub date: String,
    /// Tickets issued.
    pub issued: usize,
    /// Attended.
    pub finished: usize,
    /// Called and not come.
    pub no_show: usize,
    /// Half waited no longer.
    pub wait_p50_minutes: Option<f64>,
    /// Nine of ten waited no longer.
    pub wait_p90_minutes: Option<f64>,
}

/// How the waits that people were told compare with the waits they had.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EstimateError {
    /// People who were told a wait and called later.
    pub told: usize,
    /// Of those, how many were called within the range.
    pub within: usize,
    /// Mean distance between the middle of the range and the wait, in minutes.
    pub mean_absolute_error_minutes: Option<f64>,
    /// How much longer than the middle of the range people waited, on the average; negative if shorter.
    pub bias_minutes: Option<f64>,
}

/// A call out of turn.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OutOfTurn {
    /// When.
    #[serde(with = "super::ticket::time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who was called.
    pub number: String,
    /// To which counter.
    pub counter: u16,
    /// Who did it.
    pub who: Option<String>,
    /// Why, in their words.
    pub reason: String,
}

/// The value that `percent` of a hundred of these do not exceed; `None` without any. `sorted` is ascending.
pub fn percentile(sorted: &[SignedDuration], percent: usize) -> Option<SignedDuration> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

impl Report {
    /// The report of these tickets, in the order of the office's queues.
    pub fn of(
        tickets: &[Facts],
        queues: &[QueueId],
        zone: &TimeZone,
        out_of_turn: Vec<OutOfTurn>,
        counters: Vec<CounterLine>,
    ) -> Self {
        let mut lines = Vec::new();
        for queue in queues {
            for lane in Lane::ALL {
                let group: Vec<&Facts> = tickets
                    .iter()
                    .filter(|ticket| ticket.queue == *queue && ticket.lane == lane)
                    .collect();
                if !group.is_empty() {
                    lines.push(Line {
                        queue: queue.to_string(),
                        lane: lane.code().to_owned(),
                        ..line(&group)
                    });
                }
            }
        }
        Self {
            lines,
            total: line(&tickets.iter().collect::<Vec<_>>()),
            hours: hours(tickets, zone),
            days: days(tickets),
            estimates: estimates(tickets),
            out_of_turn,
            counters,
        }
    }
}

fn line(tickets: &[&Facts]) -> Line {
    let count = |status| tickets.iter().filter(|ticket| ticket.status == status).count();
    let waits = sorted(tickets.iter().filter_map(|ticket| ticket.waited()));
    let ways = sorted(tickets.iter().filter_map(|ticket| ticket.way));
    let services = sorted(
        tickets
            .iter()
            .filter(|ticket| ticket.status == Status::Finished)
            .filter_map(|ticket| ticket.service),
    );
    Line {
        queue: String::new(),
        lane: String::new(),
        issued: tickets.len(),
        called: waits.len(),
        finished: count(Status::Finished),
        no_show: count(Status::NoShow),
        cancelled: count(Status::Cancelled),
        expired: count(Status::Expired),
        rejoined: tickets.iter().map(|ticket| ticket.rejoined).sum(),
        transferred: tickets.iter().map(|ticket| ticket.transferred).sum(),
        wait_mean_minutes: mean(&waits),
        wait_p50_minutes: percentile(&waits, 50).map(minutes),
        wait_p90_minutes: percentile(&waits, 90).map(minutes),
        wait_max_minutes: waits.last().copied().map(minutes),
        way_mean_minutes: mean(&ways),
        service_mean_minutes: mean(&services),
        service_p50_minutes: percentile(&services, 50).map(minutes),
        service_p90_minutes: percentile(&services, 90).map(minutes),
    }
}

fn hours(tickets: &[Facts], zone: &TimeZone) -> Vec<HourLine> {
    let hour_of = |at: Timestamp| zone.to_datetime(at).hour();
    let mut hours: BTreeMap<i8, (HourLine, Vec<SignedDuration>, Vec<SignedDuration>)> = BTreeMap::new();
    for ticket in tickets {
        let (line, general, preferred) = hours.entry(hour_of(ticket.issued_at)).or_default();
        line.issued += 1;
        if let Some(waited) = ticket.waited() {
            let lane = if ticket.lane.is_preferred() {
                preferred
            } else {
                general
            };
            lane.push(waited);
        }
        if let (Status::Finished, Some(ended)) = (ticket.status, ticket.ended_at) {
            hours.entry(hour_of(ended)).or_default().0.finished += 1;
        }
    }
    hours
        .into_iter()
        .map(|(hour, (line, general, preferred))| HourLine {
            hour,
            general_p90_minutes: percentile(&sorted(general), 90).map(minutes),
            preferred_p90_minutes: percentile(&sorted(preferred), 90).map(minutes),
            ..line
        })
        .collect()
}

fn days(tickets: &[Facts]) -> Vec<DayLine> {
    let mut days: BTreeMap<BusinessDate, Vec<&Facts>> = BTreeMap::new();
    for ticket in tickets {
        days.entry(ticket.business_date).or_default().push(ticket);
    }
    days.into_iter()
        .map(|(date, tickets)| {
            let line = line(&tickets);
            DayLine {
                date: date.to_string(),
                issued: line.issued,
                finished: line.finished,
                no_show: line.no_show,
                wait_p50_minutes: line.wait_p50_minutes,
                wait_p90_minutes: line.wait_p90_minutes,
            }
        })
        .collect()
}

fn estimates(tickets: &[Facts]) -> EstimateError {
    let mut error = EstimateError::default();
    let (mut absolute, mut signed) = (0.0, 0.0);
    for ticket in tickets {
        let (Some(told), Some(waited)) = (ticket.told, ticket.waited()) else {
            continue;
        };
        let waited = waited.as_secs_f64() / 60.0;
        let (from, to) = (f64::from(told.from_minutes), f64::from(told.to_minutes));
        error.told += 1;
        error.within += usize::from((from..=to).contains(&waited));
        absolute += (waited - f64::midpoint(from, to)).abs();
        signed += waited - f64::midpoint(from, to);
    }
    if let Some(count) = u32::try_from(error.told).ok().filter(|count| *count > 0) {
        error.mean_absolute_error_minutes = Some(tenth(absolute / f64::from(count)));
        error.bias_minutes = Some(tenth(signed / f64::from(count)));
    }
    error
}

fn sorted(times: impl IntoIterator<Item = SignedDuration>) -> Vec<SignedDuration> {
    let mut times: Vec<SignedDuration> = times.into_iter().collect();
    times.sort_unstable();
    times
}

fn mean(times: &[SignedDuration]) -> Option<f64> {
    let count = i32::try_from(times.len()).ok().filter(|count| *count > 0)?;
    let sum = times
        .iter()
        .fold(SignedDuration::ZERO, |sum, time| sum.saturating_add(*time));
    Some(minutes(sum / count))
}

/// Minutes with one digit after the point.
fn minutes(time: SignedDuration) -> f64 {
    tenth(time.as_secs_f64() / 60.0)
}

fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
