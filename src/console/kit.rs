//! What every page of staff and waiting room is made with: words, icons, times.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tracing::error;

use crate::i18n::{self, Language};

/// Handed to each template as `k`.
#[derive(Clone, Debug)]
pub struct Kit {
    /// Language of the page.
    pub language: Language,
    /// Zone in which times are shown.
    pub zone: TimeZone,
    /// When the page is made.
    pub now: Timestamp,
    /// Name of the office.
    pub office: String,
}

macro_rules! icons {
    ($($name:literal),* $(,)?) => {
        /// Phosphor icons (MIT) used by console and board.
        fn path_of(name: &str) -> &'static str {
            match name {
                $($name => include_str!(concat!("../../ui/icons/", $name, ".svg")),)*
                _ => "",
            }
        }

        #[cfg(test)]
        const ICONS: &[&str] = &[$($name),*];
    };
}

icons!(
    "arrow-bend-up-right-bold",
    "arrow-counter-clockwise-bold",
    "arrow-left-bold",
    "bell-ringing-bold",
    "check-bold",
    "check-circle-fill",
    "circle-bold",
    "clock-bold",
    "cloud-check-bold",
    "coffee-bold",
    "eye-slash-bold",
    "file-text-bold",
    "floppy-disk-bold",
    "hand-tap-bold",
    "info-bold",
    "lock-key-bold",
    "lock-key-open-bold",
    "magnifying-glass-bold",
    "megaphone-bold",
    "pause-bold",
    "plugs-bold",
    "printer-bold",
    "question-bold",
    "scales-bold",
    "seal-check-bold",
    "sign-out-bold",
    "speaker-slash-bold",
    "star-fill",
    "storefront-bold",
    "user-bold",
    "user-minus-bold",
    "users-three-bold",
    "warning-bold",
    "x-bold",
);

impl Kit {
    /// The words of a key.
    pub fn say(&self, key: &str) -> String {
        i18n::say(self.language, key)
    }

    /// The words of a key with one value filled in.
    pub fn fill(&self, key: &str, name: &str, value: impl std::fmt::Display) -> String {
        i18n::fill(self.language, key, &[(name, &value.to_string())])
    }

    /// An icon drawn in the colour of the words beside it; always beside words, so hidden from readers.
    pub fn icon(&self, name: &str, size: u32) -> String {
        icon(name, size)
    }

    /// `10:42` in the office's zone.
    pub fn clock(&self, at: &Timestamp) -> String {
        self.zone.to_datetime(*at).strftime("%H:%M").to_string()
    }

    /// `24/11/2026` in the office's zone.
    pub fn day(&self, at: &Timestamp) -> String {
        self.zone.to_datetime(*at).strftime("%d/%m/%Y").to_string()
    }

    /// `23 min`, rounded down; never negative.
    pub fn minutes(&self, time: &SignedDuration) -> String {
        format!("{} min", minutes(*time))
    }

    /// `04:12` of minutes and seconds since `at`.
    pub fn timer(&self, since: &Timestamp) -> String {
        let seconds = self.now.duration_since(*since).as_secs().max(0);
        format!("{:02}:{:02}", seconds / 60, seconds % 60)
    }

    /// The other language of the staff's pages: its code, and its name in itself.
    pub fn other_language(&self) -> (&'static str, String) {
        let other = i18n::CONSOLE
            .into_iter()
            .find(|language| *language != self.language)
            .unwrap_or(self.language);
        (other.code(), i18n::say(other, "language-name"))
    }

    /// Milliseconds since the epoch, for the timer that runs on in the page.
    pub fn millis(&self, at: &Timestamp) -> i64 {
        at.as_millisecond()
    }
}

/// Whole minutes, never negative.
pub fn minutes(time: SignedDuration) -> i64 {
    (time.as_secs() / 60).max(0)
}

/// One icon as inline SVG.
pub fn icon(name: &str, size: u32) -> String {
    let svg = path_of(name);
    debug_assert!(!svg.is_empty(), "no icon {name}");
    svg.replacen(
        "<svg ",
        &format!("<svg class=\"i\" width=\"{size}\" height=\"{size}\" aria-hidden=\"true\" "),
        1,
    )
}

/// A text as a QR code in SVG, black on white with its quiet zone; none where it is too long for one.
pub fn qr(text: &str, square: usize) -> Option<String> {
    const QUIET: usize = 4;
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).ok()?;
    let (width, side) = (code.width(), (code.width() + 2 * QUIET) * square);
    let mut path = String::new();
    for y in 0..width {
        for x in (0..width).filter(|x| code[(*x, y)] == qrcode::Color::Dark) {
            let (left, top) = ((x + QUIET) * square, (y + QUIET) * square);
            path.push_str(&format!("M{left} {top}h{square}v{square}h-{square}z"));
        }
    }
    Some(format!(
        "<svg width=\"{side}\" height=\"{side}\" role=\"img\" aria-label=\"QR\" shape-rendering=\"crispEdges\"><path \
         d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

/// Answers with a page.
pub fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (
            [(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            )],
            html,
        )
            .into_response(),
        Err(problem) => {
            error!(error = %problem, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_is_a_drawing_without_a_colour_of_its_own() {
        for name in ICONS {
            let svg = icon(name, 20);
            assert!(svg.starts_with("<svg class=\"i\" width=\"20\""), "{name}");
            assert!(svg.contains("currentColor"), "{name}");
        }
    }
}
