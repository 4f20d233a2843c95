//! The session on the screen's thread: touches in, effects out to the shell, results in from its inbox.

use std::cell::RefCell;

use tokio::sync::mpsc::UnboundedSender;

use super::run::{Driver, Key};
use crate::app::kiosk::{Inbox, RunningKiosk};
use crate::clock::{self, Clock};
use crate::domain::id::Moment;
use crate::domain::session::view::{Action, View};
use crate::domain::session::{self, Comfort, Effect, Input, Session};
use crate::i18n::Language;

/// Drives one kiosk's session.
pub struct SessionDriver {
    session: Session,
    clock: Clock,
    effects: UnboundedSender<Effect>,
    inbox: Inbox,
    /// What the controls of the view that was shown last give: a touch belongs to what the citizen saw.
    shown: RefCell<Vec<Input>>,
}

impl SessionDriver {
    /// A session nobody has touched yet, in front of a running kiosk.
    pub fn new(kiosk: &RunningKiosk, inbox: Inbox) -> Self {
        Self {
            session: Session::new(kiosk.setup.clone(), kiosk.clock.now()),
            clock: kiosk.clock.clone(),
            effects: kiosk.effects.clone(),
            inbox,
            shown: RefCell::default(),
        }
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
            // A shell that is gone is stopping, and the screen with it.
            let _ = self.effects.send(effect);
        }
    }
}

impl Driver for SessionDriver {
    fn view(&self) -> View {
        let (view, inputs) = self.session.show(self.clock.now());
        self.shown.replace(inputs);
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

    fn inbox(&mut self) -> bool {
        let mut changed = false;
        while let Some(input) = self.inbox.take() {
            self.step(input);
            changed = true;
        }
        changed
    }
}
