//! Says what happens on the screen: a new screen, a moved focus, a key, an error.
//!
//! It speaks only while the citizen wants a voice; what it says is made by [`crate::domain::speech`].

use super::pad::Moved;
use crate::devices::narrator::{Manner, Reading, Speaker};
use crate::domain::session::view::{Block, Tone, View};
use crate::domain::speech;
use crate::i18n::{self, Language};

/// The voice with what it said last.
pub struct Narrator {
    speaker: Box<dyn Speaker>,
    /// Place of the screen that was read last, and what was wrong there.
    read: Option<(String, Option<String>)>,
    /// What was answered there.
    answer: Option<String>,
    /// Whether the screen was dark.
    dark: bool,
}

impl Narrator {
    /// A voice that has said nothing yet.
    pub fn new(speaker: Box<dyn Speaker>) -> Self {
        Self {
            speaker,
            read: None,
            answer: None,
            dark: false,
        }
    }

    /// Reads the screen when it is another one than before, or when something is wrong now.
    pub fn look(&mut self, view: &View) {
        let Some(manner) = manner(view) else {
            if self.read.take().is_some() {
                self.speaker.stop();
            }
            self.dark = false;
            return;
        };
        if std::mem::replace(&mut self.dark, view.dark) != view.dark {
            // Said before anything else: how it comes back.
            let key = if view.dark { "voice-dark" } else { "voice-light" };
            self.read = Some((place(view), wrong(view)));
            self.answer = speech::answer(view);
            self.speaker.stop();
            self.speaker.say(vec![i18n::say(language(view), key)], manner);
            return;
        }
        let now = (place(view), wrong(view));
        let answer = speech::answer(view);
        let before = std::mem::replace(&mut self.answer, answer.clone());
        match &self.read {
            // An answer in place is said, so that nobody has to look whether it was taken.
            Some(read) if *read == now => {
                if let Some(answer) = answer.filter(|answer| before.as_ref() != Some(answer)) {
                    self.speaker.stop();
                    self.speaker.say(vec![answer], manner);
                }
            }
            Some((before, _)) if *before == now.0 && now.1.is_none() => self.read = Some(now),
            _ => {
                let welcome = self.read.is_none();
                self.read = Some(now);
                self.speaker.stop();
                if welcome {
                    let mut said = vec![i18n::say(language(view), "voice-welcome")];
                    if view.headphones {
                        said.push(i18n::say(language(view), "voice-headphones"));
                    }
                    self.speaker.say(said, manner);
                }
                self.speaker.say(speech::screen(view), manner);
            }
        }
    }

    /// Reads the screen once more.
    pub fn repeat(&mut self, view: &View) {
        if let Some(manner) = manner(view) {
            self.speaker.stop();
            self.speaker.say(speech::screen(view), manner);
        }
    }

    /// Holds on while it speaks, goes on after that, and reads the screen once more where it is silent.
    pub fn toggle(&mut self, view: &View) {
        match self.speaker.state() {
            Reading::Speaking => self.speaker.pause(),
            Reading::Paused => self.speaker.go_on(),
            Reading::Silent => self.repeat(view),
        }
    }

    /// What the voice is doing.
    pub fn state(&self) -> Reading {
        self.speaker.state()
    }

    /// Says how loud or how fast it is now, in that manner.
    pub fn tell_manner(&mut self, key: &str, value: u8, view: &View) {
        if let Some(manner) = manner(view) {
            self.speaker.stop();
            let said = format!("{} {value}", i18n::say(language(view), key));
            self.speaker.say(vec![said], manner);
        }
    }

    /// Says where the keypad stands now.
    pub fn moved(&mut self, moved: &Moved, view: &View) {
        let Some(manner) = manner(view) else { return };
        match moved {
            Moved::To(to) | Moved::Unavailable(to) => {
                let said = speech::element(to.role, &to.label, &to.value, to.enabled, view);
                self.speaker.stop();
                self.speaker.say(vec![said], manner);
            }
            Moved::End => {
                self.speaker.stop();
                self.speaker.say(vec![speech::end(view)], manner);
            }
            Moved::Read => self.toggle(view),
            // The screen that comes of it says what happened; an answer in place is read again.
            Moved::Touch(..) => {}
        }
    }

    /// Echoes what was typed.
    pub fn typed(&mut self, text: &str, view: &View) {
        if let Some(manner) = manner(view) {
            self.speaker.stop();
            self.speaker.say(vec![speech::key(text, view)], manner);
        }
    }

    /// A finger touched the screen: silence.
    pub fn hush(&mut self) {
        self.speaker.stop();
    }
}

fn manner(view: &View) -> Option<Manner> {
    view.voice.map(|voice| Manner {
        // Without recordings Kichwa is read by its Spanish.
        language: if view.language == "en" { "en" } else { "es" },
        speed: voice.speed,
        volume: voice.volume,
    })
}

fn language(view: &View) -> Language {
    Language::from_code(view.language).unwrap_or_default()
}

fn place(view: &View) -> String {
    let pager = view.blocks.iter().find_map(|block| match block {
        Block::Pager { place, .. } => Some(place.as_str()),
        _ => None,
    });
    let progress = view.progress.as_ref().map(|progress| progress.place.as_str());
    format!(
        "{} {} {} {} {} {}",
        // Larger letters read first and type then.
        view.keyboard.is_some(),
        view.face.name(),
        view.language,
        view.title.text,
        progress.unwrap_or_default(),
        pager.unwrap_or_default()
    )
}

fn wrong(view: &View) -> Option<String> {
    view.blocks.iter().find_map(|block| match block {
        Block::Note {
            tone: Tone::Bad,
            title,
            text,
            ..
        } => Some(format!("{title} {text}")),
        _ => None,
    })
}
