//! A long list of choices: what is written to find one, and what it finds.

use super::super::Key;
use super::super::search_box::{Accepts, Typing};
use crate::domain::search::Lines;
use crate::forms::Choice;

/// Longer lists can be searched.
const LONG: usize = 12;
/// Nobody writes more to find a line.
const QUERY_MOST: usize = 40;

/// The search in the choices of one question.
#[derive(Default)]
pub(super) struct List {
    /// Made when somebody first searches.
    lines: Option<Lines>,
    typing: Typing,
    /// The keyboard is on the screen.
    open: bool,
    /// Places in the list, the best first.
    found: Vec<usize>,
}

impl List {
    /// Whether so many choices need a search.
    pub(super) fn is_long(choices: usize) -> bool {
        choices > LONG
    }

    /// Whether the keyboard is on the screen.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Brings the keyboard.
    pub(super) fn open(&mut self, choices: &[Choice]) {
        if !Self::is_long(choices.len()) {
            return;
        }
        self.lines
            .get_or_insert_with(|| Lines::new(choices.iter().map(|choice| choice.label.as_str())));
        if self.typing.text().is_empty() {
            self.typing = Typing::new("", Accepts::Plain, QUERY_MOST);
        }
        self.open = true;
    }

    /// Takes the keyboard away; what was found stays.
    pub(super) fn close(&mut self) {
        self.open = false;
    }

    pub(super) fn typed(&mut self, letters: &str) {
        self.typing.typed(letters);
        self.look();
    }

    pub(super) fn key(&mut self, key: Key) {
        self.typing.key(key);
        self.look();
    }

    pub(super) fn typing(&self) -> &Typing {
        &self.typing
    }

    /// What is written, without outer spaces.
    pub(super) fn query(&self) -> &str {
        self.typing.text().trim()
    }

    /// Places in the list that answer what is written; `None` while nothing is.
    pub(super) fn found(&self) -> Option<&[usize]> {
        (!self.query().is_empty()).then_some(self.found.as_slice())
    }

    fn look(&mut self) {
        self.found = match &self.lines {
            Some(lines) => lines.find(self.typing.text()),
            None => Vec::new(),
        };
    }
}
