//! What an expression evaluates to, and the conversions between kinds (XPath 1.0, with JavaRosa's dates).

use super::dates;
use super::tree::NodeRef;
use jiff::ZonedDateTime;
use jiff::civil::Date;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Number(f64),
    Bool(bool),
    Date(Date),
    Moment(Box<ZonedDateTime>),
    Nodes(Vec<NodeRef>),
}

/// Numbers closer than this are the same number, as in JavaRosa.
pub const NEAR: f64 = 1e-12;

impl Value {
    pub fn empty() -> Value {
        Value::Text(String::new())
    }

    /// The number of a value that is not a node set. A date is its whole days since 1970.
    pub fn number(&self) -> f64 {
        match self {
            Value::Text(text) => parse_number(text),
            Value::Number(value) => *value,
            Value::Bool(value) => f64::from(u8::from(*value)),
            Value::Date(date) => dates::days_since_epoch(*date),
            Value::Moment(moment) => dates::days_since_epoch(moment.date()),
            Value::Nodes(_) => f64::NAN,
        }
    }

    /// The truth of a value that is not a node set.
    pub fn truth(&self) -> bool {
        match self {
            Value::Text(text) => !text.is_empty(),
            Value::Number(value) => value.abs() > NEAR,
            Value::Bool(value) => *value,
            Value::Date(_) | Value::Moment(_) => true,
            Value::Nodes(nodes) => !nodes.is_empty(),
        }
    }

    /// The text of a value that is not a node set. JavaRosa writes only the day of a moment.
    pub fn text(self) -> String {
        match self {
            Value::Text(text) => text,
            Value::Number(value) => number_text(value),
            Value::Bool(value) => value.to_string(),
            Value::Date(date) => date.to_string(),
            Value::Moment(moment) => moment.date().to_string(),
            Value::Nodes(_) => String::new(),
        }
    }

    /// What is kept in a field that calculates this value: not-a-number is empty, a moment keeps its time and offset.
    pub fn stored(self) -> String {
        match self {
            Value::Number(value) if value.is_nan() => String::new(),
            // JavaRosa stores truth as 1 and 0.
            Value::Bool(value) => String::from(if value { "1" } else { "0" }),
            Value::Moment(moment) => dates::moment_text(&moment),
            other => other.text(),
        }
    }
}

/// Reads a number as XPath does: no exponent, no plus sign. A decimal comma is understood, as in JavaRosa.
pub fn parse_number(text: &str) -> f64 {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let separators = digits.chars().filter(|c| *c == '.' || *c == ',').count();
    let figures = digits.bytes().filter(u8::is_ascii_digit).count();
    if figures == 0 || separators > 1 || figures + separators != digits.len() {
        return f64::NAN;
    }
    text.replace(',', ".").parse().unwrap_or(f64::NAN)
}

/// Writes a number as XPath does: plain digits, no exponent, no trailing zeros.
pub fn number_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return String::from(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    // Minus zero is zero.
    format!("{}", value + 0.0)
}

/// Rounds half up at a decimal place, on the digits that are shown: 2.675 to two places is 2.68.
pub fn round_at(value: f64, places: i32) -> f64 {
    if !value.is_finite() {
        return value;
    }
    if !(-30..=30).contains(&places) {
        return f64::NAN;
    }
    // Shifting the written exponent rounds what the citizen reads, not its binary neighbour.
    let Ok(shifted) = format!("{value}e{places}").parse::<f64>() else {
        return value;
    };
    let rounded = if shifted.abs() < 9e15 {
        (shifted + 0.5).floor()
    } else {
        shifted
    };
    let rounded = if shifted == 0.499_999_999_999_999_94 {
        0.0
    } else {
        rounded
    };
    format!("{rounded}e{}", -places).parse::<f64>().unwrap_or(value) + 0.0
}
