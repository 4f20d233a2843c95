//! One row a ticket: what its events add up to for a report.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::OutOfTurn;
use crate::domain::event::{Estimate, OfficeEvent, What};
use crate::domain::id::TicketId;
use crate::domain::ticket::{BusinessDate, Lane, QueueId, Status, shown};

/// A ticket as a report sees it.
#[derive(Clone, PartialEq, Debug)]
pub struct Facts {
    /// Which.
    pub id: TicketId,
    /// Its number as shown.
    pub number: String,
    /// The open day it was taken in.
    pub business_date: BusinessDate,
    /// The queue it ended in.
    pub queue: QueueId,
    /// The lane it ended in.
    pub lane: Lane,
    /// Where it ended.
    pub status: Status,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it was first called.
    pub first_called_at: Option<Timestamp>,
    /// When it became final.
    pub ended_at: Option<Timestamp>,
    /// Time from the newest call to the counter.
    pub way: Option<SignedDuration>,
    /// Time at counters, all legs together.
    pub service: Option<SignedDuration>,
    /// What the person was told about the wait.
    pub told: Option<Estimate>,
    /// How often the person came back after an absence.
    pub rejoined: usize,
    /// How often it was sent to another queue.
    pub transferred: usize,
    last_called_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
}

impl Facts {
    /// The tickets of these events, in the order in which they came, and the calls out of turn.
    ///
    /// A ticket that was carried over from a day outside of these events counts as one of the first day in them.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a OfficeEvent>) -> (Vec<Self>, Vec<OutOfTurn>) {
        let mut tickets: Vec<Self> = Vec::new();
        let mut at: HashMap<TicketId, usize> = HashMap::new();
        let mut out_of_turn = Vec::new();
        for event in events {
            let Some(id) = event.ticket else { continue };
            match at.get(&id).and_then(|index| tickets.get_mut(*index)) {
                Some(ticket) => out_of_turn.extend(ticket.take(event)),
                None => {
                    if let Some(new) = Self::begin(event, id) {
                        at.insert(id, tickets.len());
                        tickets.push(new);
                    }
                }
            }
        }
        (tickets, out_of_turn)
    }

    /// Time from issue to the first call; never negative.
    pub fn waited(&self) -> Option<SignedDuration> {
        Some(between(self.issued_at, self.first_called_at?))
    }

    fn begin(event: &OfficeEvent, id: TicketId) -> Option<Self> {
        let new = |number: String, queue: &QueueId, lane: Lane, issued_at: Timestamp| Self {
            id,
            number,
            business_date: event.business_date,
            queue: queue.clone(),
            lane,
            status: Status::Waiting,
            issued_at,
            first_called_at: None,
            ended_at: None,
            way: None,
            service: None,
            told: None,
            rejoined: 0,
            transferred: 0,
            last_called_at: None,
            started_at: None,
        };
        match &event.what {
            What::Issued {
                number,
                queue,
                lane,
                issued_at,
                estimate,
                ..
            } => Some(Self {
                told: *estimate,
                ..new(number.clone(), queue, *lane, *issued_at)
            }),
            What::CarriedOver {
                series,
                n,
                queue,
                lane,
                issued_at,
                first_called_at,
                ..
            } => Some(Self {
                first_called_at: *first_called_at,
                ..new(shown(series, *n), queue, *lane, *issued_at)
            }),
            _ => None,
        }
    }

    fn take(&mut self, event: &OfficeEvent) -> Option<OutOfTurn> {
        let now = event.at;
        match &event.what {
            What::Called { reason, .. } => {
                self.status = Status::Called;
                self.first_called_at.get_or_insert(now);
                self.last_called_at = Some(now);
                self.ended_at = None;
                return reason.as_ref().map(|reason| OutOfTurn {
                    at: now,
                    number: self.number.clone(),
                    counter: event.counter.map_or(0, |counter| counter.0),
                    who: event.who.clone(),
                    reason: reason.clone(),
                });
            }
            What::Recalled { .. } => self.last_called_at = Some(now),
            What::Resumed { .. } => {
                self.status = Status::Called;
                self.last_called_at = Some(now);
            }
            What::Started => {
                self.status = Status::Serving;
                self.started_at = Some(now);
                self.way = self.last_called_at.map(|called| between(called, now));
            }
            What::Finished { .. } => self.end(Status::Finished, now),
            What::NoShow => self.end(Status::NoShow, now),
            What::Cancelled { .. } => self.end(Status::Cancelled, now),
            What::Expired => self.end(Status::Expired, now),
            What::Transferred { queue, .. } => {
                self.leave_counter(now);
                self.status = Status::Waiting;
                self.queue = queue.clone();
                self.transferred += 1;
            }
            What::Parked { .. } => {
                self.leave_counter(now);
                self.status = Status::Parked;
            }
            What::Recycled => {
                self.leave_counter(now);
                self.status = Status::Waiting;
            }
            What::Rejoined { .. } => {
                self.status = Status::Waiting;
                self.ended_at = None;
                self.rejoined += 1;
            }
            What::LaneCorrected { lane, .. } => self.lane = *lane,
            _ => {}
        }
        None
    }

    fn leave_counter(&mut self, now: Timestamp) {
        if let Some(started) = self.started_at.take() {
            let leg = between(started, now);
            self.service = Some(self.service.unwrap_or_default().saturating_add(leg));
        }
    }

    fn end(&mut self, status: Status, now: Timestamp) {
        self.leave_counter(now);
        self.status = status;
        self.ended_at = Some(now);
    }
}

/// A clock that was set back makes no negative times.
fn between(from: Timestamp, to: Timestamp) -> SignedDuration {
    to.duration_since(from).max(SignedDuration::ZERO)
}
