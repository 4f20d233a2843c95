//! When an office takes people in: hours of the week, and days on which it does not open.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// How far ahead the next opening is looked for.
const LOOK_AHEAD_DAYS: i64 = 14;

/// Opening hours of a week; a day without a span is closed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hours {
    spans: Vec<(Weekday, Time, Time)>,
}

/// How a moment stands to opening hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Open, until then.
    Open {
        /// When it closes.
        closes: Timestamp,
    },
    /// Closed.
    Closed {
        /// When it opens next, if within two weeks.
        opens: Option<Timestamp>,
    },
}

/// What is wrong with written opening hours.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HoursProblem {
    /// A day nobody knows.
    #[error("{0} is no day; write mon, tue, wed, thu, fri, sat, sun, or two of them like mon-fri")]
    Day(String),
    /// A time nobody can read.
    #[error("{0} is no span of time; write it like 08:00-16:30")]
    Span(String),
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Hours {
    /// Adds spans such as `("mon-fri", "08:00-12:30")`.
    ///
    /// # Errors
    /// When the days or the span cannot be read, or the span ends before it begins.
    pub fn add(&mut self, days: &str, span: &str) -> Result<(), HoursProblem> {
        let wrong = || HoursProblem::Span(span.to_owned());
        let time = |text: &str| text.trim().parse::<Time>().map_err(|_| wrong());
        let (from, to) = span.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (time(from)?, time(to)?);
        if from >= to {
            return Err(wrong());
        }
        for day in weekdays(days)? {
            self.spans.push((day, from, to));
        }
        self.spans
            .sort_unstable_by_key(|(day, from, _)| (day.to_monday_zero_offset(), *from));
        Ok(())
    }

    /// Every span, by day and hour.
    pub fn spans(&self) -> impl Iterator<Item = (Weekday, Time, Time)> {
        self.spans.iter().copied()
    }

    /// Two spans of one day that share some time, as they are written.
    pub fn overlap(&self) -> Option<(String, String)> {
        let written = |(_, from, to): (Weekday, Time, Time)| span_text(from, to);
        let mut pairs = self.spans.iter().zip(self.spans.iter().skip(1));
        pairs
            .find(|(first, second)| first.0 == second.0 && second.1 < first.2)
            .map(|(first, second)| (written(*first), written(*second)))
    }

    /// How `now` stands to these hours, with `closures` as closed days.
    pub fn standing(&self, now: Timestamp, zone: &TimeZone, closures: &BTreeSet<Date>) -> Standing {
        let local = zone.to_datetime(now);
        let at = |date: Date, time: Time| zone.to_timestamp(date.to_datetime(time)).ok();
        let open = |date: Date| !closures.contains(&date);
        if open(local.date()) {
            let span = self
                .of(local.date())
                .find(|(from, to)| (*from..*to).contains(&local.time()));
            if let Some(closes) = span.and_then(|(_, to)| at(local.date(), to)) {
                return Standing::Open { closes };
            }
        }
        let opens = (0..LOOK_AHEAD_DAYS).find_map(|ahead| {
            let date = local.date().checked_add(ahead.days()).ok()?;
            if !open(date) {
                return None;
            }
            self.of(date)
                .filter_map(|(from, _)| at(date, from))
                .find(|from| *from > now)
        });
        Standing::Closed { opens }
    }

    fn of(&self, date: Date) -> impl Iterator<Item = (Time, Time)> {
        let today = date.weekday();
        self.spans
            .iter()
            .filter(move |(day, _, _)| *day == today)
            .map(|(_, from, to)| (*from, *to))
    }
}

/// A span of a day as it is written.
pub fn span_text(from: Time, to: Time) -> String {
    format!("{}-{}", from.strftime("%H:%M"), to.strftime("%H:%M"))
}

fn weekdays(text: &str) -> Result<Vec<Weekday>, HoursProblem> {
    let index = |name: &str| {
        DAYS.iter()
            .position(|(known, _)| *known == name.trim().to_ascii_lowercase())
            .ok_or_else(|| HoursProblem::Day(text.to_owned()))
    };
    let (from, to) = match text.split_once('-') {
        Some((from, to)) => (index(from)?, index(to)?),
        None => (index(text)?, index(text)?),
    };
    if from > to {
        return Err(HoursProblem::Day(text.to_owned()));
    }
    Ok(DAYS[from..=to].iter().map(|(_, day)| *day).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week() -> Hours {
        let mut hours = Hours::default();
        hours.add("mon-fri", "08:00-12:30").expect("reads");
        hours.add("mon-fri", "13:30-16:30").expect("reads");
        hours
    }

    #[track_caller]
    fn check(at: &str, closed: &[&str], expected: &str) {
        let zone = TimeZone::get("America/Guayaquil").expect("zone");
        let closures = closed.iter().map(|day| day.parse().expect("date")).collect();
        let now = zone.to_timestamp(at.parse().expect("time")).expect("one moment");
        let say = |at: Timestamp| zone.to_datetime(at).strftime("%a %H:%M").to_string();
        let said = match week().standing(now, &zone, &closures) {
            Standing::Open { closes } => format!("open until {}", say(closes)),
            Standing::Closed { opens: Some(opens) } => format!("closed until {}", say(opens)),
            Standing::Closed { opens: None } => "closed".to_owned(),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn a_moment_is_inside_or_knows_when_it_opens() {
        // 2026-11-24 is a Tuesday.
        check("2026-11-24T08:00", &[], "open until Tue 12:30");
        check("2026-11-24T12:30", &[], "closed until Tue 13:30");
        check("2026-11-24T16:30", &[], "closed until Wed 08:00");
        check("2026-11-27T17:00", &[], "closed until Mon 08:00");
        check(
            "2026-11-24T10:00",
            &["2026-11-24", "2026-11-25"],
            "closed until Thu 08:00",
        );
    }

    #[test]
    fn hours_that_cannot_be_are_named() {
        let mut hours = Hours::default();
        assert!(hours.add("lunes", "08:00-16:30").is_err());
        assert!(hours.add("fri-mon", "08:00-16:30").is_err());
        assert!(hours.add("mon", "16:30-08:00").is_err());
        assert!(hours.add("mon", "8 a 16").is_err());
        assert_eq!(hours, Hours::default());
    }
}
