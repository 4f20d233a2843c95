//! The newest lines of this program's log, kept in memory for whoever looks after it from afar.
//!
//! Our logs hold nothing personal; should a library's line ever do, long numbers and addresses of people are taken
//! out here before a line is kept. Begin at [`Kept`].

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::clock::Clock;

/// Lines that are kept.
const LINES: usize = 600;
/// Longest line, in characters.
const LINE_MAX: usize = 300;
/// Digits in a row that may be part of somebody's number: an identity card has ten.
const DIGITS_MAX: usize = 6;

static KEPT: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// A layer that keeps the newest lines of level info and above.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept;

impl<S: Subscriber> Layer<S> for Kept {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::INFO {
            return;
        }
        let mut words = Words::default();
        event.record(&mut words);
        let at = Clock::System.now().strftime("%Y-%m-%dT%H:%M:%SZ");
        let target = event.metadata().target();
        keep(&format!(
            "{at} {level} {target} {}{}",
            words.message, words.fields
        ));
    }
}

#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}

fn keep(line: &str) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= LINES {
        kept.pop_front();
    }
    kept.push_back(cleaned(line));
}

/// The lines, oldest first.
pub fn text() -> String {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.iter().fold(String::new(), |mut text, line| {
        text.push_str(line);
        text.push('\n');
        text
    })
}

/// A line without what may be somebody's number or address.
fn cleaned(line: &str) -> String {
    let mut text = String::new();
    // The moment that the line begins with is ours.
    let (moment, rest) = line.split_at_checked(20).unwrap_or(("", line));
    text.push_str(moment);
    for word in rest.split_inclusive([' ', ',', '=', '"']) {
        let mut run = 0;
        let long = word.chars().any(|c| {
            run = if c.is_ascii_digit() || (run > 0 && c == '-') {
                run + 1
            } else {
                0
            };
            run > DIGITS_MAX
        });
        if word.contains('@') || (long && !is_id(word)) {
            text.push('…');
            text.extend(
                word.chars()
                    .next_back()
                    .filter(|c| [' ', ',', '=', '"'].contains(c)),
            );
        } else {
            text.push_str(word);
        }
    }
    text.chars().take(LINE_MAX).collect()
}

/// Whether a word is one of our own ids, which say nothing of anybody.
fn is_id(word: &str) -> bool {
    word.trim_end_matches([' ', ',', '=', '"'])
        .parse::<uuid::Uuid>()
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_somebodys_number_or_address_is_not_kept() {
        let line =
            "2026-11-24T14:00:00Z WARN ventanilla the page at 171234567-8 of ana@example.org, port 18090";
        let clean = cleaned(line);
        assert_eq!(
            clean,
            "2026-11-24T14:00:00Z WARN ventanilla the page at … of …, port 18090"
        );
        let id = "2026-11-24T14:00:00Z INFO ventanilla order=018f0000-0000-7000-8000-000000000000 done";
        assert_eq!(cleaned(id), id);
        assert_eq!(cleaned(&"x".repeat(400)).chars().count(), LINE_MAX);
    }

    #[test]
    fn the_newest_lines_are_kept() {
        use tracing_subscriber::prelude::*;
        let subscriber = tracing_subscriber::registry().with(Kept);
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..LINES + 5 {
                tracing::info!(n, "a line of this very test");
            }
            tracing::debug!("a quiet line of this very test");
        });
        let text = text();
        let ours = || text.lines().filter(|line| line.contains("of this very test"));
        assert!(ours().count() <= LINES && ours().next_back().is_some_and(|line| line.ends_with("n=604")));
        assert!(!text.contains("a quiet line"));
    }
}
