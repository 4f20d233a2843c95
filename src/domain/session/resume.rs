//! A form that is stopped and goes on later: the question at the end, the digits, the code, and the way back in.
//!
//! Nothing is kept here: the shell seals the form and hands it to the office, and nobody is told of a code before the
//! office has it. While the office is out of reach the form stays open and the screen says so.
//! Begin at [`Session::keep`] and [`Session::kept_found`].

use jiff::Timestamp;

use super::browse::Place;
use super::draw::Draw;
use super::finish::{Answer, Paper};
use super::form::{FormRun, KeptForm};
use super::search_box::{Accepts, Typing};
use super::view::{Block, Button, Face, Fact, Item, KeyboardKind, TextSize, Tone, View};
use super::{Effect, Input, KeepRequest, KeptFound, Key, NotKept, Outcome, Saved, Session, State, UsageMark};
use crate::domain::id::Moment;
use crate::domain::redacted::Redacted;
use crate::domain::resume::{DIGITS, DraftId, ResumeCode};
use crate::i18n;

/// Codes that one citizen may ask for; more than a mistyped one or two is guessing.
const ASKED_MOST: u8 = 5;

/// A form whose citizen chooses what opens it again.
pub(super) struct Digits {
    run: Box<FormRun>,
    typing: Typing,
}

impl Digits {
    pub(super) fn mark(&self, outcome: Outcome) -> UsageMark {
        self.run.mark(outcome)
    }

    pub(super) fn told_step(&self, session: &Session) -> String {
        self.run.told_step(session)
    }
}

/// A form that the office has.
pub(super) struct Kept {
    code: String,
    until: Timestamp,
    /// Whether the digits are of the identity number that the form has.
    by_id: bool,
    pub(super) paper: Paper,
}

/// Somebody came back with a code.
pub(super) struct Unlocking {
    code: ResumeCode,
    typing: Typing,
    waits: bool,
}

impl Unlocking {
    pub(super) fn new(code: ResumeCode) -> Self {
        Self {
            code,
            typing: Typing::new("", Accepts::Digits, DIGITS),
            waits: false,
        }
    }

    /// Whether the office is being asked.
    pub(super) fn is_waiting(&self) -> bool {
        self.waits
    }
}

/// Takes a key of the pad; what is typed once it is whole and confirmed.
fn pad(typing: &mut Typing, input: Input, wrong: String) -> Option<Redacted<String>> {
    match input {
        Input::Typed(letters) => typing.typed(&letters),
        Input::Key(Key::Enter) | Input::Continue if typing.text().len() == DIGITS => {
            return Some(Redacted::new(typing.text().to_owned()));
        }
        Input::Key(Key::Enter) | Input::Continue => typing.wrong = Some(wrong),
        Input::Key(key) => typing.key(key),
        // A touch meant for a screen that is gone.
        _ => {}
    }
    None
}

impl Session {
    /// Whether a form can be kept for later, or the words of why not.
    fn keeps(&self) -> Result<u32, &'static str> {
        match self.around.draft_days {
            _ if self.around.offline => Err("keep-offline-short"),
            0 => Err("keep-off-short"),
            days => Ok(days),
        }
    }

    /// The button that keeps the form under way, where there is something to keep and somebody who keeps it.
    pub(super) fn keep_button(&self, draw: &mut Draw<'_>) -> Option<Button> {
        let begun = matches!(&self.state, State::Filling(run) if run.is_begun());
        (begun && self.keeps().is_ok()).then(|| draw.button("floppy-disk", "keep-later", Input::Keep))
    }

    /// Keeps the form under way: at once where it has an identity number, else after four digits.
    pub(super) fn keep(&mut self, moment: Moment) -> Vec<Effect> {
        let State::Filling(run) = &mut self.state else {
            return Vec::new();
        };
        // Somebody may have covered the review or the consent with a notice.
        let digits = run.digits();
        let State::Filling(run) = std::mem::replace(&mut self.state, State::Browsing) else {
            return Vec::new();
        };
        match digits {
            Some(digits) => self.store(run, digits, moment.now),
            None => {
                self.state = State::Digits(Box::new(Digits {
                    run,
                    typing: Typing::new("", Accepts::Digits, DIGITS),
                }));
                Vec::new()
            }
        }
    }

    fn store(&mut self, mut run: Box<FormRun>, digits: Redacted<String>, now: Timestamp) -> Vec<Effect> {
        let language = self.language();
        let request = KeepRequest {
            form: run.kept(language, now),
            digits,
            replaces: run.resumed(),
            language,
        };
        self.state = State::Storing(run);
        vec![Effect::KeepForm(Box::new(request))]
    }

    pub(super) fn step_digits(&mut self, input: Input, moment: Moment) -> Vec<Effect> {
        let wrong = i18n::say(self.language(), "keep-digits-wrong");
        let State::Digits(digits) = &mut self.state else {
            return Vec::new();
        };
        let back = matches!(input, Input::Back);
        let typed = pad(&mut digits.typing, input, wrong);
        if !back && typed.is_none() {
            return Vec::new();
        }
        let State::Digits(digits) = std::mem::replace(&mut self.state, State::Browsing) else {
            return Vec::new();
        };
        match typed {
            Some(typed) => self.store(digits.run, typed, moment.now),
            None => {
                self.state = State::Filling(digits.run);
                Vec::new()
            }
        }
    }

    /// The office has the form, or has not.
    pub(super) fn kept(&mut self, saved: Saved, now: Timestamp) -> Vec<Effect> {
        let State::Storing(_) = &self.state else {
            return Vec::new();
        };
        let State::Storing(mut run) = std::mem::replace(&mut self.state, State::Browsing) else {
            return Vec::new();
        };
        self.last_touch = now;
        self.state = match saved {
            Saved::Kept { code, until } => State::Kept(Box::new(Kept {
                code,
                until,
                by_id: run.digits().is_some(),
                paper: Paper::Printing,
            })),
            Saved::NotKept(why) => {
                run.tell_not_kept(why);
                State::Filling(run)
            }
            Saved::Submission { .. }
            | Saved::Turn(_)
            | Saved::NoTurn { .. }
            | Saved::Preview
            | Saved::Full
            | Saved::Failed
            | Saved::List { .. } => State::Filling(run),
        };
        Vec::new()
    }

    pub(super) fn step_kept(&mut self, input: Input) -> Vec<Effect> {
        let State::Kept(kept) = &mut self.state else {
            return Vec::new();
        };
        match input {
            Input::PrintCopy => {
                kept.paper = Paper::Printing;
                vec![Effect::PrintCopy]
            }
            Input::Home => {
                self.go_home();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn step_unlocking(&mut self, input: Input) -> Vec<Effect> {
        let wrong = i18n::say(self.language(), "keep-digits-wrong");
        let State::Unlocking(unlocking) = &mut self.state else {
            return Vec::new();
        };
        if unlocking.waits {
            return Vec::new();
        }
        if matches!(input, Input::Back) {
            self.state = State::Code(Typing::new("", Accepts::Code, 8));
            return Vec::new();
        }
        let Some(digits) = pad(&mut unlocking.typing, input, wrong) else {
            return Vec::new();
        };
        if self.turns_asked >= ASKED_MOST {
            self.state = State::Answer(Box::new(Answer::codes_too_often()));
            return Vec::new();
        }
        self.turns_asked += 1;
        unlocking.waits = true;
        vec![Effect::OpenKept {
            code: unlocking.code,
            digits,
        }]
    }

    /// What there is under the code.
    pub(super) fn kept_found(&mut self, found: KeptFound, moment: Moment) {
        let language = self.language();
        let State::Unlocking(unlocking) = &mut self.state else {
            return;
        };
        if !unlocking.waits {
            return;
        }
        self.last_touch = moment.now;
        if let KeptFound::Wrong { left } = found {
            unlocking.waits = false;
            unlocking.typing = Typing::new("", Accepts::Digits, DIGITS);
            unlocking.typing.wrong = Some(match left {
                1 => i18n::say(language, "resume-wrong-one"),
                n => i18n::fill(language, "resume-wrong", &[("n", &n.to_string())]),
            });
            return;
        }
        match found {
            KeptFound::Open { form, id } => self.go_on_with(&form, id, moment),
            other => self.state = State::Answer(Box::new(Answer::Kept(other))),
        }
    }

    /// Opens the form where its citizen stopped.
    fn go_on_with(&mut self, kept: &KeptForm, id: DraftId, moment: Moment) {
        if self.around.storage_full {
            self.state = State::Answer(Box::new(Answer::storage_full()));
            return;
        }
        let language = self.language();
        let setup = self.setup.clone();
        let run = setup.catalogue.procedure(&kept.procedure).and_then(|procedure| {
            let form = setup.forms.get(procedure.form.as_ref()?.as_str())?;
            FormRun::begin(procedure, form.clone(), self, moment)
        });
        let Some(mut run) = run else {
            self.state = State::Answer(Box::new(Answer::form_gone()));
            return;
        };
        run.resume(kept, id, language);
        self.trail = vec![Place::Home { page: 0 }, Place::Procedure(kept.procedure.clone())];
        self.state = State::Filling(Box::new(run));
    }

    pub(super) fn show_leave(&self, draw: &mut Draw<'_>) -> View {
        let title = draw.words("leave-title");
        let mut view = draw.page(Face::Leave, title);
        view.help = draw.say("leave-help");
        let keep = match self.keeps() {
            Ok(days) => {
                let note = match days {
                    1 => draw.say("leave-keep-note-one"),
                    n => draw.fill("leave-keep-note", &[("n", &n.to_string())]),
                };
                Item {
                    words: draw.words("keep-later"),
                    ..draw.item("floppy-disk", String::new(), note, Input::Keep)
                }
            }
            Err(why) => Item {
                icon: "floppy-disk",
                words: draw.words("keep-later"),
                note: draw.say(why),
                ..Item::default()
            },
        };
        let again = matches!(&self.state, State::Filling(run) if run.resumed().is_some());
        let note = draw.say(if again {
            "leave-drop-again"
        } else {
            "leave-drop-note"
        });
        let drop = Item {
            words: draw.words(if again { "leave-drop-changes" } else { "idle-end" }),
            ..draw.item("sign-out", String::new(), note, Input::EndNow)
        };
        view.blocks = vec![Block::BigChoices(vec![keep, drop])];
        view.primary = Some(draw.button("arrow-right", "leave-go-on", Input::Close));
        view.bottom = draw.bottom_back();
        // It was just pressed: a second touch in the same place must not drop anything.
        if let Some(end) = view.bottom.last_mut() {
            end.action = None;
        }
        view
    }

    fn show_pad(&self, typing: &Typing, label: &str, draw: &mut Draw<'_>, mut view: View) -> View {
        view.blocks = vec![Block::Field {
            label: draw.say(label),
            value: typing.text().to_owned(),
            placeholder: String::new(),
            counter: draw.fill(
                "form-digits",
                &[
                    ("n", &typing.text().len().to_string()),
                    ("of", &DIGITS.to_string()),
                ],
            ),
            wrong: typing.wrong.is_some(),
        }];
        if let Some(wrong) = &typing.wrong {
            if self.comfort.size != TextSize::Normal {
                view.help.clear();
            }
            view.blocks.push(Block::Note {
                tone: Tone::Bad,
                icon: "warning-circle",
                title: wrong.clone(),
                text: String::new(),
            });
        }
        view.keyboard = Some(super::browse::keyboard(KeyboardKind::Digits, typing, draw));
        view.primary = Some(draw.button("arrow-right", "form-continue", Input::Continue));
        view.bottom = draw.bottom_back();
        draw.private(&mut view);
        self.read_then_type(view, draw)
    }

    pub(super) fn show_digits(&self, digits: &Digits, draw: &mut Draw<'_>) -> View {
        let title = draw.words("keep-digits-title");
        let mut view = draw.page(Face::Code, title);
        view.help = draw.say("keep-digits-help");
        self.show_pad(&digits.typing, "keep-digits-label", draw, view)
    }

    pub(super) fn show_unlocking(&self, unlocking: &Unlocking, draw: &mut Draw<'_>) -> View {
        if unlocking.waits {
            return self.show_looking(draw);
        }
        let title = draw.words("resume-digits-title");
        let mut view = draw.page(Face::Code, title);
        view.help = draw.say("resume-digits-help");
        self.show_pad(&unlocking.typing, "keep-digits-label", draw, view)
    }

    pub(super) fn show_storing(&self, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Saving, draw.words("keep-storing"));
        view.help = draw.say("saving-help");
        view
    }

    /// The last day on which a form is kept.
    fn last_day(&self, until: Timestamp) -> String {
        let day = until.to_zoned_datetime(self.setup.zone.clone());
        day.strftime("%d/%m/%Y").to_string()
    }

    pub(super) fn show_kept(&self, kept: &Kept, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Success, draw.words("kept-title"));
        let (icon, title, text) = match kept.paper {
            Paper::Failed => ("printer", "paper-failed-title", "kept-write-it"),
            Paper::Printing => ("hand-tap", "printing", "success-slot-one"),
            Paper::Out => ("hand-tap", "success-paper", "success-slot-one"),
        };
        let with = if kept.by_id {
            "kept-with-id"
        } else {
            "kept-with-digits"
        };
        let fact = |icon, label: &str, value| Fact {
            icon,
            label: draw.say(label),
            value,
            change: None,
        };
        // The code first: larger letters turn the rest into sheets.
        view.blocks = vec![
            Block::Code {
                label: draw.say("kept-code"),
                code: kept.code.clone(),
                text: draw.say(with),
                qr: String::new(),
            },
            Block::Facts(vec![
                fact("clock", "kept-until", self.last_day(kept.until)),
                fact("paper-plane-tilt", "kept-sent", draw.say("kept-not-sent")),
            ]),
            Block::Note {
                tone: Tone::Warn,
                icon,
                title: draw.say(title),
                text: draw.say(text),
            },
            Block::Text(draw.say("kept-how")),
        ];
        view.primary = Some(draw.button("sign-out", "success-finish", Input::Finish));
        let again = if kept.paper == Paper::Failed {
            "kept-print-again"
        } else {
            "success-copy"
        };
        view.secondary = Some(draw.button("printer", again, Input::PrintCopy));
        let home = draw.button("house-simple", "bar-home", Input::Home);
        view.bottom = draw.bottom(home);
        view
    }

    /// A code that leads to no form now: why, and what to do.
    pub(super) fn show_kept_answer(&self, found: &KeptFound, draw: &mut Draw<'_>) -> View {
        let (tone, icon, title, text) = match found {
            KeptFound::Used => (
                Tone::Info,
                "info",
                "resume-used-title",
                draw.say("resume-used-text"),
            ),
            KeptFound::Over => (
                Tone::Warn,
                "clock",
                "resume-over-title",
                draw.say("resume-over-text"),
            ),
            KeptFound::Shut { until } => {
                let time = until.to_zoned_datetime(self.setup.zone.clone());
                let text = draw.fill(
                    "resume-shut-text",
                    &[("time", &time.strftime("%H:%M").to_string())],
                );
                (Tone::Warn, "lock-key", "resume-shut-title", text)
            }
            KeptFound::Offline => (
                Tone::Warn,
                "plugs",
                "resume-offline-title",
                draw.say("resume-offline-text"),
            ),
            KeptFound::Unknown | KeptFound::Wrong { .. } | KeptFound::Open { .. } => (
                Tone::Warn,
                "warning",
                "resume-unknown-title",
                draw.say("resume-unknown-text"),
            ),
        };
        let mut view = draw.page(Face::Answer, draw.words(title));
        view.blocks = vec![Block::Note {
            tone,
            icon,
            title: String::new(),
            text,
        }];
        view
    }

    /// The form goes on: where, and whether it is another one by now.
    pub(super) fn show_back(&self, run: &FormRun, changed: bool, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Notice, draw.words("back-title"));
        view.help = draw.say("back-help");
        view.blocks = vec![if changed {
            Block::Note {
                tone: Tone::Warn,
                icon: "warning",
                title: draw.say("back-changed-title"),
                text: draw.say("back-changed-text"),
            }
        } else {
            Block::Note {
                tone: Tone::Good,
                icon: "check-circle",
                title: run.short_name(self.language()),
                text: draw.say("back-same"),
            }
        }];
        view.primary = Some(draw.button("arrow-right", "form-continue", Input::Understood));
        view
    }

    /// The form could not be kept; it is still open.
    pub(super) fn show_not_kept(&self, why: NotKept, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Notice, draw.words("not-kept-title"));
        let (icon, text) = match why {
            NotKept::Offline => ("plugs", "not-kept-offline"),
            NotKept::Refused => ("warning", "not-kept-refused"),
            NotKept::TooLarge => ("warning", "not-kept-large"),
        };
        view.blocks = vec![Block::Note {
            tone: Tone::Warn,
            icon,
            title: draw.say("not-kept-still"),
            text: draw.say(text),
        }];
        view.primary = Some(draw.button("check", "form-understood", Input::Understood));
        view
    }
}
