//! What each event does to the state, and nothing else.

use std::sync::Arc;

use jiff::SignedDuration;

use super::numbers::Numbers;
use super::settings::Settings;
use super::{Announced, Call, Counter, CounterState, HelpCall, ORDERS_KEPT, Office, StandingOrder};
use crate::domain::event::{OfficeEvent, What};
use crate::domain::queue::{Line, Profile};
use crate::domain::ticket::{Lane, Status, Ticket};

/// How many finished attentions the mean of a queue remembers.
const SERVICE_MEMORY: usize = 30;
/// How many calls are kept at hand for «¿Por qué este?».
const CALLS_AT_HAND: usize = 60;
/// How many calls a board shows. So many are kept of each counter, because a board may be for any of them.
const ANNOUNCED_AT_HAND: usize = 4;

impl Office {
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
                    .lease(kiosk.clone(), *from, *to, (event.business_date, event.at));
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
            | What::Rejoined { .. }
            | What::Due { .. }
            | What::LaneCorrected { .. }
            | What::Cancelled { .. }
            | What::Expired => self.move_ticket(event),
            What::CarriedOver { .. } => self.take_carried(event),
            What::ProfileChanged { profile, tiers } => {
                if let Some(counter) = event.counter {
                    let today = Profile {
                        name: profile.clone(),
                        tiers: tiers.clone(),
                    };
                    self.profiles.insert(counter, today);
                }
            }
            What::QueueDown { queue, note } => {
                self.down.insert(queue.clone(), note.clone());
            }
            What::QueueUp { queue } => {
                self.down.remove(queue);
            }
            What::QueueStopped { queue } => {
                self.stopped.insert(queue.clone());
            }
            What::QueueResumed { queue } => {
                self.stopped.remove(queue);
            }
            What::HelpAsked { kiosk, step } => {
                let waiting = self.help.get(kiosk).filter(|call| call.attended_at.is_none());
                let call = HelpCall {
                    since: waiting.map_or(event.at, |call| call.since),
                    step: step.clone(),
                    attended_at: None,
                };
                self.help.insert(kiosk.clone(), call);
            }
            What::HelpEnded {
                kiosk,
                attended: true,
            } => {
                if let Some(call) = self.help.get_mut(kiosk) {
                    call.attended_at = Some(event.at);
                }
            }
            What::HelpEnded {
                kiosk,
                attended: false,
            } => {
                self.help.remove(kiosk);
            }
            What::PrinterOrdered { kiosk, order } => {
                let orders = self.orders.entry(kiosk.clone()).or_default();
                if orders.len() >= ORDERS_KEPT {
                    orders.remove(0);
                }
                orders.push(StandingOrder {
                    asked: event.seq,
                    at: event.at,
                    who: event.who.clone(),
                    order: order.clone(),
                    outcome: None,
                });
            }
            What::PrinterObeyed {
                kiosk,
                asked,
                outcome,
            } => {
                let orders = self.orders.entry(kiosk.clone()).or_default();
                if let Some(order) = orders.iter_mut().find(|order| order.asked == *asked) {
                    order.outcome = Some(*outcome);
                }
            }
            What::SettingsChanged { version, settings } => self.take_settings(*version, settings),
            What::KioskCounted { .. } | What::Unmasked { .. } => {}
        }
        if let (Some(number), Some(counter)) = (event.what.announces(), event.counter) {
            self.announced.retain(|earlier| earlier.number != number);
            self.announced.push_back(Announced {
                seq: event.seq,
                at: event.at,
                number: number.to_owned(),
                counter,
            });
            let of_counter = |earlier: &&Announced| earlier.counter == counter;
            if self.announced.iter().filter(of_counter).count() > ANNOUNCED_AT_HAND
                && let Some(oldest) = self
                    .announced
                    .iter()
                    .position(|earlier| earlier.counter == counter)
            {
                self.announced.remove(oldest);
            }
        }
    }

    /// Goes on under other settings. What stands in the lines, at counters and on paper is not touched.
    fn take_settings(&mut self, version: u64, settings: &Settings) {
        // Settings that were committed fit; an office that could not read them would go on as it was.
        let Ok(setup) = settings.setup(&self.setup.base(), version) else {
            return;
        };
        for queue in &setup.queues {
            self.lines.entry(queue.id.clone()).or_default();
            self.numbers
                .entry(queue.series.clone())
                .or_insert_with(|| Numbers::new(setup.lease_from));
        }
        for counter in &setup.counters {
            self.counters
                .entry(counter.number)
                .or_insert_with(Counter::closed);
        }
        // A counter that has somebody is never taken away; see `settings::change`.
        self.counters
            .retain(|number, counter| counter.ticket.is_some() || setup.counter(*number).is_some());
        self.profiles.retain(|number, _| setup.counter(*number).is_some());
        self.lines
            .retain(|queue, line| !line.is_empty() || setup.queue(queue).is_some());
        self.setup = Arc::new(setup);
    }

    fn open_day(&mut self, event: &OfficeEvent) {
        self.date = Some(event.business_date);
        self.tickets.clear();
        for line in self.lines.values_mut() {
            *line = Line::default();
        }
        self.parked.clear();
        self.early.clear();
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
        self.profiles.clear();
        self.down.clear();
        self.stopped.clear();
        self.issued.clear();
        self.help.clear();
        self.orders.clear();
    }

    fn take_issued(&mut self, event: &OfficeEvent) {
        let What::Issued {
            series,
            n,
            queue,
            lane,
            place,
            slot,
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
        self.arrivals = self.arrivals.max(place.arrival_seq);
        if Some(*number_date) == self.date {
            *self.issued.entry(queue.clone()).or_default() += 1;
            if let Some(numbers) = self.numbers.get_mut(series) {
                numbers.use_number(*n, *leased);
            }
        }
        let ticket = Ticket {
            id,
            series: series.clone(),
            number: *n,
            queue: queue.clone(),
            lane: *lane,
            business_date: *number_date,
            place: *place,
            arrival: *place,
            slot: *slot,
            due: slot.is_none() || *lane != Lane::Appointment,
            returns: 0,
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

    fn take_carried(&mut self, event: &OfficeEvent) {
        let What::CarriedOver {
            series,
            n,
            queue,
            lane,
            place,
            number_date,
            issued_at,
            leased,
            kiosk,
            submission,
            parked,
            note,
            first_called_at,
            returns,
        } = &event.what
        else {
            return;
        };
        let Some(id) = event.ticket else { return };
        self.arrivals = self.arrivals.max(place.arrival_seq);
        // Its number is still on somebody's paper and on the board: nobody else gets it today.
        if let Some(numbers) = self.numbers.get_mut(series) {
            numbers.use_number(*n, true);
        }
        let ticket = Ticket {
            id,
            series: series.clone(),
            number: *n,
            queue: queue.clone(),
            lane: *lane,
            business_date: *number_date,
            place: *place,
            arrival: *place,
            slot: None,
            due: true,
            returns: *returns,
            issued_at: *issued_at,
            leased: *leased,
            kiosk: kiosk.clone(),
            submission: *submission,
            status: if *parked { Status::Parked } else { Status::Waiting },
            counter: None,
            calls: 0,
            first_called_at: *first_called_at,
            last_called_at: None,
            started_at: None,
            ended_at: None,
            note: note.clone(),
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
            What::Called { decision, reason, .. } => {
                ticket.status = Status::Called;
                ticket.counter = event.counter;
                ticket.calls = 1;
                ticket.first_called_at.get_or_insert(event.at);
                ticket.last_called_at = Some(event.at);
                ticket.started_at = None;
                ticket.ended_at = None;
                self.runs.note(decision);
                if let Some(counter) = event.counter {
                    self.calls.push_back(Call {
                        seq: event.seq,
                        at: event.at,
                        ticket: ticket.id,
                        counter,
                        decision: decision.clone(),
                        reason: reason.clone(),
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
            What::Transferred { queue, place, .. } => {
                ticket.status = Status::Waiting;
                ticket.queue = queue.clone();
                ticket.place = *place;
                ticket.counter = None;
                ticket.calls = 0;
                ticket.started_at = None;
                self.arrivals = self.arrivals.max(place.arrival_seq);
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
            What::Rejoined { place } => {
                ticket.status = Status::Waiting;
                ticket.place = *place;
                ticket.counter = None;
                ticket.calls = 0;
                ticket.ended_at = None;
                ticket.returns += 1;
                self.returns = self.returns.max(place.back);
            }
            What::Due { place } => {
                ticket.place = *place;
                ticket.due = true;
            }
            What::LaneCorrected { lane, place, .. } => {
                ticket.lane = *lane;
                ticket.place = *place;
                ticket.due = true;
            }
            What::Cancelled { .. } => {
                if let Some(issued) = self.issued.get_mut(&ticket.queue) {
                    *issued = issued.saturating_sub(1);
                }
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
            | What::CarriedOver { .. }
            | What::CounterOpened
            | What::CounterPaused { .. }
            | What::CounterClosed
            | What::ProfileChanged { .. }
            | What::QueueDown { .. }
            | What::QueueUp { .. }
            | What::QueueStopped { .. }
            | What::QueueResumed { .. }
            | What::HelpAsked { .. }
            | What::HelpEnded { .. }
            | What::PrinterOrdered { .. }
            | What::PrinterObeyed { .. }
            | What::KioskCounted { .. }
            | What::SettingsChanged { .. }
            | What::Unmasked { .. } => {}
        }
        self.wait(&ticket);
        self.tickets.insert(ticket.id, ticket);
    }

    /// Takes a ticket out of the index of its status.
    fn leave(&mut self, ticket: &Ticket) {
        match ticket.status {
            Status::Waiting => {
                if let Some(slot) = ticket.slot.filter(|_| !ticket.due) {
                    self.early.remove(&(slot, ticket.id));
                } else if let Some(line) = self.lines.get_mut(&ticket.queue) {
                    line.remove(ticket.lane, ticket.place);
                }
            }
            Status::Parked => {
                self.parked.remove(&ticket.place);
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
            Status::Waiting => match ticket.slot.filter(|_| !ticket.due) {
                Some(slot) => {
                    self.early.insert((slot, ticket.id));
                }
                None => self.lines.entry(ticket.queue.clone()).or_default().insert(
                    ticket.lane,
                    ticket.place,
                    ticket.id,
                ),
            },
            Status::Parked => {
                self.parked.insert(ticket.place, ticket.id);
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
}
