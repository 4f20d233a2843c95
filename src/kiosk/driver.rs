//! The session on the screen's thread: touches in, effects out to the shell, results in from its inbox.

use std::cell::{Cell, RefCell};

use tokio::sync::mpsc::UnboundedSender;

use super::narrator::Narrator;
use super::pad::Moved;
use super::run::{Driver, Key, VoiceKey};
use crate::app::kiosk::{Inbox, RunningKiosk};
use crate::app::service::{Presence, Pulse};
use crate::clock::{self, Clock};
use crate::devices::narrator::{self, Reading};
use crate::domain::id::Moment;
use crate::domain::session::view::{Action, Face, View};
use crate::domain::session::{self, Comfort, Effect, Input, Session};
use crate::domain::sketch::Point;
use crate::i18n::{Language, say};

/// Drives one kiosk's session.
pub struct SessionDriver {
    session: Session,
    clock: Clock,
    effects: UnboundedSender<Effect>,
    inbox: Inbox,
    /// Nothing where the machine has no voice.
    narrator: Option<Narrator>,
    /// What the controls of the view that was shown last give: a touch belongs to what the citizen saw.
    shown: RefCell<Vec<Input>>,
    /// Whether the view that was shown last belongs to somebody.
    taken: Cell<bool>,
    pulse: Pulse,
    presence: Presence,
}

impl SessionDriver {
    /// A session nobody has touched yet, in front of a running kiosk.
    pub fn new(kiosk: &RunningKiosk, inbox: Inbox) -> Self {
        let narrator = narrator::open().map(|speaker| Narrator::new(Box::new(speaker)));
        let mut session = Session::new(kiosk.setup.clone(), kiosk.clock.now());
        if kiosk.first {
            session.begin_first_test();
        }
        Self::with(
            session,
            kiosk.clock.clone(),
            kiosk.effects.clone(),
            inbox,
            narrator,
        )
    }

    /// Drives a session whose effects go wherever the other end of `effects` is.
    pub fn with(
        session: Session,
        clock: Clock,
        effects: UnboundedSender<Effect>,
        inbox: Inbox,
        narrator: Option<Narrator>,
    ) -> Self {
        Self {
            session,
            clock,
            effects,
            inbox,
            narrator,
            shown: RefCell::default(),
            taken: Cell::new(false),
            pulse: Pulse::default(),
            presence: Presence::default(),
        }
    }

    /// Gives signs of life with every turn of the screen, and shows whether somebody is there.
    #[must_use]
    pub fn watched(mut self, pulse: Pulse, presence: Presence) -> Self {
        self.pulse = pulse;
        self.presence = presence;
        self
    }

    /// The language of the invitation, until its first visitor chooses.
    pub fn speak(&mut self, language: Language) {
        self.step(Input::Comfort(Comfort {
            language,
            ..Comfort::default()
        }));
    }

    fn step(&mut self, input: Input) {
        let moment = Moment {
            now: self.clock.now(),
            random: clock::random(),
        };
        for effect in self.session.step(input, moment) {
            if matches!(effect, Effect::ReadAloud) {
                let view = self.session.show(moment.now).0;
                self.narrator
                    .iter_mut()
                    .for_each(|narrator| narrator.toggle(&view));
                continue;
            }
            // A shell that is gone is stopping, and the screen with it.
            let _ = self.effects.send(effect);
        }
        if let Some(narrator) = &mut self.narrator {
            narrator.look(&self.session.show(moment.now).0);
        }
    }

    fn now_shown(&self) -> View {
        self.session.show(self.clock.now()).0
    }
}

impl Driver for SessionDriver {
    fn view(&self) -> View {
        let (mut view, inputs) = self.session.show(self.clock.now());
        self.shown.replace(inputs);
        self.taken.set(view.face.is_somebodys());
        if let (Some(listen), Some(narrator)) = (&mut view.listen, &self.narrator) {
            // The same button holds on and goes on while something is being said.
            let language = Language::from_code(view.language).unwrap_or_default();
            match narrator.state() {
                Reading::Silent => {}
                Reading::Speaking => {
                    (listen.icon, listen.words) = ("pause", say(language, "listen-pause").into())
                }
                Reading::Paused => listen.words = say(language, "listen-go-on").into(),
            }
        }
        view
    }

    fn act(&mut self, action: Action) {
        let input = self.shown.borrow().get(usize::from(action.0)).cloned();
        if let Some(input) = input {
            self.step(input);
        }
    }

    fn typed(&mut self, text: &str) {
        self.step(Input::Typed(text.to_owned()));
        let view = self.now_shown();
        self.narrator
            .iter_mut()
            .for_each(|narrator| narrator.typed(text, &view));
    }

    fn drawn(&mut self, stroke: &[Point]) {
        self.step(Input::Stroke(stroke.to_vec()));
    }

    fn moved(&mut self, moved: &Moved) {
        let view = self.now_shown();
        // Who comes with the keypad may see nothing: the first key brings the voice.
        let arrived = matches!(moved, Moved::Touch(..));
        if view.face == Face::Attract && view.voice.is_none() && self.narrator.is_some() && !arrived {
            self.step(Input::Listen);
            return;
        }
        self.narrator
            .iter_mut()
            .for_each(|narrator| narrator.moved(moved, &view));
    }

    fn voice(&mut self, key: VoiceKey) {
        let by = match key {
            VoiceKey::Louder(by) => Some(Input::Louder(by)),
            VoiceKey::Faster(by) => Some(Input::Faster(by)),
            VoiceKey::Repeat | VoiceKey::Pause => None,
        };
        if let Some(input) = by {
            self.step(input);
        }
        let view = self.now_shown();
        let (Some(narrator), Some(voice)) = (&mut self.narrator, view.voice) else {
            // Who presses a key of the voice wants one.
            self.step(Input::Listen);
            return;
        };
        match key {
            VoiceKey::Repeat => narrator.repeat(&view),
            VoiceKey::Pause => narrator.toggle(&view),
            VoiceKey::Louder(_) => narrator.tell_manner("access-volume", voice.volume, &view),
            VoiceKey::Faster(_) => narrator.tell_manner("access-speed", voice.speed, &view),
        }
    }

    fn headphones(&mut self, are_in: bool) {
        self.step(Input::Headphones(are_in));
    }

    fn light(&mut self) {
        self.step(Input::Light);
    }

    fn key(&mut self, key: Key) {
        self.step(Input::Key(match key {
            Key::Shift => session::Key::Shift,
            Key::Back => session::Key::Back,
            Key::Clear => session::Key::Clear,
            Key::Digits => session::Key::Digits,
        }));
    }

    fn tick(&mut self) {
        self.step(Input::Tick);
    }

    fn turned(&mut self) {
        self.presence.tell(self.taken.get());
        self.pulse.passed();
    }

    fn inbox(&mut self) -> bool {
        let mut changed = false;
        while let Some(input) = self.inbox.take() {
            self.step(input);
            changed = true;
        }
        changed
    }
}
