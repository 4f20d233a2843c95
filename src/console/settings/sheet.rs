//! One form of settings: what stands in its fields, and what is wrong with each.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Weekday;

use super::fault_words;
use crate::console::kit::Kit;
use crate::domain::office::settings::{Fault, Problem, Week};
use crate::domain::office::{Hours, span_text};

/// Days of the week as they are written in settings, and the keys of their words.
pub(super) const DAYS: [(&str, &str); 7] = [
    ("mon", "office-day-mon"),
    ("tue", "office-day-tue"),
    ("wed", "office-day-wed"),
    ("thu", "office-day-thu"),
    ("fri", "office-day-fri"),
    ("sat", "office-day-sat"),
    ("sun", "office-day-sun"),
];
/// Spans of a day that a form offers.
pub(super) const SPANS: usize = 2;
/// Most spans that a form shows, where a file wrote more.
const SPANS_MAX: usize = 6;

/// Fields by name, as texts, and faults by name.
#[derive(Default)]
pub(super) struct Sheet {
    fields: BTreeMap<String, String>,
    faults: BTreeMap<String, String>,
}

/// A row of the week: name of the day, its word, and the names of its fields.
pub(super) struct DayRow {
    /// Its word.
    pub(super) word: String,
    /// Names of the fields of beginning and end, span by span.
    pub(super) spans: Vec<(String, String)>,
}

impl Sheet {
    /// What somebody typed.
    pub(super) fn typed(fields: BTreeMap<String, String>) -> Self {
        let fields = fields
            .into_iter()
            .map(|(name, text)| (name, text.trim().to_owned()))
            .collect();
        Self {
            fields,
            faults: BTreeMap::new(),
        }
    }

    /// Whether anything stands in it.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Writes a field.
    pub(super) fn set(&mut self, name: &str, text: impl ToString) {
        self.fields.insert(name.to_owned(), text.to_string());
    }

    /// Ticks a box.
    pub(super) fn tick(&mut self, name: &str, on: bool) {
        if on {
            self.set(name, "on");
        }
    }

    /// The text of a field.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Whether a box is ticked.
    pub(super) fn on(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// What is wrong with a field.
    pub(super) fn fault(&self, name: &str) -> Option<&str> {
        self.faults.get(name).map(String::as_str)
    }

    /// A number, or a fault for what is none; an empty field is none too.
    pub(super) fn number<T: FromStr + Default>(
        &self,
        field: &str,
        faults: &mut Vec<Fault>,
        (least, most): (u32, u32),
    ) -> T {
        let name = field.rsplit('.').next().unwrap_or(field);
        self.text(name).parse().unwrap_or_else(|_| {
            let field = field.to_owned();
            let problem = Problem::Range { least, most };
            faults.push(Fault { field, problem });
            T::default()
        })
    }

    /// Puts faults beside their fields; returns the words of those that belong to no field of this form.
    ///
    /// `prefix` is what stands before the names of this form's fields, such as `queues.tributos.`.
    pub(super) fn take_faults(&mut self, k: &Kit, prefix: &str, faults: Vec<Fault>) -> Vec<String> {
        let mut others = Vec::new();
        for fault in faults {
            let words = fault_words(k, &fault.problem);
            let name = fault
                .field
                .strip_prefix(prefix)
                .filter(|name| !name.contains('.'));
            match name {
                // A button asked for that, not a field.
                Some("retired") | None => others.push(words),
                Some(name) => {
                    self.faults.entry(name.to_owned()).or_insert(words);
                }
            }
        }
        others.dedup();
        others
    }

    /// Writes hours into the fields of a week.
    pub(super) fn set_week(&mut self, week: &Week) {
        let mut hours = Hours::default();
        for (days, spans) in week {
            for span in spans {
                // What nobody can read was refused when it was written.
                let _ = hours.add(days, span);
            }
        }
        let mut counts = BTreeMap::new();
        for (day, from, to) in hours.spans() {
            let day = day_name(day);
            let n = counts.entry(day).and_modify(|n| *n += 1).or_insert(0_usize);
            self.set(&format!("{day}-{n}-from"), from.strftime("%H:%M"));
            self.set(&format!("{day}-{n}-to"), to.strftime("%H:%M"));
        }
    }

    /// Reads the fields of a week; days with the same hours that follow each other are written once.
    pub(super) fn week(&self) -> Week {
        let of = |day: &str| -> Vec<String> {
            (0..SPANS_MAX)
                .map(|n| {
                    (
                        self.text(&format!("{day}-{n}-from")),
                        self.text(&format!("{day}-{n}-to")),
                    )
                })
                .filter(|(from, to)| !from.is_empty() || !to.is_empty())
                .map(|(from, to)| match (clock(from), clock(to)) {
                    (Some(from), Some(to)) => span_text(from, to),
                    _ => format!("{from}-{to}"),
                })
                .collect()
        };
        let mut week = Week::new();
        let mut at = 0;
        while at < DAYS.len() {
            let spans = of(DAYS[at].0);
            let mut last = at;
            while last + 1 < DAYS.len() && of(DAYS[last + 1].0) == spans {
                last += 1;
            }
            if !spans.is_empty() {
                let days = if last == at {
                    DAYS[at].0.to_owned()
                } else {
                    format!("{}-{}", DAYS[at].0, DAYS[last].0)
                };
                week.insert(days, spans);
            }
            at = last + 1;
        }
        week
    }

    /// The rows of a week's form.
    pub(super) fn days(&self, k: &Kit) -> Vec<DayRow> {
        let used = (0..SPANS_MAX)
            .rev()
            .find(|n| DAYS.iter().any(|(day, _)| self.on(&format!("{day}-{n}-from"))))
            .map_or(0, |n| n + 1);
        DAYS.iter()
            .map(|(day, word)| DayRow {
                word: k.say(word),
                spans: (0..used.max(SPANS))
                    .map(|n| (format!("{day}-{n}-from"), format!("{day}-{n}-to")))
                    .collect(),
            })
            .collect()
    }
}

/// `8:00`, `08:00` or `0800`.
fn clock(text: &str) -> Option<jiff::civil::Time> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let plain = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | 'h'));
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.as_str(), "0"),
        3 | 4 => digits.split_at(digits.len() - 2),
        _ => return None,
    };
    let time = jiff::civil::Time::new(hours.parse().ok()?, minutes.parse().ok()?, 0, 0);
    time.ok().filter(|_| plain)
}

fn day_name(day: Weekday) -> &'static str {
    usize::try_from(day.to_monday_zero_offset())
        .ok()
        .and_then(|at| DAYS.get(at))
        .map_or("mon", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(days: &[(&str, &[&str])]) -> Week {
        let spans = |spans: &[&str]| spans.iter().map(|span| (*span).to_owned()).collect();
        days.iter()
            .map(|(day, all)| ((*day).to_owned(), spans(all)))
            .collect()
    }

    #[test]
    fn a_week_comes_back_from_its_form_as_it_was() {
        for written in [
            week(&[
                ("mon-fri", &["08:00-12:30", "13:30-16:30"]),
                ("sat", &["09:00-12:00"]),
            ]),
            week(&[("sun", &["00:00-23:59"])]),
            Week::new(),
        ] {
            let mut sheet = Sheet::default();
            sheet.set_week(&written);
            assert_eq!(sheet.week(), written);
        }
        let mut sheet = Sheet::default();
        for (name, text) in [
            ("mon-0-from", "8"),
            ("mon-0-to", "1230"),
            ("tue-0-from", "8.00"),
            ("tue-0-to", "12:30"),
        ] {
            sheet.set(name, text);
        }
        assert_eq!(sheet.week(), week(&[("mon-tue", &["08:00-12:30"])]));
        sheet.set("mon-0-to", "tarde");
        assert_eq!(
            sheet.week()["mon"],
            ["8-tarde"],
            "what nobody can read is told back"
        );
    }
}
