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
    /// Nothing to answer: something to read.
    Read,
    /// Letters.
    Letters,
    /// An e-mail address.
    Email,
    /// Digits, this many at most.
    Digits { most: usize, exact: bool },
    /// Day, month and year as eight digits: three columns of buttons would need seventy touches for a year of birth.
    Date,
    /// Digits with a decimal comma.
    Money,
}

impl Way {
    pub(super) fn of(question: &Question) -> Self {
        let looks = |name: &str| question.appearance.iter().any(|appearance| appearance == name);
        match question.kind {
            Kind::SelectOne | Kind::Acknowledge => Self::One,
            Kind::SelectMultiple | Kind::Rank => Self::Several,
            Kind::Note => Self::Read,
            Kind::Date => Self::Date,
            Kind::Decimal => Self::Money,
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
            Kind::Integer | Kind::Range => Self::Digits {
                most: 9,
                exact: false,
            },
            _ if looks("email") => Self::Email,
            Kind::Text | Kind::Time | Kind::DateTime | Kind::Barcode => Self::Letters,
            Kind::Picture | Kind::Signature | Kind::Unsupported(_) => Self::Letters,
        }
    }

    pub(super) fn keyboard(self) -> Option<KeyboardKind> {
        match self {
            Self::One | Self::Several | Self::Read => None,
            Self::Letters => Some(KeyboardKind::Text),
            Self::Email => Some(KeyboardKind::Email),
            Self::Digits { .. } | Self::Date => Some(KeyboardKind::Digits),
            Self::Money => Some(KeyboardKind::Money),
        }
    }

    /// A field that begins with what was answered before.
    pub(super) fn typing(self, value: &str) -> Typing {
        match self {
            Self::One | Self::Several | Self::Read => Typing::default(),
            Self::Letters => Typing::new(value, Accepts::Text, 2000),
            Self::Email => Typing::new(value, Accepts::Plain, 120),
            Self::Digits { most, .. } => Typing::new(value, Accepts::Digits, most),
            Self::Money => Typing::new(&value.replace('.', ","), Accepts::Money, 12),
            Self::Date => Typing::new(&iso_to_digits(value), Accepts::Digits, 8),
        }
    }

    /// What was typed as the form keeps it, or nothing where it is no such thing.
    pub(super) fn value(self, typed: &str) -> Option<String> {
        match self {
            Self::Date if typed.is_empty() => Some(String::new()),
            Self::Date => digits_to_date(typed).map(|date| date.to_string()),
            Self::Money => Some(typed.trim_end_matches(',').replace(',', ".")),
            _ => Some(typed.trim().to_owned()),
        }
    }

    /// What was typed as it reads best while it grows.
    pub(super) fn grouped(self, typed: &str) -> String {
        match self {
            Self::Date => {
                let part = |from: usize, to: usize| {
                    typed
                        .get(from.min(typed.len())..to.min(typed.len()))
                        .unwrap_or("")
                };
                let parts = [part(0, 2), part(2, 4), part(4, 8)];
                parts
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join(" / ")
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
    }

    #[test]
    fn an_answer_comes_back_into_its_field() {
        assert_eq!(Way::Date.typing("1954-08-05").text(), "05081954");
        assert_eq!(Way::Money.typing("470.50").text(), "470,50");
    }
}
