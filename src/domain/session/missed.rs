//! «Me llamaron y no estuve»: a turn of today by the number on its paper, and back into the line with it.
//!
//! The office decides who may come back; here the number is typed and the answer is put into words.

use super::draw::Draw;
use super::finish::{self, Answer};
use super::search_box::Typing;
use super::view::{Block, Face, KeyboardKind, TextSize, Tone, View};
use super::{Effect, Input, Key, Session, State, TurnFound};

/// Letters and digits of the longest number: `AB1234`.
pub(super) const LONGEST: usize = 6;
/// Numbers that one citizen may ask for; more than a mistyped one or two is guessing.
const ASKED_MOST: u8 = 5;

/// A number as the office writes it, `T-018`, from what was typed; nothing where it is no number of a turn.
pub(super) fn number(typed: &str) -> Option<String> {
    let typed: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
    let digits = typed.find(|c: char| c.is_ascii_digit())?;
    let (series, digits) = typed.split_at(digits);
    let fits = (1..=2).contains(&series.len())
        && (1..=4).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit());
    let n: u32 = digits.parse().ok().filter(|_| fits)?;
    Some(format!("{}-{n:03}", series.to_ascii_uppercase()))
}

impl Session {
    pub(super) fn step_missed(&mut self, input: Input) -> Vec<Effect> {
        let wrong = crate::i18n::say(self.language(), "missed-wrong");
        let State::Missed(typing) = &mut self.state else {
            return Vec::new();
        };
        match input {
            Input::Typed(letters) => typing.typed(&letters),
            Input::Key(Key::Enter) | Input::Continue => {
                if number(typing.text()).is_some() {
                    return self.ask_turn();
                }
                typing.wrong = Some(wrong);
            }
            Input::Key(key) => typing.key(key),
            Input::Back => self.state = State::TurnQueue { page: 0 },
            Input::Home => self.go_home(),
            // A touch meant for a screen that is gone.
            _ => {}
        }
        Vec::new()
    }

    /// Asks the office about the number that stands in the field.
    pub(super) fn ask_turn(&mut self) -> Vec<Effect> {
        let (State::Missed(typing) | State::Code(typing)) = &self.state else {
            return Vec::new();
        };
        let Some(number) = number(typing.text()) else {
            return Vec::new();
        };
        if self.turns_asked >= ASKED_MOST {
            self.state = State::Answer(Box::new(Answer::asked_too_often()));
            return Vec::new();
        }
        self.turns_asked += 1;
        self.state = State::Looking;
        vec![Effect::LookUpTurn { number }]
    }

    pub(super) fn show_missed(&self, typing: &Typing, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Code, draw.words("missed-title"));
        view.help = draw.say("missed-help");
        view.blocks = vec![Block::Field {
            label: draw.say("missed-label"),
            value: number(typing.text())
                .filter(|_| typing.text().len() >= 4)
                .unwrap_or_else(|| typing.text().to_owned()),
            placeholder: "T-018".to_owned(),
            counter: String::new(),
            wrong: typing.wrong.is_some(),
        }];
        if let Some(wrong) = &typing.wrong {
            if self.comfort.size != TextSize::Normal {
                // What to do now is in the note; there is no room for both.
                view.help.clear();
            }
            view.blocks.push(Block::Note {
                tone: Tone::Bad,
                icon: "warning-circle",
                title: wrong.clone(),
                text: draw.say("missed-wrong-text"),
            });
        }
        let mut keys = super::browse::keyboard(KeyboardKind::Text, typing, draw);
        keys.digits = true;
        view.keyboard = Some(keys);
        view.primary = Some(draw.button("arrow-right", "missed-look", Input::Continue));
        view.bottom = draw.bottom_back();
        view
    }

    pub(super) fn show_turn_found(&self, found: &TurnFound, draw: &mut Draw<'_>) -> View {
        let page = |draw: &mut Draw<'_>, key: &str, number: &str| {
            let title = draw.fill(key, &[("number", number)]);
            draw.page(Face::Answer, title.into())
        };
        let note = |tone, icon, text: String| Block::Note {
            tone,
            icon,
            title: String::new(),
            text,
        };
        let mut view = match found {
            TurnFound::Waiting { turn, back } => {
                let key = if *back {
                    "missed-back-title"
                } else {
                    "missed-waiting-title"
                };
                let mut view = page(draw, key, &turn.number);
                view.blocks = vec![finish::number(turn, draw), Block::Text(draw.say("success-board"))];
                view
            }
            TurnFound::Called { number, counter } => {
                let mut view = page(draw, "missed-called-title", number);
                let text = match counter {
                    Some(counter) => draw.fill("missed-called-text", &[("n", &counter.to_string())]),
                    None => draw.say("missed-called-board"),
                };
                view.blocks = vec![note(Tone::Good, "bell-ringing", text)];
                view
            }
            TurnFound::Absent { number, behind, .. } => {
                let mut view = page(draw, "missed-absent-title", number);
                let text = match behind {
                    0 => draw.say("missed-absent-first"),
                    1 => draw.say("missed-absent-one"),
                    n => draw.fill("missed-absent-text", &[("n", &n.to_string())]),
                };
                view.blocks = vec![note(Tone::Info, "info", text)];
                view.primary = Some(draw.button("arrow-counter-clockwise", "missed-rejoin", Input::Rejoin));
                view
            }
            TurnFound::TooLate { number } => {
                let mut view = page(draw, "missed-late-title", number);
                view.blocks = vec![note(Tone::Warn, "clock", draw.say("missed-late-text"))];
                view.primary = Some(draw.button("ticket", "missed-new", Input::TakeTurn(None)));
                view
            }
            TurnFound::Over { number } => {
                let mut view = page(draw, "missed-over-title", number);
                view.blocks = vec![note(Tone::Info, "info", draw.say("missed-over-text"))];
                view.primary = Some(draw.button("ticket", "missed-new", Input::TakeTurn(None)));
                view
            }
            TurnFound::Unknown { number } => {
                let mut view = page(draw, "missed-unknown-title", number);
                view.blocks = vec![note(Tone::Warn, "warning", draw.say("missed-unknown-text"))];
                view
            }
            TurnFound::Offline => {
                let mut view = page(draw, "missed-offline-title", "");
                view.blocks = vec![note(Tone::Warn, "plugs", draw.say("missed-offline-text"))];
                view
            }
        };
        if view.primary.is_none() {
            view.primary = Some(draw.button("check", "form-understood", Input::Back));
        }
        view.bottom = draw.bottom_back();
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_people_type_it() {
        for (typed, number_of) in [
            ("T018", Some("T-018")),
            ("t-18", Some("T-018")),
            ("AB501", Some("AB-501")),
            ("T1000", Some("T-1000")),
            ("018", None),
            ("T", None),
            ("QT7M4K2P", None),
            ("TT0A1", None),
        ] {
            assert_eq!(number(typed).as_deref(), number_of, "{typed}");
        }
    }
}
