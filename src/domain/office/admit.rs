//! Who stands in the line and where: new tickets, held numbers, people who come back, lanes put right.

use jiff::Timestamp;

use super::Office;
use super::command::{Issue, Outcome, Refusal};
use super::day::{appointment_place, is_due};
use super::decide::{Draft, wrong};
use super::intake::Intake;
use super::numbers::{LEASE_MAX, valid_through};
use crate::domain::event::What;
use crate::domain::id::TicketId;
use crate::domain::ticket::{KioskId, Lane, Place, QueueId, Status, shown};

/// Room for the numbers of one millisecond; the product stays below 2^53 until the year 2039.
const NUMBERS_A_MILLISECOND: u64 = 1 << 12;

impl Office {
    pub(super) fn issue(&self, wish: &Issue, draft: &mut Draft<'_>) -> Result<Outcome, Refusal> {
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
        let lane = self.lane_of(wish, now);
        let (number, issued_at, number_date) = match wish.leased {
            None => {
                let intake = self.intake(&wish.queue, lane, now);
                // A ticket that takes the place of another is not one more.
                if intake != Intake::Open && wish.replaces.is_none() {
                    let queue = wish.queue.clone();
                    return Err(Refusal::NotTaking { queue, intake });
                }
                (numbers.next_online(), now, draft.date)
            }
            Some(leased) => {
                // A kiosk's clock may be wrong: nobody was given a number in the future, nor before it was promised.
                let promised = numbers.promised_at(leased.number);
                let issued_at = promised
                    .map_or(leased.issued_at, |at| at.max(leased.issued_at))
                    .min(now);
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
        let place = match replaced.filter(|ticket| ticket.queue == wish.queue) {
            Some(ticket) => ticket.place,
            None if wish.leased.is_some() => self.place_of_leased(number, issued_at),
            None => Place::at(self.arrivals + 1),
        };
        let what = What::Issued {
            series: queue.series.clone(),
            number: shown(&queue.series, number),
            n: number,
            queue: wish.queue.clone(),
            lane,
            place,
            slot: wish.slot,
            number_date,
            issued_at,
            leased: wish.leased.is_some(),
            kiosk: wish.kiosk.clone(),
            submission: wish.submission,
            replaces: replaced.map(|ticket| ticket.id),
            ahead: self.ahead(&wish.queue, lane, place),
            estimate: self.estimate_new(&wish.queue, lane, now),
        };
        draft.add(Some(id), None, what);
        if number_date != draft.date {
            // It came in after its day: it is on record, and nobody waits for it any more.
            draft.add(Some(id), None, What::Expired);
        } else if let (Lane::Appointment, Some(slot)) = (lane, wish.slot)
            && is_due(slot, now)
        {
            let place = appointment_place(slot, place);
            draft.add(Some(id), None, What::Due { place });
        }
        Ok(Outcome::Ticket(Some(id)))
    }

    /// Whoever comes too late for an appointment waits like everybody.
    fn lane_of(&self, wish: &Issue, now: Timestamp) -> Lane {
        match (wish.lane, wish.slot) {
            (Lane::Appointment, Some(slot)) if now.duration_since(slot) > self.setup.appointment_grace => {
                Lane::General
            }
            (lane, _) => lane,
        }
    }

    /// Where a number stands that a kiosk gave on its own: behind whoever had arrived by then.
    ///
    /// The place depends on the claimed time and the number only, so that it is the same in whatever order kiosks
    /// come back.
    fn place_of_leased(&self, number: u32, at: Timestamp) -> Place {
        let arrival_seq = self
            .tickets
            .values()
            .filter(|ticket| !ticket.leased && ticket.issued_at <= at)
            .map(|ticket| ticket.arrival.arrival_seq)
            .max()
            .unwrap_or(0);
        let millisecond = u64::try_from(at.as_millisecond()).unwrap_or(0);
        Place {
            arrival_seq,
            behind: millisecond * NUMBERS_A_MILLISECOND + u64::from(number) % NUMBERS_A_MILLISECOND,
            back: 0,
        }
    }

    pub(super) fn cancel(
        &self,
        id: TicketId,
        reason: &str,
        draft: &mut Draft<'_>,
    ) -> Result<Outcome, Refusal> {
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

    /// Back behind the next few of its lane, within the grace and not too often.
    pub(super) fn rejoin(&self, id: TicketId, draft: &mut Draft<'_>) -> Result<Outcome, Refusal> {
        let ticket = self.tickets.get(&id).ok_or(Refusal::UnknownTicket)?;
        if ticket.status != Status::NoShow {
            return Err(wrong(ticket));
        }
        let absent = ticket
            .ended_at
            .map(|at| draft.order.moment.now.duration_since(at))
            .unwrap_or_default();
        if absent > self.setup.rejoin_within {
            return Err(Refusal::RejoinLate {
                number: ticket.shown(),
                within: self.setup.rejoin_within,
            });
        }
        if ticket.returns >= self.setup.rejoin_max {
            return Err(Refusal::RejoinOften {
                number: ticket.shown(),
                returns: ticket.returns,
            });
        }
        let line = self.lines.get(&ticket.queue);
        let behind =
            line.and_then(|line| line.place_of(ticket.lane.is_preferred(), self.setup.rejoin_behind));
        let place = match behind {
            Some(behind) if behind > ticket.place => Place {
                back: self.returns + 1,
                ..behind
            },
            // Nobody to stand behind, or it was called out of turn: its own place.
            Some(_) | None => Place {
                back: self.returns + 1,
                ..ticket.place
            },
        };
        draft.add(Some(id), None, What::Rejoined { place });
        Ok(Outcome::Ticket(Some(id)))
    }

    pub(super) fn correct_lane(
        &self,
        id: TicketId,
        lane: Lane,
        draft: &mut Draft<'_>,
    ) -> Result<Outcome, Refusal> {
        let ticket = self.tickets.get(&id).ok_or(Refusal::UnknownTicket)?;
        if ticket.status.is_final() {
            return Err(wrong(ticket));
        }
        if ticket.lane == lane {
            return Err(Refusal::SameLane(ticket.shown()));
        }
        let place = match ticket.lane {
            // The place of an appointment is its hour; in another lane it is the arrival again.
            Lane::Appointment => ticket.arrival,
            Lane::General | Lane::Priority => ticket.place,
        };
        let from = ticket.lane;
        draft.add(Some(id), None, What::LaneCorrected { from, lane, place });
        Ok(Outcome::Ticket(Some(id)))
    }

    pub(super) fn lease(
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
        if setup.retired {
            let (queue, intake) = (queue.clone(), Intake::Stopped);
            return Err(Refusal::NotTaking { queue, intake });
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
}
