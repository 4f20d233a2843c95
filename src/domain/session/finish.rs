//! What the citizen leaves with: the receipt, the turn, the answer to a code.

use jiff::Timestamp;

use super::draw::Draw;
use super::resume::Unlocking;
use super::search_box::Typing;
use super::view::{Block, Button, Face, Fact, Item, Keyboard, KeyboardKind, TextSize, Tone, View};
use super::{
    CaseFar, CaseLook, Effect, Input, KeptFound, Key, NoTurn, Outcome, Saved, Session, State, TurnFound,
    TurnLook,
};
use crate::domain::id::{Moment, uuid_v7};
use crate::domain::receipt;
use crate::domain::resume::ResumeCode;

/// An act that is on the disk.
#[derive(Clone, Debug)]
pub(super) struct Success {
    receipt: Option<ReceiptLook>,
    turn: Option<Result<TurnLook, NoTurn>>,
    papers: u8,
    paper: Paper,
}

#[derive(Clone, Debug)]
struct ReceiptLook {
    code: String,
    qr: String,
    time: String,
}

/// What is known of the papers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paper {
    Printing,
    Out,
    Failed,
}

/// A screen that answers something and leads home.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Case(CaseLook),
    Far(CaseFar),
    Turn(TurnFound),
    /// Why a code leads to no form.
    Kept(KeptFound),
    NoTurn {
        queue: String,
        why: NoTurn,
    },
    Message {
        tone: Tone,
        icon: &'static str,
        title: &'static str,
        text: &'static str,
    },
}

impl Answer {
    pub(super) fn storage_full() -> Self {
        Self::Message {
            tone: Tone::Bad,
            icon: "warning",
            title: "trouble-disk-title",
            text: "trouble-disk-text",
        }
    }

    pub(super) fn form_not_ready() -> Self {
        Self::Message {
            tone: Tone::Warn,
            icon: "warning",
            title: "trouble-form-title",
            text: "trouble-form-text",
        }
    }

    pub(super) fn asked_too_often() -> Self {
        Self::Message {
            tone: Tone::Warn,
            icon: "chats-circle",
            title: "missed-often-title",
            text: "missed-often-text",
        }
    }

    /// The form under a code is not done here any more.
    pub(super) fn form_gone() -> Self {
        Self::Message {
            tone: Tone::Warn,
            icon: "warning",
            title: "resume-gone-title",
            text: "resume-gone-text",
        }
    }

    pub(super) fn codes_too_often() -> Self {
        Self::Message {
            tone: Tone::Warn,
            icon: "chats-circle",
            title: "missed-often-title",
            text: "resume-often-text",
        }
    }

    fn list(ok: bool) -> Self {
        if ok {
            Self::Message {
                tone: Tone::Good,
                icon: "check-circle",
                title: "printed-list-title",
                text: "printed-list-text",
            }
        } else {
            Self::Message {
                tone: Tone::Warn,
                icon: "printer",
                title: "paper-failed-title",
                text: "printed-list-failed",
            }
        }
    }
}

impl Session {
    pub(super) fn saved(&mut self, saved: Saved, now: Timestamp) -> Vec<Effect> {
        if let Saved::List { ok } = saved {
            if matches!(self.state, State::Browsing) {
                self.state = State::Answer(Box::new(Answer::list(ok)));
            }
            return Vec::new();
        }
        if matches!(saved, Saved::Kept { .. } | Saved::NotKept(_)) {
            return self.kept(saved, now);
        }
        let State::Saving(form) = &mut self.state else {
            // The citizen cannot leave while we save; an answer that nobody waits for is an old one.
            return Vec::new();
        };
        let form = form.take();
        self.last_touch = now;
        let mut effects = Vec::new();
        self.state = match (saved, form) {
            (
                Saved::Submission {
                    code,
                    qr,
                    time,
                    turn,
                    papers,
                },
                run,
            ) => {
                effects.extend(run.as_ref().map(|run| Effect::Count(run.mark(Outcome::Sent))));
                let without = run.and_then(|run| run.without_turn());
                State::Success(Box::new(Success {
                    receipt: Some(ReceiptLook { code, qr, time }),
                    turn: turn.or(without.map(|shut| Err(NoTurn::Shut(shut)))),
                    papers,
                    paper: Paper::Printing,
                }))
            }
            (Saved::Turn(turn), _) => State::Success(Box::new(Success {
                receipt: None,
                turn: Some(Ok(turn)),
                papers: 1,
                paper: Paper::Printing,
            })),
            (Saved::NoTurn { queue, why }, _) => State::Answer(Box::new(Answer::NoTurn { queue, why })),
            (Saved::Preview, _) => State::Answer(Box::new(Answer::Message {
                tone: Tone::Good,
                icon: "seal-check",
                title: "preview-end-title",
                text: "preview-end-text",
            })),
            (Saved::Full | Saved::Failed, Some(run)) => {
                // Nothing was saved; the answers stay for another try while the citizen stays.
                self.around.storage_full = true;
                State::reopened(run)
            }
            (
                Saved::Full | Saved::Failed | Saved::List { .. } | Saved::Kept { .. } | Saved::NotKept(_),
                _,
            ) => State::Answer(Box::new(Answer::storage_full())),
        };
        effects
    }

    pub(super) fn printed(&mut self, ok: bool) {
        if let State::Success(success) = &mut self.state {
            success.paper = if ok { Paper::Out } else { Paper::Failed };
        }
        if let State::Kept(kept) = &mut self.state {
            kept.paper = if ok { Paper::Out } else { Paper::Failed };
        }
    }

    pub(super) fn step_finish(&mut self, input: Input, moment: Moment) -> Vec<Effect> {
        match (&mut self.state, input) {
            (State::Answer(answer), Input::Rejoin) => {
                if let Answer::Turn(TurnFound::Absent { ticket, number, .. }) = &**answer {
                    let effect = Effect::Rejoin {
                        request: uuid_v7(moment),
                        ticket: *ticket,
                        number: number.clone(),
                    };
                    self.state = State::Looking;
                    return vec![effect];
                }
            }
            (State::Answer(_), Input::TakeTurn(queue)) => self.take_turn(queue),
            (State::Answer(_), Input::HowFar) => self.ask_last_digits(),
            (State::Success(success), Input::PrintCopy) => {
                success.paper = Paper::Printing;
                return vec![Effect::PrintCopy];
            }
            (State::Success(_), Input::Home) => self.go_home(),
            (State::Answer(_), Input::Home | Input::Back) => {
                if self.trail.is_empty() {
                    self.go_home();
                } else {
                    self.state = State::Browsing;
                }
            }
            (_, _) => {}
        }
        Vec::new()
    }

    pub(super) fn step_code(&mut self, input: Input) -> Vec<Effect> {
        let wrong = crate::i18n::say(self.language(), "code-wrong");
        let State::Code(typing) = &mut self.state else {
            return Vec::new();
        };
        match input {
            Input::Typed(letters) => typing.typed(&letters),
            // The number of a turn is short and has its digits at the end; a receipt's code is neither.
            Input::Key(Key::Enter) | Input::Continue if super::missed::number(typing.text()).is_some() => {
                return self.ask_turn();
            }
            Input::Key(Key::Enter) | Input::Continue => match typing.text().parse::<receipt::Code>() {
                Ok(code) => {
                    let code = code.to_string();
                    self.case.begin(&code);
                    self.state = State::Looking;
                    return vec![Effect::LookUp { code }];
                }
                Err(_) => match typing.text().parse::<ResumeCode>() {
                    Ok(code) => self.state = State::Unlocking(Box::new(Unlocking::new(code))),
                    Err(_) => typing.wrong = Some(wrong),
                },
            },
            Input::Key(key) => typing.key(key),
            Input::Back => self.state = State::Browsing,
            _ => {}
        }
        Vec::new()
    }

    pub(super) fn show_success(&self, success: &Success, draw: &mut Draw<'_>) -> View {
        let failed = success.paper == Paper::Failed;
        let title = match (&success.receipt, failed) {
            (Some(_), _) => "success-title",
            (None, true) => "turn-nopaper-title",
            (None, false) => "turn-done-title",
        };
        let face = if success.receipt.is_some() {
            Face::Success
        } else {
            Face::Turn
        };
        let mut view = draw.page(face, draw.words(title));
        if !failed {
            let (title, text) = match (success.paper, success.papers) {
                (Paper::Printing, _) => ("printing", "success-slot"),
                (_, 2..) => ("success-papers", "success-slot"),
                _ => ("success-paper", "success-slot-one"),
            };
            view.blocks.push(Block::Note {
                tone: Tone::Warn,
                icon: "hand-tap",
                title: draw.say(title),
                text: draw.say(text),
            });
        }
        match &success.turn {
            Some(Ok(turn)) => {
                view.blocks.push(number(turn, draw));
                if !failed {
                    view.blocks.push(Block::Text(draw.say("success-board")));
                }
            }
            Some(Err(why)) => view.blocks.push(Block::Note {
                tone: Tone::Warn,
                icon: "ticket",
                title: draw.say("success-no-turn-title"),
                text: match why {
                    NoTurn::NoNumber => draw.say("success-no-turn-text"),
                    NoTurn::Shut(shut) => {
                        format!(
                            "{} {}",
                            draw.say("success-no-turn-shut"),
                            self.shut_words(*shut, draw)
                        )
                    }
                },
            }),
            None => {}
        }
        if failed {
            let (title, text) = match success.receipt {
                Some(_) => ("paper-failed-title", "paper-failed-text"),
                None => ("turn-valid", "turn-valid-text"),
            };
            let tone = if success.receipt.is_some() {
                Tone::Warn
            } else {
                Tone::Good
            };
            let icon = if success.receipt.is_some() {
                "printer"
            } else {
                "check-circle"
            };
            view.blocks.push(Block::Note {
                tone,
                icon,
                title: draw.say(title),
                text: draw.say(text),
            });
        }
        if let Some(receipt) = &success.receipt {
            let text = if self.around.offline {
                draw.fill("success-offline", &[("time", &receipt.time)])
            } else {
                draw.say("success-code-text")
            };
            view.blocks.push(Block::Code {
                label: draw.say("success-code"),
                code: receipt.code.clone(),
                text,
                qr: receipt.qr.clone(),
            });
        }
        view.primary = Some(if success.receipt.is_some() {
            draw.button("sign-out", "success-finish", Input::Finish)
        } else {
            draw.button("check", "turn-got-it", Input::Finish)
        });
        view.secondary = Some(draw.button("printer", "success-copy", Input::PrintCopy));
        let home = draw.button("house-simple", "bar-home", Input::Home);
        view.bottom = draw.bottom(home);
        view
    }

    pub(super) fn show_code(&self, typing: &Typing, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Code, draw.words("code-title"));
        view.help = draw.say("code-help");
        let typed = typing.text();
        let value = match typed.split_at_checked(4) {
            Some((head, tail)) if !tail.is_empty() => format!("{head}-{tail}"),
            _ => typed.to_owned(),
        };
        view.blocks = vec![Block::Field {
            label: draw.say("code-label"),
            value,
            placeholder: String::new(),
            counter: draw.fill(
                "form-letters",
                &[
                    ("n", &typed.len().to_string()),
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
                text: draw.say("code-wrong-text"),
            });
        }
        let mut keys: Keyboard = super::browse::keyboard(KeyboardKind::Text, typing, draw);
        keys.digits = true;
        view.keyboard = Some(keys);
        view.primary = Some(draw.button("arrow-right", "code-look", Input::Continue));
        view.bottom = draw.bottom_back();
        view
    }

    pub(super) fn show_looking(&self, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Saving, draw.words("code-looking"));
        view.help = draw.say("saving-help");
        view
    }

    pub(super) fn show_answer(&self, answer: &Answer, draw: &mut Draw<'_>) -> View {
        let mut view = match answer {
            Answer::Message {
                tone,
                icon,
                title,
                text,
            } => {
                let mut view = draw.page(Face::Answer, draw.words(title));
                let text = draw.say(text);
                view.blocks = vec![Block::Note {
                    tone: *tone,
                    icon,
                    title: String::new(),
                    text,
                }];
                view
            }
            Answer::Turn(found) => return self.show_turn_found(found, draw),
            Answer::Kept(found) => self.show_kept_answer(found, draw),
            Answer::Far(far) => return self.show_far(far, draw),
            Answer::NoTurn { queue, why } => self.show_no_turn(queue, *why, draw),
            Answer::Case(look) => {
                let mut view = draw.page(Face::Answer, draw.words("case-title"));
                view.blocks = self.case_blocks(look, draw);
                if matches!(look, CaseLook::Arrived { .. }) {
                    view.primary = Some(draw.button("arrow-right", "case-how", Input::HowFar));
                }
                view
            }
        };
        if view.primary.is_none() {
            view.primary = Some(draw.button("check", "form-understood", Input::Back));
        }
        view.bottom = draw.bottom_back();
        view
    }

    fn case_blocks(&self, look: &CaseLook, draw: &Draw<'_>) -> Vec<Block> {
        let note = |tone, icon, title: &str, text: String| Block::Note {
            tone,
            icon,
            title: draw.say(title),
            text,
        };
        let fact = |key: &str, value: &String| Fact {
            label: draw.say(key),
            value: value.clone(),
            ..Fact::default()
        };
        match look {
            CaseLook::Arrived {
                procedure,
                registered,
                received,
            } => vec![
                note(Tone::Good, "seal-check", "case-arrived", procedure.clone()),
                Block::Facts(vec![
                    fact("case-registered", registered),
                    fact("case-received", received),
                ]),
            ],
            CaseLook::Here {
                procedure,
                registered,
            } => vec![
                note(Tone::Info, "cloud-check", "case-here", draw.say("case-here-text")),
                Block::Facts(vec![
                    fact("case-procedure", procedure),
                    fact("case-registered", registered),
                ]),
            ],
            CaseLook::Unknown => vec![note(
                Tone::Warn,
                "warning",
                "case-unknown",
                draw.say("case-unknown-text"),
            )],
            CaseLook::Offline => vec![note(
                Tone::Warn,
                "plugs",
                "case-offline",
                draw.fill("case-offline-text", &[("phone", &self.setup.phone)]),
            )],
        }
    }

    pub(super) fn show_rating(&self, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Satisfaction, draw.words("rating-title"));
        view.help = draw.say("rating-help");
        let mark = |icon, key: &str, mark, draw: &mut Draw<'_>| Item {
            icon,
            words: draw.words(key),
            action: draw.on(Input::Rate(mark)),
            ..Item::default()
        };
        view.blocks = vec![Block::BigChoices(vec![
            mark("smiley", "rating-good", 3, draw),
            mark("smiley-meh", "rating-fair", 2, draw),
            mark("smiley-sad", "rating-bad", 1, draw),
        ])];
        view.primary = Some(Button {
            icon: "sign-out",
            words: draw.words("rating-skip"),
            action: draw.on(Input::Rate(0)),
        });
        view
    }

    pub(super) fn show_out(&self, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::OutOfService, draw.words("out-title"));
        view.help = draw.say("out-help");
        if self.setup.technician.is_some() {
            view.primary = Some(draw.button("lock-key", "service-enter", Input::Knock));
        }
        view.blocks = vec![Block::Note {
            tone: Tone::Warn,
            icon: "warning",
            title: String::new(),
            text: self.setup.phone.clone(),
        }];
        view
    }
}

/// The panel of a turn's number.
pub(super) fn number(turn: &TurnLook, draw: &Draw<'_>) -> Block {
    let mut facts = Vec::new();
    if let Some(ahead) = turn.ahead {
        let value = match ahead {
            0 => draw.say("turn-ahead-none"),
            1 => draw.say("turn-ahead-one"),
            n => draw.fill("turn-ahead-n", &[("n", &n.to_string())]),
        };
        facts.push(Fact {
            label: draw.say("turn-ahead"),
            value,
            ..Fact::default()
        });
    }
    facts.push(Fact {
        label: draw.say("turn-wait"),
        value: draw.wait(None, turn.wait),
        ..Fact::default()
    });
    Block::Number {
        label: draw.fill("turn-yours", &[("queue", &turn.queue)]),
        number: turn.number.clone(),
        facts,
    }
}
