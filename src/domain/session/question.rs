//! How an answer is typed: which keys, how many, and how it reads while it grows.

use jiff::civil::Date;

use super::search_box::{Accepts, Typing};
use super::view::KeyboardKind;
use crate::forms::{Kind, Question};

/// The way an answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// One of the choices.
    One,
    /// Several of them.
    Several,
    /// All of them, in an order.
    Order,
    /// A place on a scale.
    Scale,
    /// Yes, I confirm.
    Confirm,
    /// Nothing to answer: something to read.
    Read,
    /// Drawn with a finger, or signed at the counter.
    Sign,
    /// Brought to the counter: a kiosk has no camera, and some things it cannot ask.
    Bring,
    /// Letters.
    Letters,
    /// Capital letters and digits, as on a number plate.
    Code,
    /// An e-mail address.
    Email,
    /// Digits, this many at most.
    Digits { most: usize, exact: bool },
    /// Day, month and year as eight digits: three columns of buttons would need seventy touches for a year of birth.
    Date,
    /// Hours and minutes as four digits.
    Time,
    /// Day and time as twelve digits.
    Moment,
    /// Dollars with a decimal comma.
    Money,
    /// Digits with a decimal comma.
    Number,
}

/// A scale from one number to another, in equal steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    start: f64,
    step: f64,
    /// How many steps lead from the start to the end; at least one.
    steps: usize,
    /// Places behind the comma.
    places: usize,
}

/// More steps than any scale needs; a finer one is walked in larger steps.
const STEPS_MOST: f64 = 10_000.0;
/// As many stops stand in a row under a scale.
const STOPS: usize = 9;

impl Scale {
    /// The scale of a question; one that makes no sense is 0 to 10.
    pub(super) fn of(question: &Question) -> Self {
        let (start, end, step) = question.range.unwrap_or((0.0, 10.0, 1.0));
        let count = ((end - start) / step).abs();
        if !count.is_finite() || !(1.0..=STEPS_MOST).contains(&count) || !start.is_finite() {
            return Self {
                start: 0.0,
                step: 1.0,
                steps: 10,
                places: 0,
            };
        }
        let step = step.abs() * (end - start).signum();
        let places = [step, start]
            .map(|number| {
                let text = format!("{number}");
                text.split_once('.').map_or(0, |(_, places)| places.len())
            })
            .into_iter()
            .max()
            .unwrap_or(0)
            .min(6);
        Self {
            start,
            step,
            // A last step that is cut short is none.
            steps: (count + 1e-9).floor() as usize,
            places,
        }
    }

    /// The value after `at` steps, as the form keeps it.
    pub(super) fn value(&self, at: usize) -> String {
        let places = self.places;
        format!("{:.places$}", self.start + self.step * at.min(self.steps) as f64)
    }

    /// The same as people read it.
    pub(super) fn shown(&self, at: usize) -> String {
        self.value(at).replace('.', ",")
    }

    /// How many steps lead to a stored value.
    pub(super) fn place(&self, value: &str) -> Option<usize> {
        let number: f64 = value.parse().ok()?;
        let at = ((number - self.start) / self.step).round();
        (0.0..=self.steps as f64).contains(&at).then_some(at as usize)
    }

    pub(super) fn last(&self) -> usize {
        self.steps
    }

    /// The places to jump to, evenly spread, with both ends.
    pub(super) fn stops(&self) -> Vec<usize> {
        let wide = (1..=self.steps)
            .find(|wide| self.steps.is_multiple_of(*wide) && self.steps / wide < STOPS)
            .unwrap_or(self.steps);
        // Steps that divide badly have only their ends and the middle.
        if self.steps / wide < 2 && self.steps > 2 {
            return vec![0, self.steps / 2, self.steps];
        }
        (0..=self.steps / wide).map(|at| at * wide).collect()
    }
}

impl Way {
    pub(super) fn of(question: &Question) -> Self {
        let looks = |name: &str| question.appearance.iter().any(|appearance| appearance == name);
        match question.kind {
            // What the form fills in is read.
            _ if question.readonly => Self::Read,
            Kind::SelectOne => Self::One,
            Kind::Acknowledge => Self::Confirm,
            Kind::SelectMultiple => Self::Several,
            Kind::Rank => Self::Order,
            Kind::Range => Self::Scale,
            Kind::Signature => Self::Sign,
            Kind::Picture | Kind::Unsupported(_) => Self::Bring,
            Kind::Note => Self::Read,
            Kind::Date => Self::Date,
            Kind::Time => Self::Time,
            Kind::DateTime => Self::Moment,
            Kind::Decimal if looks("money") => Self::Money,
            Kind::Decimal => Self::Number,
            _ if looks("cedula") => Self::Digits {
                most: 10,
                exact: true,
            },
            _ if looks("ruc") => Self::Digits {
                most: 13,
                exact: true,
            },
            _ if looks("phone") => Self::Digits {
                most: 10,
                exact: false,
            },
            _ if looks("predio") => Self::Digits {
                most: 8,
                exact: false,
            },
            _ if looks("money") => Self::Money,
            _ if looks("year") => Self::Digits { most: 4, exact: true },
            _ if looks("digits") || looks("numbers") => Self::Digits {
                most: 18,
                exact: false,
            },
            Kind::Integer => Self::Digits {
                most: 9,
                exact: false,
            },
            _ if looks("email") => Self::Email,
            _ if looks("plate") => Self::Code,
            Kind::Text | Kind::Barcode => Self::Letters,
        }
    }

    pub(super) fn keyboard(self) -> Option<KeyboardKind> {
        match self {
            Self::One
            | Self::Several
            | Self::Order
            | Self::Scale
            | Self::Confirm
            | Self::Read
            | Self::Sign
            | Self::Bring => None,
            Self::Letters | Self::Code => Some(KeyboardKind::Text),
            Self::Email => Some(KeyboardKind::Email),
            Self::Digits { .. } | Self::Date | Self::Time | Self::Moment => Some(KeyboardKind::Digits),
            Self::Money | Self::Number => Some(KeyboardKind::Money),
        }
    }

    /// A field that begins with what was answered before.
    pub(super) fn typing(self, value: &str) -> Typing {
        match self {
            Self::One
            | Self::Several
            | Self::Order
            | Self::Scale
            | Self::Confirm
            | Self::Read
            | Self::Sign
            | Self::Bring => Typing::default(),
            Self::Letters => Typing::new(value, Accepts::Text, 2000),
            Self::Code => Typing::new(value, Accepts::Code, 8),
            Self::Email => Typing::new(value, Accepts::Plain, 120),
            Self::Digits { most, .. } => Typing::new(value, Accepts::Digits, most),
            Self::Money => Typing::new(&value.replace('.', ","), Accepts::Money, 12),
            Self::Number => Typing::new(&value.replace('.', ","), Accepts::Number, 15),
            Self::Date => Typing::new(&iso_to_digits(value), Accepts::Digits, 8),
            Self::Time => Typing::new(&time_to_digits(value), Accepts::Digits, 4),
            Self::Moment => Typing::new(
                &format!(
                    "{}{}",
                    iso_to_digits(value.get(..10).unwrap_or("")),
                    time_to_digits(value.get(11..).unwrap_or(""))
                ),
                Accepts::Digits,
                12,
            ),
        }
    }

    /// What was typed as the form keeps it, or nothing where it is no such thing.
    pub(super) fn value(self, typed: &str) -> Option<String> {
        match self {
            Self::Date | Self::Time | Self::Moment if typed.is_empty() => Some(String::new()),
            Self::Date => digits_to_date(typed).map(|date| date.to_string()),
            Self::Time => digits_to_time(typed),
            Self::Moment => {
                let date = digits_to_date(typed.get(..8)?)?;
                Some(format!("{date}T{}", digits_to_time(typed.get(8..)?)?))
            }
            Self::Money | Self::Number => Some(typed.trim_end_matches(',').replace(',', ".")),
            _ => Some(typed.trim().to_owned()),
        }
    }

    /// What was typed as it reads best while it grows.
    pub(super) fn grouped(self, typed: &str) -> String {
        match self {
            Self::Date => parted(typed, &[2, 4, 8], " / "),
            Self::Time => parted(typed, &[2, 4], " : "),
            Self::Moment => {
                let (date, time) = typed.split_at(typed.len().min(8));
                let (date, time) = (parted(date, &[2, 4, 8], " / "), parted(time, &[2, 4], " : "));
                format!("{date}   {time}").trim_end().to_owned()
            }
            Self::Money if !typed.is_empty() => {
                let (whole, places) = typed
                    .split_once(',')
                    .map_or((typed, None), |(whole, places)| (whole, Some(places)));
                let grouped = thousands(whole);
                match places {
                    Some(places) => format!("USD {grouped},{places}"),
                    None => format!("USD {grouped}"),
                }
            }
            _ => typed.to_owned(),
        }
    }
}

/// Digits cut at these places.
fn parted(typed: &str, ends: &[usize], between: &str) -> String {
    let mut from = 0;
    let mut parts = Vec::new();
    for end in ends {
        let end = (*end).min(typed.len());
        parts.extend(typed.get(from..end).filter(|part| !part.is_empty()));
        from = end;
    }
    parts.join(between)
}

/// `2350` as `2.350`.
fn thousands(digits: &str) -> String {
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    grouped
}

fn iso_to_digits(value: &str) -> String {
    value
        .parse::<Date>()
        .map(|date| date.strftime("%d%m%Y").to_string())
        .unwrap_or_default()
}

fn time_to_digits(value: &str) -> String {
    let digits = |from: usize, to: usize| value.get(from..to).filter(|part| part.len() == 2);
    match (digits(0, 2), value.get(2..3), digits(3, 5)) {
        (Some(hour), Some(":"), Some(minute)) => format!("{hour}{minute}"),
        (_, _, _) => String::new(),
    }
}

fn digits_to_time(typed: &str) -> Option<String> {
    let (hour, minute) = (typed.get(..2)?, typed.get(2..)?);
    let right = typed.len() == 4 && hour.parse::<u8>().ok()? < 24 && minute.parse::<u8>().ok()? < 60;
    right.then(|| format!("{hour}:{minute}:00.000"))
}

fn digits_to_date(typed: &str) -> Option<Date> {
    if typed.len() != 8 {
        return None;
    }
    let number = |from: usize, to: usize| typed.get(from..to)?.parse::<i16>().ok();
    let small = |n: i16| i8::try_from(n).ok();
    Date::new(number(4, 8)?, small(number(2, 4)?)?, small(number(0, 2)?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(way: Way, typed: &str, grouped: &str, value: Option<&str>) {
        assert_eq!(way.grouped(typed), grouped);
        assert_eq!(way.value(typed).as_deref(), value);
    }

    #[test]
    fn what_is_typed_reads_well_and_is_kept_plainly() {
        check(Way::Date, "0508", "05 / 08", None);
        check(Way::Date, "05081954", "05 / 08 / 1954", Some("1954-08-05"));
        check(Way::Date, "31021954", "31 / 02 / 1954", None);
        check(Way::Money, "235000,5", "USD 235.000,5", Some("235000.5"));
        check(Way::Money, "470,", "USD 470,", Some("470"));
        check(Way::Letters, " Ñusta ", " Ñusta ", Some("Ñusta"));
        check(Way::Number, "1250,5", "1250,5", Some("1250.5"));
        check(Way::Time, "09", "09", None);
        check(Way::Time, "0930", "09 : 30", Some("09:30:00.000"));
        check(Way::Time, "2460", "24 : 60", None);
        check(Way::Time, "", "", Some(""));
        check(Way::Moment, "0508195409", "05 / 08 / 1954   09", None);
        check(
            Way::Moment,
            "050819540930",
            "05 / 08 / 1954   09 : 30",
            Some("1954-08-05T09:30:00.000"),
        );
    }

    #[test]
    fn a_scale_has_stops_and_steps() {
        let scale = |start: f64, end: f64, step: f64| {
            let count = ((end - start) / step).abs();
            Scale {
                start,
                step: step.abs() * (end - start).signum(),
                steps: count as usize,
                places: usize::from(step.fract() != 0.0),
            }
        };
        let ten = scale(0.0, 10.0, 1.0);
        assert_eq!(ten.stops(), [0, 2, 4, 6, 8, 10]);
        assert_eq!(
            (ten.value(3), ten.place("3"), ten.place("11")),
            ("3".into(), Some(3), None)
        );
        let half = scale(1.0, 3.0, 0.5);
        assert_eq!(half.stops(), [0, 1, 2, 3, 4]);
        assert_eq!((half.value(1), half.shown(1)), ("1.5".into(), "1,5".into()));
        let down = scale(5.0, 1.0, 1.0);
        assert_eq!((down.value(4), down.place("2")), ("1".into(), Some(3)));
        assert_eq!(scale(0.0, 13.0, 1.0).stops(), [0, 6, 13]);
        assert_eq!(scale(0.0, 1.0, 1.0).stops(), [0, 1]);
    }

    #[test]
    fn an_answer_comes_back_into_its_field() {
        assert_eq!(Way::Date.typing("1954-08-05").text(), "05081954");
        assert_eq!(Way::Money.typing("470.50").text(), "470,50");
        assert_eq!(Way::Number.typing("0.125").text(), "0,125");
        assert_eq!(Way::Time.typing("09:30:00.000-05:00").text(), "0930");
        assert_eq!(
            Way::Moment.typing("1954-08-05T09:30:00.000").text(),
            "050819540930"
        );
    }
}
