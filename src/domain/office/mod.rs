//! The office's open day: tickets, lanes and counters, as a fold over its events.
//!
//! [`Office::handle`] takes a command and answers with events; [`Office::apply`] is the only thing that changes
//! the state. Nothing here reads a clock or a file.
//! Begin at [`Office`]; commands and their refusals are in `command`, the rules in `decide`, what events do in
//! `fold`, numbers in `numbers`, waits in `wait`, hours and caps in `hours` and `intake`, what an administrator
//! changes in `settings`.

mod admit;
mod command;
mod day;
mod decide;
mod fold;
mod hours;
mod intake;
mod numbers;
pub mod settings;
mod setup;
mod wait;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use command::{Command, Handled, Issue, Leased, Order, Outcome, Refusal, TransferPlace};
pub use hours::{Hours, HoursProblem, Standing, span_text};
pub use intake::Intake;
pub use numbers::LEASE_DAYS;
pub use setup::{CounterSetup, OfficeSetup, QueueSetup, SetupProblem, Zone, profile_name};

use super::event::OfficeEvent;
use super::id::TicketId;
use super::printing::{ORDER_LIFE, OrderOutcome, PaperOrder};
use super::queue::{Decision, Line, Profile, Runs};
use super::ticket::{BusinessDate, CounterNumber, KioskId, Place, QueueId, Series, Ticket, shown};
use numbers::Numbers;

/// The state of the open day.
#[derive(Clone, PartialEq, Debug)]
pub struct Office {
    setup: Arc<OfficeSetup>,
    seq: u64,
    arrivals: u64,
    date: Option<BusinessDate>,
    tickets: HashMap<TicketId, Ticket>,
    lines: BTreeMap<QueueId, Line>,
    parked: BTreeMap<Place, TicketId>,
    /// Appointments that are not due yet, by their hour.
    early: BTreeSet<(Timestamp, TicketId)>,
    counters: BTreeMap<CounterNumber, Counter>,
    runs: Runs,
    numbers: BTreeMap<Series, Numbers>,
    service: HashMap<QueueId, VecDeque<SignedDuration>>,
    calls: VecDeque<Call>,
    announced: VecDeque<Announced>,
    continued: Option<String>,
    /// Profiles that counters have until the end of the day.
    profiles: BTreeMap<CounterNumber, Profile>,
    /// Queues whose system does not work, with what staff said.
    down: BTreeMap<QueueId, Option<String>>,
    /// Queues that staff stopped for today.
    stopped: BTreeSet<QueueId>,
    /// Tickets given today, without those given back.
    issued: HashMap<QueueId, u32>,
    help: BTreeMap<KioskId, HelpCall>,
    orders: BTreeMap<KioskId, Vec<StandingOrder>>,
    returns: u64,
}

/// Somebody at a kiosk waits for a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HelpCall {
    /// Since when.
    pub since: Timestamp,
    /// At which step.
    pub step: Option<String>,
    /// Since when somebody of the staff is on the way.
    pub attended_at: Option<Timestamp>,
}

/// Orders for its printers that are kept of a kiosk, so that staff see what became of the latest.
const ORDERS_KEPT: usize = 8;

/// What staff asked of a kiosk's printers, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StandingOrder {
    /// Number of the event that asked.
    pub asked: u64,
    /// When.
    pub at: Timestamp,
    /// Who asked.
    pub who: Option<String>,
    /// What.
    pub order: PaperOrder,
    /// What became of it, once the kiosk said so.
    pub outcome: Option<OrderOutcome>,
}

impl StandingOrder {
    /// Whether the kiosk should still do it.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.outcome.is_none() && now.duration_since(self.at) < ORDER_LIFE
    }
}

/// A counter now.
#[derive(Clone, PartialEq, Debug)]
pub struct Counter {
    /// Whether it attends.
    pub state: CounterState,
    /// Since when.
    pub since: Timestamp,
    /// Who opened it.
    pub who: Option<String>,
    /// The ticket called to it or attended at it.
    pub ticket: Option<TicketId>,
}

impl Counter {
    /// A counter where nobody has worked yet.
    fn closed() -> Self {
        Self {
            state: CounterState::Closed,
            since: Timestamp::UNIX_EPOCH,
            who: None,
            ticket: None,
        }
    }
}

/// Whether a counter attends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CounterState {
    /// Nobody works there; every day begins so.
    Closed,
    /// Somebody works there.
    Open,
    /// A break.
    Paused {
        /// Why.
        reason: Option<String>,
    },
}

impl CounterState {
    /// The word used in the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Paused { .. } => "paused",
        }
    }
}

/// A call and its reason.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// Its event.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who was called.
    pub ticket: TicketId,
    /// To where.
    pub counter: CounterNumber,
    /// Why.
    pub decision: Decision,
    /// Why out of turn, in the words of who did it.
    pub reason: Option<String>,
}

/// What the board shows of a call.
#[derive(Clone, PartialEq, Debug)]
pub struct Announced {
    /// Its event.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The number as shown.
    pub number: String,
    /// To where.
    pub counter: CounterNumber,
}

impl Office {
    /// An office that has seen nothing yet.
    pub fn new(setup: Arc<OfficeSetup>) -> Self {
        let counters = setup
            .counters
            .iter()
            .map(|counter| (counter.number, Counter::closed()))
            .collect();
        let lines = setup
            .queues
            .iter()
            .map(|queue| (queue.id.clone(), Line::default()))
            .collect();
        let numbers = setup
            .queues
            .iter()
            .map(|queue| (queue.series.clone(), Numbers::new(setup.lease_from)))
            .collect();
        Self {
            setup,
            seq: 0,
            arrivals: 0,
            date: None,
            tickets: HashMap::new(),
            lines,
            parked: BTreeMap::new(),
            early: BTreeSet::new(),
            counters,
            runs: Runs::default(),
            numbers,
            service: HashMap::new(),
            calls: VecDeque::new(),
            announced: VecDeque::new(),
            continued: None,
            profiles: BTreeMap::new(),
            down: BTreeMap::new(),
            stopped: BTreeSet::new(),
            issued: HashMap::new(),
            help: BTreeMap::new(),
            orders: BTreeMap::new(),
            returns: 0,
        }
    }

    /// The state after `events`, which are one day's and the leases still valid on it.
    pub fn restore<'a>(
        setup: Arc<OfficeSetup>,
        last_arrival: u64,
        events: impl IntoIterator<Item = &'a OfficeEvent>,
    ) -> Self {
        let mut office = Self::new(setup);
        office.arrivals = last_arrival;
        for event in events {
            office.apply(event);
        }
        office
    }

    /// How the office is set up.
    pub fn setup(&self) -> &Arc<OfficeSetup> {
        &self.setup
    }

    /// Number of the newest event.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The open day.
    pub fn date(&self) -> Option<BusinessDate> {
        self.date
    }

    /// Whether `now` belongs to a later day than the open one, so that nothing of it may be shown as present.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.date.is_none_or(|date| date < self.setup.date_of(now))
    }

    /// Whether anybody waits, is put aside or is at a counter.
    pub fn has_open(&self) -> bool {
        self.lines.values().any(|line| !line.is_empty())
            || !self.parked.is_empty()
            || !self.early.is_empty()
            || self.counters.values().any(|counter| counter.ticket.is_some())
    }

    /// A ticket of the open day.
    pub fn ticket(&self, id: TicketId) -> Option<&Ticket> {
        self.tickets.get(&id)
    }

    /// The open day's ticket with this number on it.
    pub fn ticket_shown(&self, number: &str) -> Option<&Ticket> {
        self.tickets
            .values()
            .find(|ticket| ticket.shown().eq_ignore_ascii_case(number))
    }

    /// All tickets of the open day, in no order.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.values()
    }

    /// Queues that give tickets, and retired ones in which somebody still waits; in the order of the board.
    pub fn queues(&self) -> impl Iterator<Item = &QueueSetup> {
        let waits = |queue: &QueueId| self.lines.get(queue).is_some_and(|line| !line.is_empty());
        let queues = self.setup.queues.iter();
        queues.filter(move |queue| !queue.retired || waits(&queue.id))
    }

    /// The waiting lines of a queue.
    pub fn line(&self, queue: &QueueId) -> Option<&Line> {
        self.lines.get(queue)
    }

    /// Tickets put aside, by arrival.
    pub fn parked(&self) -> impl Iterator<Item = &Ticket> {
        self.parked.values().filter_map(|id| self.tickets.get(id))
    }

    /// Appointments of people who are here before their hour, by their hour.
    pub fn early(&self) -> impl Iterator<Item = &Ticket> {
        self.early.iter().filter_map(|(_, id)| self.tickets.get(id))
    }

    /// What a counter serves today.
    pub fn profile(&self, counter: CounterNumber) -> Option<&Profile> {
        self.profiles
            .get(&counter)
            .or_else(|| self.setup.counter(counter).map(|setup| &setup.profile))
    }

    /// What counters serve today, by number.
    pub fn profiles(&self) -> impl Iterator<Item = (CounterNumber, &Profile)> {
        self.setup.counters.iter().map(|setup| {
            let today = self.profiles.get(&setup.number);
            (setup.number, today.unwrap_or(&setup.profile))
        })
    }

    /// Queues where somebody waits and no open counter may ever call them.
    pub fn orphaned(&self) -> Vec<&QueueId> {
        let served = |queue: &QueueId| {
            self.profiles().any(|(number, profile)| {
                let state = self.counters.get(&number).map(|counter| &counter.state);
                !matches!(state, None | Some(CounterState::Closed)) && profile.serves(queue)
            })
        };
        self.lines
            .iter()
            .filter(|(queue, line)| !line.is_empty() && !served(queue))
            .map(|(queue, _)| queue)
            .collect()
    }

    /// Kiosks where somebody waits for a person.
    pub fn help_calls(&self) -> impl Iterator<Item = (&KioskId, &HelpCall)> {
        self.help.iter().filter(|(_, call)| call.attended_at.is_none())
    }

    /// What staff asked of a kiosk's printers today, oldest first.
    pub fn orders(&self, kiosk: &KioskId) -> &[StandingOrder] {
        self.orders.get(kiosk).map_or(&[], Vec::as_slice)
    }

    /// The call for a person at a kiosk, until it is taken back; also while somebody is on the way.
    pub fn help_of(&self, kiosk: &KioskId) -> Option<&HelpCall> {
        self.help.get(kiosk)
    }

    /// A counter.
    pub fn counter(&self, number: CounterNumber) -> Option<&Counter> {
        self.counters.get(&number)
    }

    /// All counters, by number.
    pub fn counters(&self) -> impl Iterator<Item = (CounterNumber, &Counter)> {
        self.counters.iter().map(|(number, counter)| (*number, counter))
    }

    /// The newest calls with their reasons, newest last.
    pub fn calls(&self) -> impl DoubleEndedIterator<Item = &Call> {
        self.calls.iter()
    }

    /// The newest announcement of each number, newest last: the last few of each counter.
    pub fn announced(&self) -> impl DoubleEndedIterator<Item = &Announced> {
        self.announced.iter()
    }

    /// Whether an announced ticket is still at the counter it was announced for.
    pub fn is_still_there(&self, announced: &Announced) -> bool {
        self.counter(announced.counter)
            .and_then(|counter| counter.ticket)
            .is_some_and(|id| self.shown(id) == announced.number)
    }

    /// Why today's numbers do not go on without a gap, if they do not.
    pub fn continued(&self) -> Option<&str> {
        self.continued.as_deref()
    }

    /// Runs of contested calls.
    pub fn runs(&self) -> &Runs {
        &self.runs
    }

    #[cfg(test)]
    fn lines(&self) -> &BTreeMap<QueueId, Line> {
        &self.lines
    }

    /// The number of a ticket as people see it, for words about it.
    pub fn shown(&self, id: TicketId) -> String {
        self.tickets
            .get(&id)
            .map_or_else(|| "–".to_owned(), |ticket| shown(&ticket.series, ticket.number))
    }
}
