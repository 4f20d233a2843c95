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
    /// Staff have been told.
    Heard { since: Timestamp },
    /// Somebody of the staff said that they go.
    Coming { since: Timestamp },
    /// The office does not answer: only waving helps, until it does.
    Unheard { since: Timestamp },
}

impl Help {
    fn since(self) -> Option<Timestamp> {
        match self {
            Self::No => None,
            Self::Asked { since }
            | Self::Heard { since }
            | Self::Coming { since }
            | Self::Unheard { since } => Some(since),
        }
    }

    /// The office answered, or did not.
    pub(super) fn heard(&mut self, ok: bool) {
        // An answer to a call that was taken back is none.
        let Some(since) = self.since() else { return };
        *self = if ok {
            Self::Heard { since }
        } else {
            Self::Unheard { since }
        };
    }

    /// Somebody of the staff is on the way.
    pub(super) fn comes(&mut self) {
        if let Some(since) = self.since() {
            *self = Self::Coming { since };
        }
    }

    /// Whether a person will be here soon as far as we know.
    pub(super) fn is_awaited(self) -> bool {
        matches!(self, Self::Heard { .. } | Self::Coming { .. })
    }

    /// What the bar says meanwhile.
    pub(super) fn bar_word(self) -> Option<&'static str> {
        match self {
            Self::Heard { .. } => Some("bar-help-heard"),
            Self::Coming { .. } => Some("bar-help-called"),
            Self::No | Self::Asked { .. } | Self::Unheard { .. } => None,
        }
    }
}

impl Session {
    /// Opens the page and calls a person; who called already is not called twice.
    pub(super) fn call_help(&mut self, now: Timestamp) -> Vec<Effect> {
        let step = self.told_step();
        self.overlay = Some(Overlay::Help);
        let again = self.setup.delays.help_again;
        if self
            .help
            .since()
            .is_some_and(|since| now.duration_since(since).abs() < again)
        {
            return Vec::new();
        }
        self.help = Help::Asked { since: now };
        vec![Effect::CallHelp { step }]
    }

    /// Takes the call back, if there is one.
    pub(super) fn end_help(&mut self) -> Vec<Effect> {
        match std::mem::take(&mut self.help) {
            Help::No => Vec::new(),
            // Also where nobody answered: the office may have heard it all the same.
            Help::Asked { .. } | Help::Heard { .. } | Help::Coming { .. } | Help::Unheard { .. } => {
                vec![Effect::EndHelp]
            }
        }
    }

    /// Where the citizen is, in the words of staff.
    fn told_step(&self) -> String {
        let key = match &self.state {
            State::Filling(run) | State::Storing(run) => return run.told_step(self),
            State::Digits(digits) => return digits.told_step(self),
            State::Attract | State::OutOfService | State::Service(_) => "help-step-start",
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
            State::Saving(_) | State::Success(_) | State::Kept(_) | State::Rating { .. } => "help-step-end",
            State::Code(_)
            | State::LastDigits(_)
            | State::Unlocking(_)
            | State::Looking
            | State::Answer(_) => "help-step-code",
        };
        i18n::say(Language::Spanish, key)
    }

    pub(super) fn show_help(&self, draw: &mut Draw<'_>) -> View {
        let (title, text) = match self.help {
            Help::Coming { .. } => ("help-coming-title", "help-coming-text"),
            Help::Heard { .. } => ("help-heard-title", "help-heard-text"),
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
            Help::Coming { .. } | Help::Heard { .. } | Help::Asked { .. } => {
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
        if matches!(
            self.help,
            Help::Coming { .. } | Help::Heard { .. } | Help::Asked { .. }
        ) {
            view.secondary = Some(draw.button("x", "help-end", Input::HelpEnd));
        }
        view.bottom = draw.bottom_back();
        view
    }
}
