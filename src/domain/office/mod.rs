//! The office's open day: tickets, lanes and counters, as a fold over its events.
//!
//! [`Office::handle`] takes a command and answers with events; [`Office::apply`] is the only thing that changes
//! the state. Nothing here reads a clock or a file.
//! Begin at [`Office`]; commands and their refusals are in `command`, the rules in `decide`, numbers in `numbers`, waits in `wait`.

mod command;
mod decide;
mod numbers;
mod setup;
mod wait;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use command::{Command, Handled, Issue, Leased, Order, Outcome, Place, Refusal};
pub use numbers::LEASE_DAYS;
pub use setup::{CounterSetup, OfficeSetup, QueueSetup, SetupProblem};

use super::event::{OfficeEvent, What};
use super::id::TicketId;
use super::queue::{Decision, Line, Runs};
use super::ticket::{BusinessDate, CounterNumber, QueueId, Series, Status, Ticket, shown};
use numbers::Numbers;

/// How many finished attentions the mean of a queue remembers.
const SERVICE_MEMORY: usize = 30;
/// How many calls are kept at hand for «¿Por qué este?».
const CALLS_AT_HAND: usize = 60;

/// The state of the open day.
#[derive(Clone, PartialEq, Debug)]
pub struct Office {
    setup: Arc<OfficeSetup>,
    seq: u64,
    arrivals: u64,
    date: Option<BusinessDate>,
    tickets: HashMap<TicketId, Ticket>,
    lines: BTreeMap<QueueId, Line>,
    parked: BTreeMap<u64, TicketId>,
    counters: BTreeMap<CounterNumber, Counter>,
    runs: Runs,
    numbers: BTreeMap<Series, Numbers>,
    service: HashMap<QueueId, VecDeque<SignedDuration>>,
    calls: VecDeque<Call>,
    announced: VecDeque<Announced>,
    continued: Option<String>,
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
            .map(|counter| {
                let closed = Counter {
                    state: CounterState::Closed,
                    since: Timestamp::UNIX_EPOCH,
                    who: None,
                    ticket: None,
                };
                (counter.number, closed)
            })
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
            counters,
            runs: Runs::default(),
            numbers,
            service: HashMap::new(),
            calls: VecDeque::new(),
            announced: VecDeque::new(),
            continued: None,
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

    /// The waiting lines of a queue.
    pub fn line(&self, queue: &QueueId) -> Option<&Line> {
        self.lines.get(queue)
    }

    /// Tickets put aside, by arrival.
    pub fn parked(&self) -> impl Iterator<Item = &Ticket> {
        self.parked.values().filter_map(|id| self.tickets.get(id))
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

    /// What the board shows: the newest announcement of each number, newest last.
    pub fn announced(&self) -> impl DoubleEndedIterator<Item = &Announced> {
        self.announced.iter()
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

    /// Takes in one event; an event about a ticket that is not here changes nothing but the sequence.
    pub fn apply(&mut self, event: &OfficeEvent) {
        self.seq = event.seq;
        match &event.what {
            What::DayOpened => self.open_day(event),
            What::SeriesContinued {
                series,
                from,
                lease_from,
                reason,
            } => {
                self.numbers
                    .entry(series.clone())
                    .or_insert_with(|| Numbers::new(*lease_from))
                    .continue_from(*from, *lease_from);
                self.continued = Some(reason.clone());
            }
            What::Leased {
                kiosk,
                series,
                from,
                to,
                ..
            } => {
                let lease_from = self.setup.lease_from;
                self.numbers
                    .entry(series.clone())
                    .or_insert_with(|| Numbers::new(lease_from))
                    .lease(kiosk.clone(), *from, *to, event.business_date);
            }
            What::Issued { .. } => self.take_issued(event),
            What::CounterOpened => {
                self.set_counter(event, CounterState::Open);
                if let Some(counter) = event.counter.and_then(|n| self.counters.get_mut(&n)) {
                    counter.who.clone_from(&event.who);
                }
            }
            What::CounterPaused { reason } => self.set_counter(
                event,
                CounterState::Paused {
                    reason: reason.clone(),
                },
            ),
            What::CounterClosed => {
                self.set_counter(event, CounterState::Closed);
                if let Some(counter) = event.counter.and_then(|n| self.counters.get_mut(&n)) {
                    counter.who = None;
                }
            }
            What::Called { .. }
            | What::Recalled { .. }
            | What::Started
            | What::Finished { .. }
            | What::NoShow
            | What::Transferred { .. }
            | What::Parked { .. }
            | What::Resumed { .. }
            | What::Recycled
            | What::Cancelled { .. }
            | What::Expired => self.move_ticket(event),
            What::Unmasked { .. } => {}
        }
        if let (Some(number), Some(counter)) = (event.what.announces(), event.counter) {
            self.announced.retain(|earlier| earlier.number != number);
            self.announced.push_back(Announced {
                seq: event.seq,
                at: event.at,
                number: number.to_owned(),
                counter,
            });
            while self.announced.len() > 4 {
                self.announced.pop_front();
            }
        }
    }

    fn open_day(&mut self, event: &OfficeEvent) {
        self.date = Some(event.business_date);
        self.tickets.clear();
        for line in self.lines.values_mut() {
            *line = Line::default();
        }
        self.parked.clear();
        self.runs.clear();
        for numbers in self.numbers.values_mut() {
            numbers.open_day(event.business_date);
        }
        for counter in self.counters.values_mut() {
            counter.state = CounterState::Closed;
            counter.who = None;
            counter.ticket = None;
        }
        self.service.clear();
        self.calls.clear();
        self.announced.clear();
        self.continued = None;
    }

    fn take_issued(&mut self, event: &OfficeEvent) {
        let What::Issued {
            series,
            n,
            queue,
            lane,
            arrival_seq,
            number_date,
            issued_at,
            leased,
            kiosk,
            submission,
            ..
        } = &event.what
        else {
            return;
        };
        let Some(id) = event.ticket else { return };
        self.arrivals = self.arrivals.max(*arrival_seq);
        if Some(*number_date) == self.date
            && let Some(numbers) = self.numbers.get_mut(series)
        {
            numbers.use_number(*n, *leased);
        }
        let ticket = Ticket {
            id,
            series: series.clone(),
            number: *n,
            queue: queue.clone(),
            lane: *lane,
            business_date: *number_date,
            arrival_seq: *arrival_seq,
            issued_at: *issued_at,
            leased: *leased,
            kiosk: kiosk.clone(),
            submission: *submission,
            status: Status::Waiting,
            counter: None,
            calls: 0,
            first_called_at: None,
            last_called_at: None,
            started_at: None,
            ended_at: None,
            note: None,
        };
        self.wait(&ticket);
        self.tickets.insert(id, ticket);
    }

    fn move_ticket(&mut self, event: &OfficeEvent) {
        let Some(mut ticket) = event.ticket.and_then(|id| self.tickets.remove(&id)) else {
            return;
        };
        self.leave(&ticket);
        match &event.what {
            What::Called { decision, .. } => {
                ticket.status = Status::Called;
                ticket.counter = event.counter;
                ticket.calls = 1;
                ticket.first_called_at.get_or_insert(event.at);
                ticket.last_called_at = Some(event.at);
                ticket.started_at = None;
                self.runs.note(decision);
                if let Some(counter) = event.counter {
                    self.calls.push_back(Call {
                        seq: event.seq,
                        at: event.at,
                        ticket: ticket.id,
                        counter,
                        decision: decision.clone(),
                    });
                    while self.calls.len() > CALLS_AT_HAND {
                        self.calls.pop_front();
                    }
                }
            }
            What::Recalled { calls, .. } => {
                ticket.calls = *calls;
                ticket.last_called_at = Some(event.at);
            }
            What::Started => {
                ticket.status = Status::Serving;
                ticket.started_at = Some(event.at);
            }
            What::Finished { .. } => {
                ticket.status = Status::Finished;
                ticket.ended_at = Some(event.at);
                if let Some(started) = ticket.started_at {
                    let took = event.at.duration_since(started).max(SignedDuration::ZERO);
                    let memory = self.service.entry(ticket.queue.clone()).or_default();
                    memory.push_back(took);
                    while memory.len() > SERVICE_MEMORY {
                        memory.pop_front();
                    }
                }
            }
            What::NoShow => {
                ticket.status = Status::NoShow;
                ticket.ended_at = Some(event.at);
            }
            What::Transferred {
                queue, arrival_seq, ..
            } => {
                ticket.status = Status::Waiting;
                ticket.queue = queue.clone();
                ticket.arrival_seq = *arrival_seq;
                ticket.counter = None;
                ticket.calls = 0;
                ticket.started_at = None;
                self.arrivals = self.arrivals.max(*arrival_seq);
            }
            What::Parked { note } => {
                ticket.status = Status::Parked;
                ticket.note.clone_from(note);
            }
            What::Resumed { .. } => {
                ticket.status = Status::Called;
                ticket.counter = event.counter;
                ticket.calls = 1;
                ticket.last_called_at = Some(event.at);
                ticket.started_at = None;
                ticket.note = None;
            }
            What::Recycled => {
                ticket.status = Status::Waiting;
                ticket.counter = None;
                ticket.calls = 0;
                ticket.started_at = None;
            }
            What::Cancelled { .. } => {
                ticket.status = Status::Cancelled;
                ticket.ended_at = Some(event.at);
            }
            What::Expired => {
                ticket.status = Status::Expired;
                ticket.ended_at = Some(event.at);
            }
            // The kinds that are about no ticket's place.
            What::DayOpened
            | What::SeriesContinued { .. }
            | What::Leased { .. }
            | What::Issued { .. }
            | What::CounterOpened
            | What::CounterPaused { .. }
            | What::CounterClosed
            | What::Unmasked { .. } => {}
        }
        self.wait(&ticket);
        self.tickets.insert(ticket.id, ticket);
    }

    /// Takes a ticket out of the index of its status.
    fn leave(&mut self, ticket: &Ticket) {
        match ticket.status {
            Status::Waiting => {
                if let Some(line) = self.lines.get_mut(&ticket.queue) {
                    line.remove(ticket.lane, ticket.arrival_seq);
                }
            }
            Status::Parked => {
                self.parked.remove(&ticket.arrival_seq);
            }
            Status::Called | Status::Serving => {
                if let Some(counter) = ticket.counter.and_then(|n| self.counters.get_mut(&n)) {
                    counter.ticket = None;
                }
            }
            Status::Finished | Status::NoShow | Status::Cancelled | Status::Expired => {}
        }
    }

    /// Puts a ticket into the index of its status.
    fn wait(&mut self, ticket: &Ticket) {
        match ticket.status {
            Status::Waiting => self.lines.entry(ticket.queue.clone()).or_default().insert(
                ticket.lane,
                ticket.arrival_seq,
                ticket.id,
            ),
            Status::Parked => {
                self.parked.insert(ticket.arrival_seq, ticket.id);
            }
            Status::Called | Status::Serving => {
                if let Some(counter) = ticket.counter.and_then(|n| self.counters.get_mut(&n)) {
                    counter.ticket = Some(ticket.id);
                }
            }
            Status::Finished | Status::NoShow | Status::Cancelled | Status::Expired => {}
        }
    }

    fn set_counter(&mut self, event: &OfficeEvent, state: CounterState) {
        if let Some(counter) = event.counter.and_then(|n| self.counters.get_mut(&n)) {
            counter.state = state;
            counter.since = event.at;
        }
    }

    /// The number of a ticket as people see it, for words about it.
    pub fn shown(&self, id: TicketId) -> String {
        self.tickets
            .get(&id)
            .map_or_else(|| "–".to_owned(), |ticket| shown(&ticket.series, ticket.number))
    }
}
