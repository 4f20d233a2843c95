//! The technician's screens: the door, how the kiosk is, what can be done, and the self-test. Nothing of a citizen.
//!
//! The way in is the word [`WORD`] where a citizen types a code, and a button while the kiosk is out of service.
//! Begin at [`Session::step_service`].

use jiff::Timestamp;

use super::draw::Draw;
use super::search_box::{Accepts, Typing};
use super::view::{Block, Face, Fact, Item, KeyboardKind, Tone, View};
use super::{Effect, Input, Key, Session, State};
use crate::domain::technician::{CODE_DIGITS, Knocked};

/// What a technician types where a citizen types a code.
pub(super) const WORD: &str = "SERVICIO";
/// Squares to be touched: corners, edges and the middle.
const SQUARES: usize = 9;

/// A thing that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Whether it is read well.
    Screen,
    /// Whether a finger is where it is seen.
    Touch,
    /// Whether it prints, and well.
    Printer,
    /// Whether it is heard.
    Sound,
    /// Whether the office answers.
    Network,
    /// Whether the time is right.
    Clock,
    /// Whether there is room.
    Storage,
    /// Whether its keys move the frame.
    Keypad,
    /// Program and system.
    Version,
    /// Whether anything waits to be sent.
    Outbox,
    /// How the last self-test ended.
    Doctor,
}

impl Part {
    /// A stable word for files and reports; its words for people are `service-part-…`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Touch => "touch",
            Self::Printer => "printer",
            Self::Sound => "sound",
            Self::Network => "network",
            Self::Clock => "clock",
            Self::Storage => "storage",
            Self::Keypad => "keypad",
            Self::Version => "version",
            Self::Outbox => "outbox",
            Self::Doctor => "doctor",
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Self::Screen => "square",
            Self::Touch => "hand-tap",
            Self::Printer => "printer",
            Self::Sound => "speaker-high",
            Self::Network => "plugs",
            Self::Clock => "clock",
            Self::Storage => "floppy-disk",
            Self::Keypad => "person-arms-spread",
            Self::Version => "info",
            Self::Outbox => "paper-plane-tilt",
            Self::Doctor => "list-checks",
        }
    }
}

/// What was seen of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartLook {
    /// Which.
    pub part: Part,
    /// Whether it is well; nothing where nobody can tell, or it is not there.
    pub ok: Option<bool>,
    /// What was seen, short: an address, a figure, a word.
    pub detail: String,
}

/// How the kiosk is, as the shell sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceLook {
    /// What was looked at.
    pub parts: Vec<PartLook>,
    /// Whether this machine can let a technician in over the network for a while.
    pub remote: bool,
    /// Whether this machine can look for an update now.
    pub updates: bool,
}

/// What a technician may ask of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceAct {
    /// Look at everything, and answer with [`Input::ServiceLook`].
    Look,
    /// Print a sample, and answer with [`Input::ServiceDone`].
    TestPage,
    /// Begin the program again.
    Restart,
    /// Look for an update and install it.
    UpdateNow,
    /// Let a technician in over the network for half an hour.
    Remote,
    /// Keep what the self-test found, and print it.
    Keep(Vec<PartLook>),
}

/// Where the technician is.
#[derive(Clone, Debug)]
pub(super) enum Service {
    /// In front of the door, with the number to be answered.
    Door { question: String, typing: Typing },
    /// It is shut until then.
    Shut(Timestamp),
    /// Inside; nothing until the shell looked.
    Menu {
        look: Option<ServiceLook>,
        told: Option<(Tone, &'static str)>,
    },
    /// In the self-test.
    Test(Test),
}

/// A self-test on its way.
#[derive(Clone, Debug)]
pub(super) struct Test {
    /// What is asked next.
    step: Step,
    found: Vec<PartLook>,
    touched: [bool; SQUARES],
    /// Whether nobody served here before.
    first: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begin,
    Touch,
    Ask(Part),
    Look,
    End,
}

/// What only a person can tell, in this order.
const ASKED: [Part; 4] = [Part::Screen, Part::Sound, Part::Printer, Part::Keypad];

impl Test {
    fn new(first: bool) -> Self {
        Self {
            step: Step::Begin,
            found: Vec::new(),
            touched: [false; SQUARES],
            first,
        }
    }

    fn found(&mut self, part: Part, ok: Option<bool>) {
        self.found.push(PartLook {
            part,
            ok,
            detail: String::new(),
        });
    }

    /// Goes on; what the shell has to do for the next step.
    fn next(&mut self) -> Vec<Effect> {
        self.step = match self.step {
            Step::Begin => Step::Touch,
            Step::Touch => Step::Ask(ASKED[0]),
            Step::Ask(part) => {
                let next = ASKED.iter().position(|one| *one == part).map_or(0, |at| at + 1);
                ASKED.get(next).map_or(Step::Look, |part| Step::Ask(*part))
            }
            Step::Look | Step::End => Step::End,
        };
        match self.step {
            Step::Ask(Part::Sound) => vec![Effect::ReadAloud],
            Step::Ask(Part::Printer) => vec![Effect::Service(ServiceAct::TestPage)],
            Step::Look => vec![Effect::Service(ServiceAct::Look)],
            Step::End => vec![Effect::Service(ServiceAct::Keep(self.found.clone()))],
            Step::Begin | Step::Touch | Step::Ask(_) => Vec::new(),
        }
    }
}

impl Session {
    /// The screen of a kiosk where nobody served before: the self-test, without a door, for there is nothing behind it.
    pub fn begin_first_test(&mut self) {
        self.state = State::Service(Box::new(Service::Test(Test::new(true))));
        self.patience = self.setup.delays.idle_unlimited;
    }

    /// To the door, where this kiosk has one.
    pub(super) fn knock(&mut self, moment: crate::domain::id::Moment) -> Vec<Effect> {
        if self.setup.technician.is_some() {
            let service = match self.door.ask(moment.now, moment.random) {
                Ok(question) => Service::Door {
                    question,
                    typing: Typing::new("", Accepts::Digits, CODE_DIGITS),
                },
                Err(until) => Service::Shut(until),
            };
            self.state = State::Service(Box::new(service));
        }
        Vec::new()
    }

    pub(super) fn step_service(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        let State::Service(service) = &mut self.state else {
            return Vec::new();
        };
        match (service.as_mut(), input) {
            (Service::Door { typing, .. }, Input::Typed(letters)) => typing.typed(&letters),
            (Service::Door { typing, .. }, Input::Key(Key::Enter) | Input::Continue) => {
                let Some(secret) = &self.setup.technician else {
                    return Vec::new();
                };
                match self.door.knock(secret, typing.text(), now) {
                    Knocked::Open => {
                        **service = Service::Menu {
                            look: None,
                            told: None,
                        };
                        self.patience = self.setup.delays.idle_unlimited;
                        return vec![Effect::Service(ServiceAct::Look)];
                    }
                    Knocked::Wrong(left) => {
                        let left = left.to_string();
                        let wrong = crate::i18n::fill(
                            self.comfort.language,
                            "service-door-wrong",
                            &[("left", &left)],
                        );
                        *typing = Typing::new("", Accepts::Digits, CODE_DIGITS);
                        typing.wrong = Some(wrong);
                    }
                    Knocked::Shut(until) => **service = Service::Shut(until),
                }
            }
            (Service::Door { typing, .. }, Input::Key(key)) => typing.key(key),
            (Service::Menu { look, .. }, Input::ServiceLook(seen)) => *look = Some(*seen),
            (Service::Menu { told, .. }, Input::ServiceDone { ok }) => {
                *told = Some(if ok {
                    (Tone::Good, "service-done")
                } else {
                    (Tone::Bad, "service-failed")
                });
            }
            (Service::Menu { look, told }, Input::Service(act)) => {
                (*told, *look) = match act {
                    ServiceAct::Look => (None, None),
                    _ => (Some((Tone::Info, "service-asked")), look.take()),
                };
                return vec![Effect::Service(act)];
            }
            (Service::Menu { .. }, Input::SelfTest) => **service = Service::Test(Test::new(false)),
            (Service::Test(test), input) => {
                let test = test.clone();
                return self.step_test_of(test, input, now);
            }
            (_, Input::Back | Input::Home) => return self.leave_service(now),
            _ => {}
        }
        Vec::new()
    }

    fn step_test_of(&mut self, mut test: Test, input: Input, now: Timestamp) -> Vec<Effect> {
        let effects = match (test.step, input) {
            (Step::Begin, Input::Continue) => test.next(),
            (Step::Touch, Input::Choose(square)) => {
                if let Some(touched) = test.touched.get_mut(square) {
                    *touched = true;
                }
                if test.touched.iter().all(|touched| *touched) {
                    test.found(Part::Touch, Some(true));
                    test.next()
                } else {
                    Vec::new()
                }
            }
            (Step::Touch, Input::NoAnswer) => {
                test.found(Part::Touch, Some(false));
                test.next()
            }
            (Step::Ask(part), Input::Choose(answer)) => {
                test.found(
                    part,
                    [Some(true), Some(false), None].get(answer).copied().flatten(),
                );
                test.next()
            }
            (Step::Look, Input::ServiceLook(look)) => {
                let seen = [Part::Network, Part::Clock, Part::Storage];
                let look = look.parts.into_iter().filter(|one| seen.contains(&one.part));
                test.found.extend(look);
                test.next()
            }
            (Step::End, Input::Continue) => {
                if test.first {
                    return self.leave_service(now);
                }
                let menu = Service::Menu {
                    look: None,
                    told: None,
                };
                self.state = State::Service(Box::new(menu));
                return vec![Effect::Service(ServiceAct::Look)];
            }
            (_, Input::Back | Input::Home) => return self.leave_service(now),
            _ => Vec::new(),
        };
        self.state = State::Service(Box::new(Service::Test(test)));
        effects
    }

    fn leave_service(&mut self, now: Timestamp) -> Vec<Effect> {
        self.wipe(now, super::Outcome::Left)
    }

    pub(super) fn show_service(&self, service: &Service, draw: &mut Draw<'_>) -> View {
        match service {
            Service::Door { question, typing } => self.show_door(question, typing, draw),
            Service::Shut(until) => {
                let mut view = draw.page(Face::Service, draw.words("service-title"));
                let time = until
                    .to_zoned_datetime(self.setup.zone.clone())
                    .strftime("%H:%M")
                    .to_string();
                view.blocks = vec![Block::Note {
                    tone: Tone::Bad,
                    icon: "lock-key",
                    title: draw.say("service-shut"),
                    text: draw.fill("service-shut-text", &[("time", &time)]),
                }];
                view.bottom = draw.bottom_back();
                view
            }
            Service::Menu { look, told } => self.show_menu(look.as_ref(), *told, draw),
            Service::Test(test) => self.show_test(test, draw),
        }
    }

    fn show_door(&self, question: &str, typing: &Typing, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Service, draw.words("service-title"));
        let shown = question
            .split_at_checked(3)
            .map_or_else(|| question.to_owned(), |(head, tail)| format!("{head} {tail}"));
        view.help = draw.fill(
            "service-door-help",
            &[("kiosk", &self.setup.device), ("question", &shown)],
        );
        let typed = typing.text();
        view.blocks = vec![Block::Field {
            label: draw.say("service-door-label"),
            value: typed
                .split_at_checked(4)
                .filter(|(_, tail)| !tail.is_empty())
                .map_or_else(|| typed.to_owned(), |(head, tail)| format!("{head} {tail}")),
            placeholder: String::new(),
            counter: String::new(),
            wrong: typing.wrong.is_some(),
        }];
        if let Some(wrong) = &typing.wrong {
            view.blocks.push(Block::Note {
                tone: Tone::Bad,
                icon: "warning-circle",
                title: String::new(),
                text: wrong.clone(),
            });
        }
        view.keyboard = Some(super::browse::keyboard(KeyboardKind::Digits, typing, draw));
        view.primary = Some(draw.button("lock-key-open", "service-open", Input::Continue));
        view.bottom = draw.bottom_back();
        view
    }

    fn show_menu(
        &self,
        look: Option<&ServiceLook>,
        told: Option<(Tone, &'static str)>,
        draw: &mut Draw<'_>,
    ) -> View {
        let mut view = draw.page(Face::Service, draw.words("service-title"));
        if let Some((tone, key)) = told {
            let icon = match tone {
                Tone::Good => "check-circle",
                Tone::Bad => "warning-circle",
                Tone::Info | Tone::Warn => "info",
            };
            view.blocks.push(Block::Note {
                tone,
                icon,
                title: String::new(),
                text: draw.say(key),
            });
        }
        match look {
            None => view.help = draw.say("service-looking"),
            Some(look) => view.blocks.push(panel(&look.parts, draw)),
        }
        let mut rows = vec![
            draw.item(
                "printer",
                draw.say("service-test-page"),
                String::new(),
                Input::Service(ServiceAct::TestPage),
            ),
            draw.item(
                "list-checks",
                draw.say("service-self-test"),
                String::new(),
                Input::SelfTest,
            ),
            draw.item(
                "clock-clockwise",
                draw.say("service-look-again"),
                String::new(),
                Input::Service(ServiceAct::Look),
            ),
            draw.item(
                "arrow-counter-clockwise",
                draw.say("service-restart"),
                String::new(),
                Input::Service(ServiceAct::Restart),
            ),
        ];
        if look.is_some_and(|look| look.updates) {
            let words = draw.say("service-update");
            rows.push(draw.item(
                "gauge",
                words,
                String::new(),
                Input::Service(ServiceAct::UpdateNow),
            ));
        }
        if look.is_some_and(|look| look.remote) {
            let words = draw.say("service-remote");
            rows.push(draw.item(
                "lock-key-open",
                words,
                String::new(),
                Input::Service(ServiceAct::Remote),
            ));
        }
        view.blocks.push(Block::Tiles(rows));
        view.bottom = draw.bottom_back();
        view
    }

    fn show_test(&self, test: &Test, draw: &mut Draw<'_>) -> View {
        let title = match test.step {
            Step::Begin => "service-test-title",
            Step::Touch => "service-test-touch",
            Step::Ask(Part::Screen) => "service-test-screen",
            Step::Ask(Part::Sound) => "service-test-sound",
            Step::Ask(Part::Printer) => "service-test-printer",
            Step::Ask(_) => "service-test-keypad",
            Step::Look => "service-looking",
            Step::End => "service-test-end",
        };
        let mut view = draw.page(Face::Service, draw.words(title));
        match test.step {
            Step::Begin => {
                view.help = draw.say(if test.first {
                    "service-test-first"
                } else {
                    "service-test-help"
                });
                view.primary = Some(draw.button("arrow-right", "service-test-begin", Input::Continue));
            }
            Step::Touch => {
                let squares = test.touched.iter().enumerate().map(|(n, touched)| Item {
                    chosen: *touched,
                    ..draw.item(
                        if *touched { "check" } else { "hand-tap" },
                        (n + 1).to_string(),
                        String::new(),
                        Input::Choose(n),
                    )
                });
                view.blocks = vec![Block::Tiles(squares.collect())];
                view.secondary = Some(draw.button("x", "service-test-touch-bad", Input::NoAnswer));
            }
            Step::Ask(part) => {
                view.help = draw.say(&format!("service-test-{}-help", part.code()));
                let answers = [
                    ("check", "service-test-yes"),
                    ("x", "service-test-no"),
                    ("minus", "service-test-none"),
                ];
                let items = answers.into_iter().enumerate().map(|(n, (icon, key))| {
                    let words = draw.say(key);
                    draw.item(icon, words, String::new(), Input::Choose(n))
                });
                view.blocks = vec![Block::BigChoices(items.collect())];
            }
            Step::Look => {}
            Step::End => {
                let wrong = test.found.iter().any(|one| one.ok == Some(false));
                let (tone, icon, key) = if wrong {
                    (Tone::Bad, "warning-circle", "service-test-wrong")
                } else {
                    (Tone::Good, "check-circle", "service-test-well")
                };
                view.blocks = vec![
                    Block::Note {
                        tone,
                        icon,
                        title: String::new(),
                        text: draw.say(key),
                    },
                    panel(&test.found, draw),
                ];
                let key = if test.first {
                    "service-test-serve"
                } else {
                    "service-test-back"
                };
                view.primary = Some(draw.button("arrow-right", key, Input::Continue));
            }
        }
        view.bottom = draw.bottom_back();
        view
    }
}

/// How each part is: its word, its sign, what was seen.
fn panel(parts: &[PartLook], draw: &Draw<'_>) -> Block {
    let facts = parts.iter().map(|one| {
        let state = match one.ok {
            Some(true) => "service-ok",
            Some(false) => "service-bad",
            None => "service-unknown",
        };
        let state = draw.say(state);
        Fact {
            icon: one.part.icon(),
            label: draw.say(&format!("service-part-{}", one.part.code())),
            value: if one.detail.is_empty() {
                state
            } else if one.ok == Some(true) {
                one.detail.clone()
            } else {
                format!("{state}: {}", one.detail)
            },
            change: None,
        }
    });
    Block::Review {
        rows: facts.collect(),
        change_word: String::new(),
    }
}

#[cfg(test)]
mod tests;
