//! Letters typed on the screen, wherever a screen has a field.

use zeroize::Zeroizing;

use super::Key;

/// What is being typed; wiped from memory when it goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Typing {
    text: Zeroizing<String>,
    /// The next letter is a capital.
    pub(super) shift: bool,
    /// The top row shows digits.
    pub(super) digits: bool,
    /// Nothing longer is taken.
    limit: usize,
    accepts: Accepts,
    /// Something is wrong with it, in words.
    pub(super) wrong: Option<String>,
}

/// Which characters a field takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Accepts {
    /// Anything a keyboard gives but control characters.
    #[default]
    Text,
    /// The same, and the first letter is not made large.
    Plain,
    /// Digits.
    Digits,
    /// Digits and one decimal comma with two places.
    Money,
    /// Digits and one decimal comma.
    Number,
    /// Letters and digits, made capital.
    Code,
}

impl Typing {
    pub(super) fn new(text: &str, accepts: Accepts, limit: usize) -> Self {
        let mut typing = Self {
            limit,
            accepts,
            ..Self::default()
        };
        typing.text.push_str(text);
        typing.capital();
        typing
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Takes what a keyboard gave; what does not fit is left out.
    pub(super) fn typed(&mut self, letters: &str) {
        for letter in letters.chars() {
            if letter == '\u{8}' {
                self.key(Key::Back);
                continue;
            }
            if self.text.chars().count() >= self.limit || letter.is_control() {
                continue;
            }
            let letter = match self.accepts {
                Accepts::Text | Accepts::Plain if self.shift => {
                    letter.to_uppercase().next().unwrap_or(letter)
                }
                Accepts::Text | Accepts::Plain => letter,
                Accepts::Digits if letter.is_ascii_digit() => letter,
                Accepts::Money | Accepts::Number => match self.money(letter) {
                    Some(letter) => letter,
                    None => continue,
                },
                Accepts::Code if letter.is_ascii_alphanumeric() => letter.to_ascii_uppercase(),
                Accepts::Digits | Accepts::Code => continue,
            };
            // A double space is never meant.
            if letter == ' ' && (self.text.is_empty() || self.text.ends_with(' ')) {
                continue;
            }
            self.text.push(letter);
            self.shift = false;
        }
        self.wrong = None;
    }

    fn money(&self, letter: char) -> Option<char> {
        let places = self.text.split_once(',').map(|(_, places)| places.len());
        match letter {
            '0'..='9' if self.accepts == Accepts::Number || places.is_none_or(|n| n < 2) => Some(letter),
            ',' | '.' if places.is_none() && !self.text.is_empty() => Some(','),
            _ => None,
        }
    }

    pub(super) fn key(&mut self, key: Key) {
        match key {
            Key::Shift => self.shift = !self.shift,
            Key::Digits => self.digits = !self.digits,
            Key::Back => {
                self.text.pop();
                self.wrong = None;
                self.capital();
            }
            Key::Clear => {
                self.text.clear();
                self.wrong = None;
                self.capital();
            }
            Key::Enter => {}
        }
    }

    fn capital(&mut self) {
        self.shift = self.text.is_empty() && self.accepts == Accepts::Text;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accepts: Accepts, typed: &str, expected: &str) {
        let mut typing = Typing::new("", accepts, 12);
        typing.typed(typed);
        assert_eq!(typing.text(), expected);
    }

    #[test]
    fn a_field_takes_what_it_is_for() {
        check(Accepts::Text, "ñusta", "Ñusta");
        check(Accepts::Plain, "luae", "luae");
        check(Accepts::Digits, "17-14 a", "1714");
        check(Accepts::Money, "470.5099", "470,50");
        check(Accepts::Money, ",5,,1", "5,1");
        check(Accepts::Number, "470.5099", "470,5099");
        check(Accepts::Code, "qt7m-4k2p", "QT7M4K2P");
        check(Accepts::Text, "uno  \u{1b}dos", "Uno dos");
        check(Accepts::Digits, "1234567890123", "123456789012");
    }
}
