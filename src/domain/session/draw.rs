//! What every screen has: bar, words in the right language, the four buttons that never move.

use jiff::Timestamp;

use super::view::{Action, Button, Face, Item, TextSize, View, Words};
use super::{Input, Session};
use crate::i18n::{self, Language};

/// Gathers the inputs of one screen while it is drawn.
pub(super) struct Draw<'a> {
    session: &'a Session,
    now: Timestamp,
    inputs: Vec<Input>,
}

impl<'a> Draw<'a> {
    pub(super) fn new(session: &'a Session, now: Timestamp) -> Self {
        Self {
            session,
            now,
            inputs: Vec::new(),
        }
    }

    pub(super) fn into_inputs(self) -> Vec<Input> {
        self.inputs
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Gives `input` a number.
    pub(super) fn on(&mut self, input: Input) -> Option<Action> {
        let number = u16::try_from(self.inputs.len()).expect("a screen has few controls");
        self.inputs.push(input);
        Some(Action(number))
    }

    /// Whether a line of small words beside the answers has no room for a long sentence.
    pub(super) fn is_tight(&self) -> bool {
        self.session.setup.landscape && self.session.comfort.size == TextSize::Huge
    }

    pub(super) fn say(&self, key: &str) -> String {
        i18n::say(self.session.language(), key)
    }

    pub(super) fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        i18n::fill(self.session.language(), key, values)
    }

    pub(super) fn words(&self, key: &str) -> Words {
        Words {
            text: self.say(key),
            beside: i18n::beside(self.session.language(), key).unwrap_or_default(),
        }
    }

    pub(super) fn button(&mut self, icon: &'static str, key: &str, input: Input) -> Button {
        Button {
            icon,
            words: self.words(key),
            action: self.on(input),
        }
    }

    pub(super) fn item(&mut self, icon: &'static str, text: String, note: String, input: Input) -> Item {
        Item {
            icon,
            words: text.into(),
            note,
            action: self.on(input),
            chosen: false,
        }
    }

    /// A screen with its bar and buttons and nothing in it.
    pub(super) fn page(&mut self, face: Face, title: Words) -> View {
        let session = self.session;
        let setup = &session.setup;
        let quiet = matches!(
            face,
            Face::Attract | Face::Saving | Face::Covered | Face::OutOfService | Face::Idle
        );
        // There the largest letters leave no room for it: OK on the heading reads the screen, and so does every new one.
        let narrow = session.comfort.size == TextSize::Huge && (session.is_low() || session.setup.landscape);
        let quiet = quiet || narrow;
        let listen = (session.around.voice && !quiet).then(|| {
            let key = match session.comfort.size {
                TextSize::Normal => "listen",
                TextSize::Large | TextSize::Huge => "listen-short",
            };
            self.button("speaker-high", key, Input::Listen)
        });
        let kiosk = self.fill("kiosk-name", &[("name", &setup.kiosk)]);
        View {
            face,
            language: session.language().code(),
            theme: session.comfort.theme,
            size: session.comfort.size,
            // Wide and low, larger letters fill the height as it is: letters go before reach.
            reach: session.is_low(),
            voice: session.comfort.voice,
            headphones: session.headphones,
            dark: session.comfort.dark && session.headphones,
            place: setup.place.clone(),
            place_note: format!("{} · {kiosk}", setup.office_kind),
            clock: self
                .now
                .to_zoned_datetime(setup.zone.clone())
                .strftime("%H:%M")
                .to_string(),
            offline: if session.around.offline {
                self.say("offline")
            } else {
                String::new()
            },
            cover: None,
            progress: None,
            over_title: String::new(),
            title,
            help: String::new(),
            listen,
            blocks: Vec::new(),
            keyboard: None,
            primary: None,
            secondary: None,
            bottom: Vec::new(),
        }
    }

    /// The four buttons, the first of them going back.
    pub(super) fn bottom_back(&mut self) -> Vec<Button> {
        let back = self.button("arrow-left", "bar-back", Input::Back);
        self.bottom(back)
    }

    /// The four buttons with another first one.
    pub(super) fn bottom(&mut self, first: Button) -> Vec<Button> {
        // The largest letters leave room for one word, and so does Kichwa with its Spanish.
        let kichwa = self.session.language() == Language::Kichwa;
        let (help, access) = match self.session.comfort.size {
            _ if kichwa => ("bar-help-short", "bar-access"),
            TextSize::Huge => ("bar-help-short", "bar-access-short"),
            TextSize::Normal | TextSize::Large => ("bar-help", "bar-access"),
        };
        let (hand, help) = match self.session.help.bar_word() {
            Some(word) => ("hand-waving", word),
            None => ("chats-circle", help),
        };
        vec![
            first,
            self.button(hand, help, Input::Help),
            self.button("person-arms-spread", access, Input::Accessibility),
            self.button("sign-out", "bar-finish", Input::Finish),
        ]
    }

    /// The button that hides personal data; the bar then leaves out the kiosk's name to make room.
    pub(super) fn private(&mut self, view: &mut View) {
        view.place_note.clone_from(&self.session.setup.office_kind);
        view.cover = Some(self.button("eye-slash", "bar-cover", Input::Cover));
    }

    /// `20 a 30 minutos`, or what is said when nobody knows.
    pub(super) fn wait(&self, open: Option<bool>, wait: Option<(u32, u32)>) -> String {
        match (open, wait) {
            (_, Some((from, to))) => self.fill(
                "turn-minutes",
                &[("from", &from.to_string()), ("to", &to.to_string())],
            ),
            (Some(false), None) => self.say("turn-no-counter"),
            (_, None) => self.say("turn-wait-unknown"),
        }
    }
}
