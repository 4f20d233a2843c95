//! How commands become events: every rule of the office stands here.

use jiff::SignedDuration;

use super::command::{Command, Handled, Issue, Order, Outcome, Place, Refusal};
use super::numbers::{LEASE_MAX, valid_through};
use super::{CounterState, Office};
use crate::domain::event::{OfficeEvent, What};
use crate::domain::id::TicketId;
use crate::domain::queue::choose;
use crate::domain::ticket::{BusinessDate, CounterNumber, KioskId, QueueId, Status, Ticket, shown};

/// Collects events with their places in the history.
struct Draft<'a> {
    order: &'a Order,
    date: BusinessDate,
    seq: u64,
    events: Vec<OfficeEvent>,
}

impl Draft<'_> {
    fn add(&mut self, ticket: Option<TicketId>, counter: Option<CounterNumber>, what: What) {
        self.seq += 1;
        self.events.push(OfficeEvent {
            seq: self.seq,
            at: self.order.moment.now,
            business_date: self.date,
            ticket,
            counter,
            cause: None,
            who: self.order.who.clone(),
            what,
        });
    }
}

impl Office {
    /// Carries out `command`, after ending a day that is over, and applies what happened.
    pub fn handle(&mut self, command: &Command, order: &Order) -> Handled {
        let mut events = self.turn_day(order);
        for event in &events {
            self.apply(event);
        }
        let date = self.date.unwrap_or_else(|| self.setup.date_of(order.moment.now));
        let mut draft = Draft {
            order,
            date,
            seq: self.seq,
            events: Vec::new(),
        };
        let outcome = self.decide(command, &mut draft);
        if outcome.is_ok() {
            // One key, one row: it stands on the event that is the answer.
            if let Some(last) = draft.events.last_mut() {
                last.cause.clone_from(&order.cause);
            }
            for event in &draft.events {
                self.apply(event);
            }
            events.append(&mut draft.events);
        }
        Handled { events, outcome }
    }

    /// Ends the open day if `now` is past it. A clock that went back never reopens a day.
    fn turn_day(&self, order: &Order) -> Vec<OfficeEvent> {
        let today = self.setup.date_of(order.moment.now);
        if self.date.is_some_and(|date| date >= today) {
            return Vec::new();
        }
        let mut draft = Draft {
            order,
            date: self.date.unwrap_or(today),
            seq: self.seq,
            events: Vec::new(),
        };
        let mut open: Vec<&Ticket> = self
            .tickets
            .values()
            .filter(|ticket| !ticket.status.is_final())
            .collect();
        open.sort_unstable_by_key(|ticket| (ticket.arrival_seq, ticket.id));
        for ticket in open {
            draft.add(Some(ticket.id), None, What::Expired);
        }
        for (number, counter) in &self.counters {
            if counter.state != CounterState::Closed {
                draft.add(None, Some(*number), What::CounterClosed);
            }
        }
        draft.date = today;
        draft.add(None, None, What::DayOpened);
        draft.events
    }

    fn decide(&self, command: &Command, draft: &mut Draft<'_>) -> Result<Outcome, Refusal> {
        match command {
            Command::Tick => Ok(Outcome::Done),
            Command::Issue(wish) => self.issue(wish, draft),
            Command::Cancel { ticket, reason } => self.cancel(*ticket, reason, draft),
            Command::Lease { kiosk, queue, count } => self.lease(kiosk, queue, *count, draft),
            Command::Continue {
                series,
                from,
                lease_from,
                reason,
            } => {
                let what = What::SeriesContinued {
                    series: series.clone(),
                    from: *from,
                    lease_from: *lease_from,
                    reason: reason.clone(),
                };
                draft.add(None, None, what);
                Ok(Outcome::Done)
            }
            Command::Open(counter) => {
                if self.known(*counter)?.state != CounterState::Open {
                    draft.add(None, Some(*counter), What::CounterOpened);
                }
                Ok(Outcome::Counter(*counter))
            }
            Command::Pause { counter, reason } => {
                let now = self.known(*counter)?;
                self.free(*counter)?;
                match now.state {
                    CounterState::Closed => return Err(Refusal::CounterNotOpen(*counter)),
                    CounterState::Paused { .. } => {}
                    CounterState::Open => {
                        let reason = reason.clone();
                        draft.add(None, Some(*counter), What::CounterPaused { reason });
                    }
                }
                Ok(Outcome::Counter(*counter))
            }
            Command::Close { counter, release } => {
                let now = self.known(*counter)?;
                match now.ticket {
                    Some(ticket) if *release => draft.add(Some(ticket), Some(*counter), What::Recycled),
                    Some(_) => return Err(self.busy(*counter)),
                    None => {}
                }
                if now.state != CounterState::Closed {
                    draft.add(None, Some(*counter), What::CounterClosed);
                }
                Ok(Outcome::Counter(*counter))
            }
            Command::Next(counter) => self.next(*counter, draft),
            Command::Recall(counter) => {
                let ticket = self.at(*counter, &[Status::Called])?;
                let what = What::Recalled {
                    number: ticket.shown(),
                    calls: ticket.calls + 1,
                };
                Ok(moved(ticket, *counter, what, draft))
            }
            Command::Start(counter) => {
                let ticket = self.at(*counter, &[Status::Called])?;
                Ok(moved(ticket, *counter, What::Started, draft))
            }
            Command::Finish { counter, result } => {
                let ticket = self.at(*counter, &[Status::Serving])?;
                let result = result.clone();
                Ok(moved(ticket, *counter, What::Finished { result }, draft))
            }
            Command::NoShow(counter) => {
                let ticket = self.at(*counter, &[Status::Called])?;
                let now = draft.order.moment.now;
                let since = ticket
                    .last_called_at
                    .map_or(SignedDuration::ZERO, |at| now.duration_since(at))
                    .max(SignedDuration::ZERO);
                if ticket.calls < self.setup.no_show_calls || since < self.setup.no_show_after {
                    return Err(Refusal::TooEarly {
                        number: ticket.shown(),
                        calls: ticket.calls,
                        calls_needed: self.setup.no_show_calls,
                        after: self.setup.no_show_after,
                    });
                }
                Ok(moved(ticket, *counter, What::NoShow, draft))
            }
            Command::Transfer {
                counter,
                queue,
                place,
            } => {
                let ticket = self.at(*counter, &[Status::Called, Status::Serving])?;
                self.setup
                    .queue(queue)
                    .ok_or_else(|| Refusal::UnknownQueue(queue.clone()))?;
                if ticket.queue == *queue {
                    return Err(Refusal::SameQueue(queue.clone()));
                }
                let what = What::Transferred {
                    from: ticket.queue.clone(),
                    queue: queue.clone(),
                    arrival_seq: match place {
                        Place::Keep => ticket.arrival_seq,
                        Place::Last => self.arrivals + 1,
                    },
                };
                Ok(moved(ticket, *counter, what, draft))
            }
            Command::Park { counter, note } => {
                let ticket = self.at(*counter, &[Status::Serving])?;
                let note = note.clone();
                Ok(moved(ticket, *counter, What::Parked { note }, draft))
            }
            Command::Resume { counter, ticket } => self.resume(*counter, *ticket, draft),
            Command::Unmask {
                counter,
                submission,
                label,
            } => {
                let ticket = self.known(*counter)?.ticket;
                let what = What::Unmasked {
                    submission: submission.clone(),
                    label: label.clone(),
                };
                draft.add(ticket, Some(*counter), what);
                Ok(Outcome::Done)
            }
        }
    }

    fn issue(&self, wish: &Issue, draft: &mut Draft<'_>) -> Result<Outcome, Refusal> {
        if let Some(id) = wish.id.filter(|id| self.tickets.contains_key(id)) {
            return Ok(Outcome::Ticket(Some(id)));
        }
        let queue = self
            .setup
            .queue(&wish.queue)
            .ok_or_else(|| Refusal::UnknownQueue(wish.queue.clone()))?;
        let now = draft.order.moment.now;
        let id = wish.id.unwrap_or_else(|| TicketId::new(draft.order.moment));
        let numbers = self
            .numbers
            .get(&queue.series)
            .ok_or_else(|| Refusal::UnknownQueue(wish.queue.clone()))?;
        let (number, issued_at, number_date) = match wish.leased {
            None => (numbers.next_online(), now, draft.date),
            Some(leased) => {
                // A kiosk's clock may be ahead; nobody was given a number in the future.
                let issued_at = leased.issued_at.min(now);
                let date = self.setup.date_of(issued_at).min(draft.date);
                let today = date == draft.date;
                let other = numbers.is_promised_to_other(wish.kiosk.as_ref(), leased.number);
                if leased.number == 0 || today && (numbers.is_used(leased.number) || other) {
                    return Err(Refusal::NumberTaken(shown(&queue.series, leased.number)));
                }
                (leased.number, issued_at, date)
            }
        };
        let replaced = wish
            .replaces
            .and_then(|id| self.tickets.get(&id))
            .filter(|ticket| ticket.status == Status::Waiting);
        if let Some(ticket) = replaced {
            let reason = "replaced".to_owned();
            draft.add(Some(ticket.id), None, What::Cancelled { reason });
        }
        let arrival_seq = replaced
            .filter(|ticket| ticket.queue == wish.queue)
            .map_or(self.arrivals + 1, |ticket| ticket.arrival_seq);
        let what = What::Issued {
            series: queue.series.clone(),
            number: shown(&queue.series, number),
            n: number,
            queue: wish.queue.clone(),
            lane: wish.lane,
            arrival_seq,
            number_date,
            issued_at,
            leased: wish.leased.is_some(),
            kiosk: wish.kiosk.clone(),
            submission: wish.submission,
            replaces: replaced.map(|ticket| ticket.id),
            ahead: self.ahead(&wish.queue, wish.lane, arrival_seq),
            estimate: self.estimate_new(&wish.queue, wish.lane, now),
        };
        if number_date == draft.date {
            draft.add(Some(id), None, what);
        } else {
            // It came in after its day: it is on record, and nobody waits for it any more.
            draft.add(Some(id), None, what);
            draft.add(Some(id), None, What::Expired);
        }
        Ok(Outcome::Ticket(Some(id)))
    }

    fn cancel(&self, id: TicketId, reason: &str, draft: &mut Draft<'_>) -> Result<Outcome, Refusal> {
        let ticket = self.tickets.get(&id).ok_or(Refusal::UnknownTicket)?;
        match ticket.status {
            Status::Cancelled => {}
            Status::Waiting | Status::Parked => {
                let reason = reason.to_owned();
                draft.add(Some(id), None, What::Cancelled { reason });
            }
            Status::Called | Status::Serving | Status::Finished | Status::NoShow | Status::Expired => {
                return Err(wrong(ticket));
            }
        }
        Ok(Outcome::Ticket(Some(id)))
    }

    fn lease(
        &self,
        kiosk: &KioskId,
        queue: &QueueId,
        count: u32,
        draft: &mut Draft<'_>,
    ) -> Result<Outcome, Refusal> {
        let setup = self
            .setup
            .queue(queue)
            .ok_or_else(|| Refusal::UnknownQueue(queue.clone()))?;
        if !(1..=LEASE_MAX).contains(&count) {
            return Err(Refusal::LeaseCount);
        }
        let numbers = self
            .numbers
            .get(&setup.series)
            .ok_or_else(|| Refusal::UnknownQueue(queue.clone()))?;
        let (from, to) = numbers.next_block(count);
        let what = What::Leased {
            kiosk: kiosk.clone(),
            queue: queue.clone(),
            series: setup.series.clone(),
            from,
            to,
        };
        draft.add(None, None, what);
        Ok(Outcome::Lease {
            series: setup.series.clone(),
            from,
            to,
            business_date: draft.date,
            valid_through: valid_through(draft.date),
        })
    }

    fn next(&self, counter: CounterNumber, draft: &mut Draft<'_>) -> Result<Outcome, Refusal> {
        self.ready(counter)?;
        let setup = self
            .setup
            .counter(counter)
            .ok_or(Refusal::UnknownCounter(counter))?;
        let Some((chosen, decision)) = choose(&setup.profile, &self.lines, &self.runs, self.setup.max_run)
        else {
            return Ok(Outcome::Ticket(None));
        };
        let number = self.shown(chosen.ticket);
        draft.add(
            Some(chosen.ticket),
            Some(counter),
            What::Called { number, decision },
        );
        Ok(Outcome::Ticket(Some(chosen.ticket)))
    }

    fn resume(
        &self,
        counter: CounterNumber,
        ticket: Option<TicketId>,
        draft: &mut Draft<'_>,
    ) -> Result<Outcome, Refusal> {
        self.ready(counter)?;
        let ticket = match ticket {
            Some(id) => self.tickets.get(&id).ok_or(Refusal::UnknownTicket)?,
            None => self
                .parked()
                .find(|ticket| ticket.counter == Some(counter))
                .ok_or(Refusal::NothingParked(counter))?,
        };
        if ticket.status != Status::Parked {
            return Err(wrong(ticket));
        }
        let number = ticket.shown();
        Ok(moved(ticket, counter, What::Resumed { number }, draft))
    }

    fn known(&self, counter: CounterNumber) -> Result<&super::Counter, Refusal> {
        self.counters
            .get(&counter)
            .ok_or(Refusal::UnknownCounter(counter))
    }

    /// The counter is open and has nobody.
    fn ready(&self, counter: CounterNumber) -> Result<(), Refusal> {
        let now = self.known(counter)?;
        self.free(counter)?;
        match now.state {
            CounterState::Open => Ok(()),
            CounterState::Closed | CounterState::Paused { .. } => Err(Refusal::CounterNotOpen(counter)),
        }
    }

    fn free(&self, counter: CounterNumber) -> Result<(), Refusal> {
        match self.known(counter)?.ticket {
            Some(_) => Err(self.busy(counter)),
            None => Ok(()),
        }
    }

    fn busy(&self, counter: CounterNumber) -> Refusal {
        let ticket = self.counters.get(&counter).and_then(|counter| counter.ticket);
        Refusal::CounterBusy {
            counter,
            number: ticket.map_or_else(|| "–".to_owned(), |id| self.shown(id)),
        }
    }

    /// The ticket at a counter, if it stands in one of these.
    fn at(&self, counter: CounterNumber, from: &[Status]) -> Result<&Ticket, Refusal> {
        let ticket = self
            .known(counter)?
            .ticket
            .and_then(|id| self.tickets.get(&id))
            .ok_or(Refusal::NoTicket(counter))?;
        if from.contains(&ticket.status) {
            Ok(ticket)
        } else {
            Err(wrong(ticket))
        }
    }
}

fn moved(ticket: &Ticket, counter: CounterNumber, what: What, draft: &mut Draft<'_>) -> Outcome {
    draft.add(Some(ticket.id), Some(counter), what);
    Outcome::Ticket(Some(ticket.id))
}

fn wrong(ticket: &Ticket) -> Refusal {
    Refusal::WrongStatus {
        number: ticket.shown(),
        status: ticket.status,
    }
}
