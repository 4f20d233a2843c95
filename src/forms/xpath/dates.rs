//! Dates as ODK forms use them: days since 1970, decimal days, and `%`-formats in the citizen's language.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

const MILLIS_PER_DAY: f64 = 86_400_000.0;

pub fn days_since_epoch(date: Date) -> f64 {
    let span = date
        .since(Date::constant(1970, 1, 1))
        .map(|s| s.get_days())
        .unwrap_or(0);
    f64::from(span)
}

/// The day so many days after 1970-01-01, or nothing outside the calendar.
pub fn date_from_days(days: f64) -> Option<Date> {
    if !days.is_finite() || days.abs() > 4_000_000.0 {
        return None;
    }
    let span = jiff::Span::new().try_days(days.floor() as i64).ok()?;
    Date::constant(1970, 1, 1).checked_add(span).ok()
}

pub fn moment_from_days(days: f64, zone: &TimeZone) -> Option<ZonedDateTime> {
    if !days.is_finite() || days.abs() > 4_000_000.0 {
        return None;
    }
    let stamp = Timestamp::from_millisecond((days * MILLIS_PER_DAY).round() as i64).ok()?;
    Some(stamp.to_zoned_datetime(zone.clone()))
}

pub fn decimal_days(moment: &ZonedDateTime) -> f64 {
    moment.timestamp().as_millisecond() as f64 / MILLIS_PER_DAY
}

/// Reads `2026-11-24`, or the day of a moment as the zone sees it.
pub fn parse_date(text: &str, zone: &TimeZone) -> Option<Date> {
    let text = text.trim();
    if text.len() == 10 {
        text.parse().ok()
    } else {
        parse_moment(text, zone).map(|m| m.date())
    }
}

/// Reads a moment with or without offset; a bare day is its midnight.
pub fn parse_moment(text: &str, zone: &TimeZone) -> Option<ZonedDateTime> {
    let text = text.trim();
    if text.len() == 10 {
        let date: Date = text.parse().ok()?;
        return date.to_zoned_datetime(zone.clone()).ok();
    }
    if text.get(10..11)? != "T" {
        return None;
    }
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp.to_zoned_datetime(zone.clone()));
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    local.to_zoned_datetime(zone.clone()).ok()
}

/// Reads the time of day at the head of `10:30`, `10:30:00.000-05:00`.
pub fn parse_time(text: &str) -> Option<Time> {
    let text = text.trim();
    let end = text.find(['Z', '+', '-']).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// `2026-11-24T06:25:42.077-05:00`
pub fn moment_text(moment: &ZonedDateTime) -> String {
    let seconds = moment.offset().seconds();
    let local = moment.strftime("%Y-%m-%dT%H:%M:%S");
    let millis = moment.millisecond();
    if seconds == 0 {
        return format!("{local}.{millis:03}Z");
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{local}.{millis:03}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Refuses an escape that would print nonsense.
pub(super) fn check_format(format: &str) -> Result<(), String> {
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c == '%' {
            let escape = chars.next();
            if !escape.is_some_and(|e| "%YymnbdeHhMS3a".contains(e)) {
                let shown = escape.map(String::from).unwrap_or_default();
                return Err(format!(
                    "`%{shown}` is not a date escape; use %Y %m %n %b %d %e %a %H %h %M %S %3"
                ));
            }
        }
    }
    Ok(())
}

pub fn format_moment(moment: &ZonedDateTime, format: &str, language: &str) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('Y') => out.push_str(&format!("{:04}", moment.year())),
            Some('y') => out.push_str(&format!("{:02}", moment.year() % 100)),
            Some('m') => out.push_str(&format!("{:02}", moment.month())),
            Some('n') => out.push_str(&moment.month().to_string()),
            Some('b') => out.push_str(month(moment.month(), language)),
            Some('d') => out.push_str(&format!("{:02}", moment.day())),
            Some('e') => out.push_str(&moment.day().to_string()),
            Some('H') => out.push_str(&format!("{:02}", moment.hour())),
            Some('h') => out.push_str(&moment.hour().to_string()),
            Some('M') => out.push_str(&format!("{:02}", moment.minute())),
            Some('S') => out.push_str(&format!("{:02}", moment.second())),
            Some('3') => out.push_str(&format!("{:03}", moment.millisecond())),
            Some('a') => out.push_str(weekday(moment.weekday().to_monday_zero_offset(), language)),
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

fn month(number: i8, language: &str) -> &'static str {
    const EN: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    const ES: [&str; 12] = [
        "ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic",
    ];
    let at = usize::try_from(number - 1).unwrap_or(0).min(11);
    if spanish(language) { ES[at] } else { EN[at] }
}

fn weekday(from_monday: i8, language: &str) -> &'static str {
    const EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const ES: [&str; 7] = ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"];
    let at = usize::try_from(from_monday).unwrap_or(0).min(6);
    if spanish(language) { ES[at] } else { EN[at] }
}

/// Kichwa speakers in Quito read Spanish month names in official papers.
fn spanish(language: &str) -> bool {
    matches!(language, "es" | "qu" | "qug")
}

/// Whole years between two days.
pub fn years_between(birth: Date, on: Date) -> Option<f64> {
    if on < birth {
        return None;
    }
    let had_birthday = (on.month(), on.day()) >= (birth.month(), birth.day());
    let years = i32::from(on.year()) - i32::from(birth.year()) - i32::from(!had_birthday);
    Some(f64::from(years))
}
