//! «En qué paso está»: how far a case is, for whoever has its code and knows the last digits of the identity number.
//!
//! The municipality decides whether the digits fit; here they are typed, and forgotten with whoever typed them.

use super::draw::Draw;
use super::finish::Answer;
use super::search_box::{Accepts, Typing};
use super::view::{Block, Face, Fact, KeyboardKind, TextSize, Tone, View};
use super::{CaseFar, CaseLook, Effect, Input, Key, Session, State};
use crate::domain::desk::{CaseStatus, DIGITS, NOTES};
use crate::domain::redacted::Redacted;

/// How often one citizen may type digits: twice mistyped is human, more is guessing.
const ASKED_MOST: u8 = 3;

/// The case that is asked about; goes with its citizen.
#[derive(Default)]
pub(super) struct Asked {
    code: String,
    procedure: String,
    /// How often digits were sent, for whatever code: another code is no new guess.
    tries: u8,
}

impl Asked {
    pub(super) fn begin(&mut self, code: &str) {
        code.clone_into(&mut self.code);
        self.procedure.clear();
    }

    pub(super) fn learn(&mut self, look: &CaseLook) {
        if let CaseLook::Arrived { procedure, .. } = look {
            procedure.clone_into(&mut self.procedure);
        }
    }

    fn is_over(&self) -> bool {
        self.tries >= ASKED_MOST
    }
}

impl Session {
    /// Asks for the digits, or sends to a person whoever asked too often.
    pub(super) fn ask_last_digits(&mut self) {
        if self.case.is_over() {
            self.state = State::Answer(Box::new(Answer::Far(CaseFar::TooOften)));
        } else if !self.case.code.is_empty() {
            self.state = State::LastDigits(Typing::new("", Accepts::Digits, DIGITS));
        }
    }

    pub(super) fn step_last_digits(&mut self, input: Input) -> Vec<Effect> {
        let short = crate::i18n::say(self.language(), "digits-short");
        let State::LastDigits(typing) = &mut self.state else {
            return Vec::new();
        };
        match input {
            Input::Typed(letters) => typing.typed(&letters),
            Input::Key(Key::Enter) | Input::Continue => {
                if typing.text().len() < DIGITS {
                    typing.wrong = Some(short);
                    return Vec::new();
                }
                let digits = Redacted::new(typing.text().to_owned());
                self.case.tries += 1;
                self.state = State::Looking;
                return vec![Effect::AskFar {
                    code: self.case.code.clone(),
                    digits,
                }];
            }
            Input::Key(key) => typing.key(key),
            Input::Back => self.state = State::Code(Typing::new("", Accepts::Code, 8)),
            Input::Home => self.go_home(),
            // A touch meant for a screen that is gone.
            _ => {}
        }
        Vec::new()
    }

    pub(super) fn show_last_digits(&self, typing: &Typing, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Code, draw.words("digits-title"));
        view.help = draw.say("digits-help");
        view.blocks = vec![Block::Field {
            label: draw.say("digits-label"),
            value: typing.text().to_owned(),
            placeholder: String::new(),
            counter: draw.fill(
                "form-digits",
                &[
                    ("n", &typing.text().len().to_string()),
                    ("of", &typing.limit().to_string()),
                ],
            ),
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
                text: draw.say("digits-short-text"),
            });
        }
        view.keyboard = Some(super::browse::keyboard(KeyboardKind::Digits, typing, draw));
        view.primary = Some(draw.button("arrow-right", "code-look", Input::Continue));
        view.bottom = draw.bottom_back();
        view
    }

    pub(super) fn show_far(&self, far: &CaseFar, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Answer, draw.words("case-title"));
        let note = |tone, icon, title: &str, text: String| Block::Note {
            tone,
            icon,
            title: draw.say(title),
            text,
        };
        view.blocks = match far {
            CaseFar::Known { status, note, since } => self.known(*status, note.as_deref(), since, draw),
            CaseFar::WrongDigits => vec![note(
                Tone::Warn,
                "warning",
                "far-wrong",
                draw.say("far-wrong-text"),
            )],
            CaseFar::TooOften => vec![note(
                Tone::Warn,
                "chats-circle",
                "far-often",
                draw.say("far-often-text"),
            )],
            CaseFar::NotYet => vec![note(
                Tone::Info,
                "cloud-check",
                "far-not-yet",
                draw.say("far-not-yet-text"),
            )],
            CaseFar::Offline => vec![note(
                Tone::Warn,
                "plugs",
                "case-offline",
                draw.fill("case-offline-text", &[("phone", &self.setup.phone)]),
            )],
        };
        view.primary = Some(match far {
            CaseFar::WrongDigits if !self.case.is_over() => {
                draw.button("arrow-counter-clockwise", "digits-again", Input::HowFar)
            }
            CaseFar::Known { .. }
            | CaseFar::WrongDigits
            | CaseFar::TooOften
            | CaseFar::NotYet
            | CaseFar::Offline => draw.button("check", "form-understood", Input::Back),
        });
        view.bottom = draw.bottom_back();
        view
    }

    /// State first and largest, what the citizen has to do right under it, then what it is about.
    fn known(
        &self,
        status: Option<CaseStatus>,
        note: Option<&str>,
        since: &str,
        draw: &Draw<'_>,
    ) -> Vec<Block> {
        let (tone, icon, key) = match status {
            Some(CaseStatus::Received) => (Tone::Info, "cloud-check", "central-status-received"),
            Some(CaseStatus::InProgress) => (Tone::Info, "clock", "central-status-in-progress"),
            Some(CaseStatus::NeedsSomething) => (Tone::Warn, "warning", "central-status-needs-something"),
            Some(CaseStatus::Done) => (Tone::Good, "check-circle", "central-status-done"),
            None => (Tone::Good, "check-circle", "central-status-erased"),
        };
        let text = match note.map(|note| note.strip_prefix('#').ok_or(note)) {
            Some(Ok(word)) if NOTES.contains(&word) => draw.say(&format!("central-note-{word}")),
            // A word of a later version says nothing here.
            Some(Ok(_)) | None => String::new(),
            Some(Err(words)) => words.to_owned(),
        };
        let fact = |key: &str, value: &str| Fact {
            label: draw.say(key),
            value: value.to_owned(),
            ..Fact::default()
        };
        let mut facts = vec![fact("case-since", since), fact("case-code", &self.case.code)];
        if !self.case.procedure.is_empty() {
            facts.insert(0, fact("case-procedure", &self.case.procedure));
        }
        vec![
            Block::Note {
                tone,
                icon,
                title: draw.say(key),
                text,
            },
            Block::Facts(facts),
        ]
    }
}
