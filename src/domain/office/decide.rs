//! How commands become events: the rules of counters. Those of the line are in `admit`, those of the day in `day`.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::command::{Command, Handled, Order, Outcome, Refusal, TransferPlace};
use super::intake::Intake;
use super::{CounterState, Office};
use crate::domain::event::{OfficeEvent, What};
use crate::domain::id::TicketId;
use crate::domain::printing::PaperOrder;
use crate::domain::queue::{Decision, Rule, choose, head};
use crate::domain::ticket::{BusinessDate, CounterNumber, Place, QueueId, Status, Ticket};

/// Collects events with their places in the history.
pub(super) struct Draft<'a> {
    pub(super) order: &'a Order,
    pub(super) date: BusinessDate,
    pub(super) seq: u64,
    pub(super) events: Vec<OfficeEvent>,
}

impl Draft<'_> {
    pub(super) fn add(&mut self, ticket: Option<TicketId>, counter: Option<CounterNumber>, what: What) {
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
        let mut events = Vec::new();
        for bring_up in [Self::turn_day, Self::fall_due] {
            let happened = bring_up(self, order);
            for event in &happened {
                self.apply(event);
            }
            events.extend(happened);
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
            Command::Pick {
                counter,
                ticket,
                reason,
            } => self.pick(*counter, *ticket, reason, draft),
            Command::Recall(counter) => {
                let ticket = self.at(*counter, &[Status::Called])?;
                self.may_recall(ticket, draft)?;
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
                let since = since_call(ticket, draft);
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
                let target = self
                    .setup
                    .queue(queue)
                    .ok_or_else(|| Refusal::UnknownQueue(queue.clone()))?;
                if ticket.queue == *queue {
                    return Err(Refusal::SameQueue(queue.clone()));
                }
                if target.retired {
                    let (queue, intake) = (queue.clone(), Intake::Stopped);
                    return Err(Refusal::NotTaking { queue, intake });
                }
                let what = What::Transferred {
                    from: ticket.queue.clone(),
                    queue: queue.clone(),
                    place: match place.unwrap_or(target.transfer_place) {
                        TransferPlace::Keep => ticket.place,
                        TransferPlace::Last => Place::at(self.arrivals + 1),
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
            Command::Release(counter) => {
                let ticket = self.at(*counter, &[Status::Called, Status::Serving])?;
                Ok(moved(ticket, *counter, What::Recycled, draft))
            }
            Command::Rejoin(ticket) => self.rejoin(*ticket, draft),
            Command::CorrectLane { ticket, lane } => self.correct_lane(*ticket, *lane, draft),
            Command::Serve { counter, tiers } => self.serve(*counter, tiers, draft),
            Command::Outage { queue, down, note } => {
                let what = match (down, self.outage(queue)) {
                    (true, Some(said)) if said == note.as_deref() => None,
                    (true, _) => Some(What::QueueDown {
                        queue: queue.clone(),
                        note: note.clone(),
                    }),
                    (false, Some(_)) => Some(What::QueueUp { queue: queue.clone() }),
                    (false, None) => None,
                };
                self.about_queue(queue, what, draft)
            }
            Command::Stop { queue, stop } => {
                let what = match (stop, self.is_stopped(queue)) {
                    (true, false) => Some(What::QueueStopped { queue: queue.clone() }),
                    (false, true) => Some(What::QueueResumed { queue: queue.clone() }),
                    (true, true) | (false, false) => None,
                };
                self.about_queue(queue, what, draft)
            }
            Command::AskHelp { kiosk, step } => {
                // A kiosk that tells again what the office knows is no news.
                let known = self
                    .help
                    .get(kiosk)
                    .is_some_and(|call| call.attended_at.is_none() && call.step == *step);
                if !known {
                    let what = What::HelpAsked {
                        kiosk: kiosk.clone(),
                        step: step.clone(),
                    };
                    draft.add(None, None, what);
                }
                Ok(Outcome::Done)
            }
            Command::EndHelp { kiosk, attended } => {
                let open = self
                    .help
                    .get(kiosk)
                    .is_some_and(|call| !attended || call.attended_at.is_none());
                if open {
                    let what = What::HelpEnded {
                        kiosk: kiosk.clone(),
                        attended: *attended,
                    };
                    draft.add(None, None, what);
                }
                Ok(Outcome::Done)
            }
            Command::OrderPaper { kiosk, order } => {
                let ticket = match order {
                    PaperOrder::Reprint { ticket } => {
                        self.tickets.get(ticket).ok_or(Refusal::UnknownTicket)?;
                        Some(*ticket)
                    }
                    PaperOrder::TestPage | PaperOrder::RollChanged { .. } => None,
                };
                // A button pressed twice is one wish.
                let asked = self
                    .orders(kiosk)
                    .iter()
                    .any(|standing| standing.order == *order && standing.is_open(draft.order.moment.now));
                if !asked {
                    let what = What::PrinterOrdered {
                        kiosk: kiosk.clone(),
                        order: order.clone(),
                    };
                    draft.add(ticket, None, what);
                }
                Ok(Outcome::Done)
            }
            Command::Obeyed {
                kiosk,
                asked,
                outcome,
            } => {
                let open = self
                    .orders(kiosk)
                    .iter()
                    .any(|standing| standing.asked == *asked && standing.outcome.is_none());
                if open {
                    let what = What::PrinterObeyed {
                        kiosk: kiosk.clone(),
                        asked: *asked,
                        outcome: *outcome,
                    };
                    draft.add(None, None, what);
                }
                Ok(Outcome::Done)
            }
            Command::Count { kiosk, totals } => {
                let what = What::KioskCounted {
                    kiosk: kiosk.clone(),
                    totals: totals.clone(),
                };
                draft.add(None, None, what);
                Ok(Outcome::Done)
            }
            Command::Configure { version, settings } => {
                self.may_configure(*version, settings)?;
                if **settings == self.setup.written {
                    return Ok(Outcome::Configured(*version));
                }
                let version = version + 1;
                let settings = settings.clone();
                draft.add(None, None, What::SettingsChanged { version, settings });
                Ok(Outcome::Configured(version))
            }
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

    fn next(&self, counter: CounterNumber, draft: &mut Draft<'_>) -> Result<Outcome, Refusal> {
        self.ready(counter)?;
        let profile = self.profile(counter).ok_or(Refusal::UnknownCounter(counter))?;
        let Some((chosen, decision)) = choose(profile, &self.lines, &self.runs, self.setup.max_run) else {
            return Ok(Outcome::Ticket(None));
        };
        let number = self.shown(chosen.ticket);
        draft.add(
            Some(chosen.ticket),
            Some(counter),
            What::Called {
                number,
                decision,
                reason: None,
            },
        );
        Ok(Outcome::Ticket(Some(chosen.ticket)))
    }

    /// Out of turn, with a reason; the run of preferred calls does not move.
    fn pick(
        &self,
        counter: CounterNumber,
        id: TicketId,
        reason: &str,
        draft: &mut Draft<'_>,
    ) -> Result<Outcome, Refusal> {
        self.ready(counter)?;
        let profile = self.profile(counter).ok_or(Refusal::UnknownCounter(counter))?;
        let ticket = self.tickets.get(&id).ok_or(Refusal::UnknownTicket)?;
        if !matches!(ticket.status, Status::Waiting | Status::NoShow) {
            return Err(wrong(ticket));
        }
        if reason.trim().is_empty() {
            return Err(Refusal::ReasonMissing {
                number: ticket.shown(),
            });
        }
        if !profile.serves(&ticket.queue) {
            return Err(Refusal::NotServed {
                counter,
                queue: ticket.queue.clone(),
            });
        }
        let queues: Vec<QueueId> = profile.tiers.iter().flatten().cloned().collect();
        let heads = [
            head(&queues, &self.lines, true),
            head(&queues, &self.lines, false),
        ];
        let decision = Decision {
            profile: profile.name.clone(),
            tier: 0,
            candidates: heads.into_iter().flatten().collect(),
            run: self.runs.get(&profile.name, 1),
            max_run: self.setup.max_run.get(),
            rule: Rule::OutOfTurn,
        };
        let what = What::Called {
            number: ticket.shown(),
            decision,
            reason: Some(reason.to_owned()),
        };
        Ok(moved(ticket, counter, what, draft))
    }

    fn may_recall(&self, ticket: &Ticket, draft: &Draft<'_>) -> Result<(), Refusal> {
        if ticket.calls >= self.setup.recall_max {
            return Err(Refusal::RecalledEnough {
                number: ticket.shown(),
                calls: ticket.calls,
            });
        }
        if since_call(ticket, draft) < self.setup.recall_gap {
            return Err(Refusal::RecalledJustNow {
                number: ticket.shown(),
                gap: self.setup.recall_gap,
            });
        }
        Ok(())
    }

    fn serve(
        &self,
        counter: CounterNumber,
        tiers: &[Vec<QueueId>],
        draft: &mut Draft<'_>,
    ) -> Result<Outcome, Refusal> {
        self.known(counter)?;
        let tiers: Vec<Vec<QueueId>> = tiers.iter().filter(|tier| !tier.is_empty()).cloned().collect();
        let mut seen = BTreeSet::new();
        for queue in tiers.iter().flatten() {
            if self.setup.queue(queue).is_none() {
                return Err(Refusal::UnknownQueue(queue.clone()));
            }
            if !seen.insert(queue) {
                return Err(Refusal::BadProfile);
            }
        }
        if seen.is_empty() {
            return Err(Refusal::BadProfile);
        }
        // Counters that serve the same share one count, whether by configuration or for today.
        let profile = super::setup::profile_name(&tiers);
        if self.profile(counter).is_none_or(|now| now.tiers != tiers) {
            draft.add(None, Some(counter), What::ProfileChanged { profile, tiers });
        }
        Ok(Outcome::Counter(counter))
    }

    fn about_queue(
        &self,
        queue: &QueueId,
        what: Option<What>,
        draft: &mut Draft<'_>,
    ) -> Result<Outcome, Refusal> {
        if self.setup.queue(queue).is_none() {
            return Err(Refusal::UnknownQueue(queue.clone()));
        }
        if let Some(what) = what {
            draft.add(None, None, what);
        }
        Ok(Outcome::Done)
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

/// Time since the newest announcement; none has passed if the clock went back.
fn since_call(ticket: &Ticket, draft: &Draft<'_>) -> SignedDuration {
    ticket
        .last_called_at
        .map_or(SignedDuration::ZERO, |at| {
            draft.order.moment.now.duration_since(at)
        })
        .max(SignedDuration::ZERO)
}

fn moved(ticket: &Ticket, counter: CounterNumber, what: What, draft: &mut Draft<'_>) -> Outcome {
    draft.add(Some(ticket.id), Some(counter), what);
    Outcome::Ticket(Some(ticket.id))
}

pub(super) fn wrong(ticket: &Ticket) -> Refusal {
    Refusal::WrongStatus {
        number: ticket.shown(),
        status: ticket.status,
    }
}
