//! One citizen at the screen: what a touch means and what is shown next.
//!
//! [`Session::step`] takes what happened and says what to do; [`Session::show`] says what the screen looks like.
//! It reads no clock, saves nothing and prints nothing: the shell does, and comes back with an [`Input`].
//! From any state silence leads home, and with the state everything the citizen wrote is dropped and wiped.

mod browse;
mod draw;
mod far;
mod finish;
mod form;
mod help;
mod io;
mod missed;
mod overlay;
mod paging;
mod question;
mod resume;
mod search_box;
mod service;
mod turn;
pub mod view;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::domain::id::Moment;
use crate::domain::procedure::Catalogue;
use crate::domain::search::SearchIndex as Index;
use crate::domain::technician;
use crate::forms::Form;
use crate::i18n::Language;

use browse::Place;
use draw::Draw;
use finish::{Answer, Success};
use form::FormRun;
pub use form::{Draft, KeptForm, KeptRow};
use help::Help;
pub use io::{
    AnswerRow, Attachment, CaseFar, CaseLook, Comfort, ConsentGiven, Effect, Input, KeepRequest, KeptFound,
    Key, NoTurn, NotKept, Outcome, QueueLook, ResultBox, Saved, Shut, SubmitRequest, Surroundings, TurnFound,
    TurnLook, TurnWish, UsageMark,
};
use overlay::Overlay;
pub use paging::{above, is_beside, pad_width};
use resume::{Digits, Kept, Unlocking};
use search_box::Typing;
use service::Service;
pub use service::{Part, PartLook, ServiceAct, ServiceLook};
use view::View;

/// Why the waiting times are what they are.
#[derive(Clone, Copy, Debug)]
pub struct Delays {
    /// Silence before we ask; DESIGN asks for 60 s, and a slow reader needs most of them for one screen.
    pub idle_after: SignedDuration,
    /// How long the question stands; EN 301 549 asks for 20 s at least.
    pub idle_countdown: SignedDuration,
    /// Silence allowed after "I need more time".
    pub idle_extended: SignedDuration,
    /// Silence allowed when the citizen chose no limit: a forgotten form must still vanish.
    pub idle_unlimited: SignedDuration,
    /// Silence allowed while a person was called: they may come from the other end of the hall.
    pub help_comes: SignedDuration,
    /// After this long a new touch on the help button is a new call: staff may have ended the first.
    pub help_again: SignedDuration,
    /// How long the question about satisfaction waits before it goes on by itself.
    pub rating: SignedDuration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            idle_after: SignedDuration::from_secs(60),
            idle_countdown: SignedDuration::from_secs(30),
            idle_extended: SignedDuration::from_secs(120),
            idle_unlimited: SignedDuration::from_mins(10),
            help_comes: SignedDuration::from_mins(5),
            help_again: SignedDuration::from_mins(3),
            rating: SignedDuration::from_secs(15),
        }
    }
}

/// What does not change while somebody is at the kiosk.
pub struct Setup {
    /// Names catalogue and forms: the hash of their files.
    pub edition: String,
    /// The procedures.
    pub catalogue: Arc<Catalogue>,
    /// The search over them.
    pub index: Index,
    /// Compiled forms by the name of their file in the catalogue.
    pub forms: HashMap<String, Arc<Form>>,
    /// «Quitumbe».
    pub place: String,
    /// «Administración Zonal».
    pub office_kind: String,
    /// «2», as in "Kiosco 2".
    pub kiosk: String,
    /// «08:00 a 16:30», or empty.
    pub hours: String,
    /// Where a citizen without the kiosk can ask.
    pub phone: String,
    /// Whether the screen is wider than high: it decides how much fits on a page.
    pub landscape: bool,
    /// The office's zone.
    pub zone: TimeZone,
    /// Times that the session waits.
    pub delays: Delays,
    /// Name of this kiosk for programs and technicians: `k2`.
    pub device: String,
    /// What lets technicians in; nobody comes in without it.
    pub technician: Option<technician::Secret>,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Setup({})", self.edition)
    }
}

/// The sheet that says what is wrong, wherever it is.
const AT_FAULT: usize = usize::MAX;

/// The state machine of the citizen's screen.
pub struct Session {
    setup: Arc<Setup>,
    /// A newer one, until nobody is at the screen.
    offered: Option<Arc<Setup>>,
    around: Surroundings,
    comfort: Comfort,
    /// Whether headphones are in; a fact of the machine, and no wish of the person.
    headphones: bool,
    state: State,
    /// Places to go back to, the present one last.
    trail: Vec<Place>,
    overlay: Option<Overlay>,
    help: Help,
    /// Which sheet of the present screen is shown; [`AT_FAULT`] for the one that says what is wrong.
    sheet: usize,
    /// Which sheet was shown last.
    shown_sheet: Cell<usize>,
    /// Numbers of turns, and codes of forms, that were asked for in this session.
    turns_asked: u8,
    /// The case that was asked about.
    case: far::Asked,
    /// The technician's door; its wrong codes outlive a session.
    door: technician::Door,
    last_touch: Timestamp,
    patience: SignedDuration,
}

/// Where the citizen is; each variant holds only what is valid there.
enum State {
    Attract,
    Browsing,
    Filling(Box<FormRun>),
    TurnQueue {
        page: usize,
    },
    TurnLane {
        queue: String,
    },
    /// The shell is committing; the form is kept in case it cannot.
    Saving(Option<Box<FormRun>>),
    Success(Box<Success>),
    /// The digits that will open the form again.
    Digits(Box<Digits>),
    /// The shell is handing the form to the office.
    Storing(Box<FormRun>),
    Kept(Box<Kept>),
    Code(Typing),
    /// The digits that open a form, and the wait for it.
    Unlocking(Box<Unlocking>),
    /// The last digits of the identity number, for the case that was asked about.
    LastDigits(Typing),
    /// The number of a turn that was called in vain.
    Missed(Typing),
    Looking,
    Answer(Box<Answer>),
    Rating {
        since: Timestamp,
    },
    OutOfService,
    /// A technician, not a citizen.
    Service(Box<Service>),
}

impl Session {
    /// A session nobody has touched yet.
    pub fn new(setup: Arc<Setup>, now: Timestamp) -> Self {
        let patience = setup.delays.idle_after;
        Self {
            setup,
            offered: None,
            around: Surroundings::default(),
            comfort: Comfort::default(),
            headphones: false,
            state: State::Attract,
            trail: Vec::new(),
            overlay: None,
            help: Help::default(),
            sheet: 0,
            shown_sheet: Cell::new(0),
            turns_asked: 0,
            case: far::Asked::default(),
            door: technician::Door::default(),
            last_touch: now,
            patience,
        }
    }

    /// Whether nobody is using the kiosk: the moment for updates and restarts.
    pub fn is_at_rest(&self) -> bool {
        matches!(self.state, State::Attract | State::OutOfService) && self.overlay.is_none()
    }

    /// What does not change while somebody is at the kiosk.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// How the present person reads best.
    pub fn comfort(&self) -> Comfort {
        self.comfort
    }

    /// What is answered in the open form, to go on with it after the form was changed.
    pub fn draft(&self) -> Option<Draft> {
        match &self.state {
            State::Filling(run) => Some(run.draft()),
            _ => None,
        }
    }

    /// Answers the open form as a draft does, and goes to the question that it was at.
    pub fn restore(&mut self, draft: &Draft) {
        if let State::Filling(run) = &mut self.state {
            run.restore(draft);
        }
    }

    /// Takes what happened and says what to do; a touch that no longer fits the state is ignored.
    pub fn step(&mut self, input: Input, moment: Moment) -> Vec<Effect> {
        let before = self.place();
        let mut effects = self.step_any(input, moment);
        if self.place() != before {
            let misses = matches!(&self.state, State::Filling(run) if run.misses_consent());
            self.sheet = if misses { AT_FAULT } else { 0 };
        }
        effects.extend(self.adopt());
        effects
    }

    /// Takes the newer catalogue where nobody is at the screen: between two citizens, never under somebody's hands.
    fn adopt(&mut self) -> Option<Effect> {
        if !self.is_at_rest() {
            return None;
        }
        self.setup = self.offered.take()?;
        self.patience = self.setup.delays.idle_after;
        let edition = self.setup.edition.clone();
        Some(Effect::Adopted { edition })
    }

    /// Where the citizen is, as far as another place begins with its first sheet.
    fn place(&self) -> (u8, u8, usize, Option<form::Spot>) {
        let overlay = match &self.overlay {
            None => 0,
            Some(Overlay::Idle { .. }) => 1,
            Some(Overlay::Help) => 2,
            Some(Overlay::Accessibility) => 3,
            Some(Overlay::Covered) => 4,
            Some(Overlay::Leave) => 5,
        };
        let (state, spot) = match &self.state {
            State::Attract => (0, None),
            State::Browsing => (1, None),
            State::Filling(run) => (2, Some(run.spot())),
            State::TurnQueue { .. } => (3, None),
            State::TurnLane { .. } => (4, None),
            State::Saving(_) => (5, None),
            State::Success(_) => (6, None),
            State::Code(_) => (7, None),
            State::Missed(_) => (8, None),
            State::Looking => (9, None),
            State::Answer(_) => (10, None),
            State::Rating { .. } => (11, None),
            State::OutOfService => (12, None),
            State::Digits(_) => (13, None),
            State::Storing(_) => (14, None),
            State::Kept(_) => (15, None),
            State::Unlocking(_) => (16, None),
            State::LastDigits(_) => (17, None),
            State::Service(_) => (18, None),
        };
        (overlay, state, self.trail.len(), spot)
    }

    fn step_any(&mut self, input: Input, moment: Moment) -> Vec<Effect> {
        match input {
            Input::Tick => return self.tick(moment.now),
            Input::Surroundings(around) => {
                self.surround(*around);
                return Vec::new();
            }
            Input::Offered(setup) => {
                self.offered = Some(setup);
                return Vec::new();
            }
            Input::Saved(saved) => return self.saved(*saved, moment.now),
            Input::Printed { ok } => {
                self.printed(ok);
                return Vec::new();
            }
            Input::Found(look) => {
                if matches!(self.state, State::Looking) {
                    self.case.learn(&look);
                    self.state = State::Answer(Box::new(Answer::Case(*look)));
                }
                return Vec::new();
            }
            Input::FarFound(far) => {
                if matches!(self.state, State::Looking) {
                    self.state = State::Answer(Box::new(Answer::Far(*far)));
                }
                return Vec::new();
            }
            Input::TurnFound(found) => {
                if matches!(self.state, State::Looking) {
                    self.state = State::Answer(Box::new(Answer::Turn(*found)));
                }
                return Vec::new();
            }
            Input::KeptFound(found) => {
                self.kept_found(*found, moment);
                return Vec::new();
            }
            Input::HelpHeard { ok } => {
                self.help.heard(ok);
                return Vec::new();
            }
            Input::ServiceLook(_) | Input::ServiceDone { .. } => return self.step_service(input, moment.now),
            Input::HelpComes => {
                self.help.comes();
                return Vec::new();
            }
            // Everything below is a person at the screen.
            _ => {}
        }
        self.last_touch = moment.now;
        if matches!(input, Input::Listen) {
            if !self.around.voice {
                return Vec::new();
            }
            if self.comfort.voice.is_none() {
                // The first touch switches the voice on, and the new screen is read by itself.
                self.comfort.voice = Some(view::Voice::default());
                return Vec::new();
            }
            return vec![Effect::ReadAloud];
        }
        match input {
            Input::Headphones(are_in) => {
                self.plug(are_in);
                return Vec::new();
            }
            Input::Louder(by) => {
                self.comfort.voice = self.comfort.voice.map(|voice| voice.louder(by));
                return Vec::new();
            }
            Input::Faster(by) => {
                self.comfort.voice = self.comfort.voice.map(|voice| voice.faster(by));
                return Vec::new();
            }
            Input::Light => {
                self.comfort.dark = false;
                return Vec::new();
            }
            _ => {}
        }
        if let Input::Sheet(by) = input {
            let shown = self.shown_sheet.get();
            self.sheet = shown.saturating_add_signed(isize::try_from(by).unwrap_or(0));
            return Vec::new();
        }
        if self.overlay.is_some() {
            return self.step_overlay(input, moment);
        }
        match input {
            Input::Finish => self.finish(moment.now),
            Input::Accessibility => {
                self.overlay = Some(Overlay::Accessibility);
                Vec::new()
            }
            Input::Help => self.call_help(moment.now),
            Input::Cover => {
                self.overlay = Some(Overlay::Covered);
                Vec::new()
            }
            Input::Comfort(comfort) => {
                self.comfort = comfort;
                Vec::new()
            }
            other => self.step_state(other, moment),
        }
    }

    fn step_state(&mut self, input: Input, moment: Moment) -> Vec<Effect> {
        match &mut self.state {
            State::Attract => {
                if let Input::Start(language) = input {
                    self.comfort.language = language;
                    self.go_home();
                }
                Vec::new()
            }
            State::Browsing => self.step_browse(input, moment),
            State::Filling(_) => self.step_form(input, moment),
            State::TurnQueue { .. } | State::TurnLane { .. } => self.step_turn(input, moment),
            State::Success(_) | State::Answer(_) => self.step_finish(input, moment),
            State::Code(typing)
                if matches!(input, Input::Continue | Input::Key(Key::Enter))
                    && typing.text() == service::WORD =>
            {
                self.knock(moment)
            }
            State::Code(_) => self.step_code(input),
            State::Digits(_) => self.step_digits(input, moment),
            State::Kept(_) => self.step_kept(input),
            State::Unlocking(_) => self.step_unlocking(input),
            State::LastDigits(_) => self.step_last_digits(input),
            State::Service(_) => self.step_service(input, moment.now),
            State::Missed(_) => self.step_missed(input),
            State::Rating { .. } => match input {
                Input::Rate(mark) => {
                    let mut effects = vec![Effect::Rate(mark)];
                    effects.extend(self.wipe(moment.now, Outcome::Left));
                    effects
                }
                _ => Vec::new(),
            },
            State::OutOfService if matches!(input, Input::Knock) => self.knock(moment),
            State::Saving(_) | State::Storing(_) | State::Looking | State::OutOfService => Vec::new(),
        }
    }

    fn surround(&mut self, around: Surroundings) {
        let out = around.out_of_service;
        self.around = around;
        match (&self.state, out) {
            (State::Attract, true) => self.state = State::OutOfService,
            (State::OutOfService, false) => self.state = State::Attract,
            _ => {}
        }
    }

    /// Headphones bring the voice; without them it falls silent before the hall can listen, and the screen shows again.
    fn plug(&mut self, are_in: bool) {
        self.headphones = are_in;
        if !are_in {
            self.comfort.voice = None;
            self.comfort.dark = false;
        } else if self.around.voice && self.comfort.voice.is_none() {
            self.comfort.voice = Some(view::Voice::default());
        }
    }

    /// Home, with nothing behind it.
    fn go_home(&mut self) {
        self.trail = vec![Place::Home { page: 0 }];
        self.state = State::Browsing;
    }

    /// The citizen says it is over: after an act we ask how it went; what was written is not dropped unasked; else we
    /// wipe at once.
    fn finish(&mut self, now: Timestamp) -> Vec<Effect> {
        match &self.state {
            State::Filling(run) if run.is_begun() => {
                self.overlay = Some(Overlay::Leave);
                Vec::new()
            }
            State::Success(_) => {
                self.trail.clear();
                self.state = State::Rating { since: now };
                Vec::new()
            }
            // What is being committed cannot be taken back; its outcome comes in a moment.
            State::Saving(_) | State::Storing(_) => Vec::new(),
            _ => self.wipe(now, Outcome::Left),
        }
    }

    /// Drops all that the last citizen wrote, chose or saw.
    fn wipe(&mut self, now: Timestamp, outcome: Outcome) -> Vec<Effect> {
        let mut effects = self.end_help();
        match &self.state {
            State::Filling(run) => effects.push(Effect::Count(run.mark(outcome))),
            State::Digits(digits) => effects.push(Effect::Count(digits.mark(outcome))),
            _ => {}
        }
        self.state = if self.around.out_of_service {
            State::OutOfService
        } else {
            State::Attract
        };
        self.trail = Vec::new();
        self.overlay = None;
        self.comfort = Comfort::default();
        self.patience = self.setup.delays.idle_after;
        self.turns_asked = 0;
        self.case = far::Asked::default();
        self.last_touch = now;
        effects.push(Effect::Wiped);
        effects
    }

    /// Whether everything to touch stands in the lower three fifths.
    fn is_low(&self) -> bool {
        self.comfort.reach && !(self.setup.landscape && self.comfort.size != view::TextSize::Normal)
    }

    fn language(&self) -> Language {
        self.comfort.language
    }

    /// What the screen shows now, and the inputs that its controls give.
    pub fn show(&self, now: Timestamp) -> (View, Vec<Input>) {
        let mut draw = Draw::new(self, now);
        let view = match &self.overlay {
            Some(overlay @ (Overlay::Help | Overlay::Accessibility | Overlay::Leave)) => {
                let view = self.show_overlay(overlay, &mut draw);
                self.sheets(view, false, &mut draw)
            }
            Some(overlay @ (Overlay::Idle { .. } | Overlay::Covered)) => {
                self.show_overlay(overlay, &mut draw)
            }
            None => match &self.state {
                State::Attract => self.show_attract(&mut draw),
                State::Browsing => self.show_browse(&mut draw),
                State::Filling(run) => self.show_form(run, &mut draw),
                State::TurnQueue { page } => self.show_turn_queue(*page, &mut draw),
                State::TurnLane { queue } => {
                    let view = self.show_lane(queue, None, &mut draw);
                    self.sheets(view, true, &mut draw)
                }
                State::Saving(form) => self.show_saving(form.is_some(), &mut draw),
                State::Looking => self.show_looking(&mut draw),
                State::Success(success) => {
                    let view = self.show_success(success, &mut draw);
                    self.sheets(view, false, &mut draw)
                }
                State::Code(typing) => self.show_code(typing, &mut draw),
                State::Digits(digits) => self.show_digits(digits, &mut draw),
                State::Storing(_) => self.show_storing(&mut draw),
                State::Kept(kept) => {
                    let view = self.show_kept(kept, &mut draw);
                    self.sheets(view, false, &mut draw)
                }
                State::Unlocking(unlocking) => self.show_unlocking(unlocking, &mut draw),
                State::LastDigits(typing) => self.show_last_digits(typing, &mut draw),
                State::Missed(typing) => self.show_missed(typing, &mut draw),
                State::Answer(answer) => {
                    let view = self.show_answer(answer, &mut draw);
                    self.sheets(view, false, &mut draw)
                }
                State::Rating { .. } => self.show_rating(&mut draw),
                State::OutOfService => self.show_out(&mut draw),
                State::Service(service) => {
                    let mut view = self.show_service(service, &mut draw);
                    // Nine squares and every part of the kiosk: there is no room for the largest letters low down.
                    (view.reach, view.size) = (false, view.size.min(view::TextSize::Large));
                    if view.keyboard.is_some() {
                        view
                    } else {
                        self.sheets(view, false, &mut draw)
                    }
                }
            },
        };
        (view, draw.into_inputs())
    }
}
