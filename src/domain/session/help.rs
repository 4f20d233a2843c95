//! A person, please: the call to the office, what it says, and its end.
//!
//! The office hears kiosk and step, never an answer. What the screen shows meanwhile covers the answers too.

use jiff::Timestamp;

use super::browse::Place;
use super::draw::Draw;
use super::overlay::Overlay;
use super::view::{Block, Face, Fact, View};
use super::{Effect, Input, Session, State};
use crate::i18n::{self, Language};

/// Whether somebody was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Help {
    /// Nobody.
    #[default]
    No,
    /// The office is being told.
    Asked { since: Timestamp },
    /// Somebody there knows.
    Coming { since: Timestamp },
    /// The office does not answer: only waving helps, until it does.
    Unheard { since: Timestamp },
}

impl Help {
    /// The office answered, or did not.
    pub(super) fn heard(&mut self, ok: bool) {
        *self = match (*self, ok) {
            // An answer to a call that was taken back.
            (Self::No, _) => Self::No,
            (Self::Asked { since } | Self::Coming { since } | Self::Unheard { since }, true) => {
                Self::Coming { since }
            }
            (Self::Asked { since } | Self::Coming { since } | Self::Unheard { since }, false) => {
                Self::Unheard { since }
            }
        };
    }

    /// Whether a person is on the way as far as we know.
    pub(super) fn is_awaited(self) -> bool {
        matches!(self, Self::Coming { .. })
    }
}

impl Session {
    /// Opens the page and calls a person; who called already is not called twice.
    pub(super) fn call_help(&mut self, now: Timestamp) -> Vec<Effect> {
        let step = self.told_step();
        self.overlay = Some(Overlay::Help);
        let again = self.setup.delays.help_again;
        match self.help {
            Help::Asked { since } | Help::Coming { since } | Help::Unheard { since }
                if now.duration_since(since).abs() < again =>
            {
                return Vec::new();
            }
            Help::No | Help::Asked { .. } | Help::Coming { .. } | Help::Unheard { .. } => {}
        }
        self.help = Help::Asked { since: now };
        vec![Effect::CallHelp { step }]
    }

    /// Takes the call back, if there is one.
    pub(super) fn end_help(&mut self) -> Vec<Effect> {
        match std::mem::take(&mut self.help) {
            Help::No => Vec::new(),
            // Also where nobody answered: the office may have heard it all the same.
            Help::Asked { .. } | Help::Coming { .. } | Help::Unheard { .. } => vec![Effect::EndHelp],
        }
    }

    /// Where the citizen is, in the words of staff.
    fn told_step(&self) -> String {
        let key = match &self.state {
            State::Filling(run) => return run.told_step(self),
            State::Attract | State::OutOfService => "help-step-start",
            State::Browsing => match self.trail.last() {
                Some(Place::Search(_)) => "help-step-search",
                Some(Place::Procedure(id)) => {
                    return self
                        .setup
                        .catalogue
                        .procedure(id)
                        .map(|procedure| procedure.printed_name(Language::Spanish).to_owned())
                        .unwrap_or_default();
                }
                None
                | Some(
                    Place::Home { .. }
                    | Place::LifeEvent { .. }
                    | Place::Categories { .. }
                    | Place::Category { .. },
                ) => "help-step-choosing",
            },
            State::TurnQueue { .. } | State::TurnLane { .. } | State::Missed(_) => "help-step-turn",
            State::Saving(_) | State::Success(_) | State::Rating { .. } => "help-step-end",
            State::Code(_) | State::Looking | State::Answer(_) => "help-step-code",
        };
        i18n::say(Language::Spanish, key)
    }

    pub(super) fn show_help(&self, draw: &mut Draw<'_>) -> View {
        let (title, text) = match self.help {
            Help::Coming { .. } => ("help-coming-title", "help-coming-text"),
            Help::Asked { .. } => ("help-asked-title", "help-text"),
            Help::No | Help::Unheard { .. } => ("help-title", "help-text"),
        };
        let title = draw.words(title);
        let mut view = draw.page(Face::Help, title);
        view.help = draw.say(text);
        let fact = |icon, label, value| Fact {
            icon,
            label,
            value,
            change: None,
        };
        view.blocks = vec![Block::Facts(match self.help {
            Help::Coming { .. } | Help::Asked { .. } => {
                vec![fact("info", draw.say("help-told"), self.told_step())]
            }
            Help::No | Help::Unheard { .. } => {
                vec![fact(
                    "headphones",
                    draw.say("help-phone"),
                    self.setup.phone.clone(),
                )]
            }
        })];
        view.primary = Some(draw.button("arrow-left", "help-back", Input::Close));
        if matches!(self.help, Help::Coming { .. } | Help::Asked { .. }) {
            view.secondary = Some(draw.button("x", "help-end", Input::HelpEnd));
        }
        view.bottom = draw.bottom_back();
        view
    }
}
