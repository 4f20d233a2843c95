//! What time alone does: a day ends, an appointment falls due. Both happen before a command is looked at.

use jiff::{SignedDuration, Timestamp};

use super::command::Order;
use super::decide::Draft;
use super::{CounterState, Office};
use crate::domain::event::{OfficeEvent, What};
use crate::domain::ticket::{Place, Status, Ticket};

/// How long before its hour an appointment may be called.
const DUE_BEFORE: SignedDuration = SignedDuration::from_mins(2);
/// Room for arrivals behind one second; the product stays below 2^53 until the year 2242.
const ARRIVALS_A_SECOND: u64 = 1 << 20;

impl Office {
    /// Ends the open day if `now` is past it. A clock that went back never reopens a day.
    pub(super) fn turn_day(&self, order: &Order) -> Vec<OfficeEvent> {
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
        open.sort_unstable_by_key(|ticket| (ticket.place, ticket.id));
        let (carried, expired): (Vec<&Ticket>, Vec<&Ticket>) = open.into_iter().partition(|ticket| {
            let queue = self.setup.queue(&ticket.queue);
            // Whoever stands at a counter at the day cut was forgotten there; the ticket ends with the day.
            !ticket.status.is_at_counter() && queue.is_some_and(|queue| queue.carries_over)
        });
        for ticket in expired {
            draft.add(Some(ticket.id), None, What::Expired);
        }
        for (number, counter) in &self.counters {
            if counter.state != CounterState::Closed {
                draft.add(None, Some(*number), What::CounterClosed);
            }
        }
        draft.date = today;
        draft.add(None, None, What::DayOpened);
        for ticket in carried {
            draft.add(Some(ticket.id), None, carry(ticket));
        }
        draft.events
    }

    /// Puts appointments whose hour has come into their line.
    pub(super) fn fall_due(&self, order: &Order) -> Vec<OfficeEvent> {
        let now = order.moment.now;
        let mut draft = Draft {
            order,
            date: self.date.unwrap_or_else(|| self.setup.date_of(now)),
            seq: self.seq,
            events: Vec::new(),
        };
        for (slot, id) in &self.early {
            if !is_due(*slot, now) {
                break;
            }
            if let Some(ticket) = self.tickets.get(id) {
                let place = appointment_place(*slot, ticket.arrival);
                draft.add(Some(*id), None, What::Due { place });
            }
        }
        draft.events
    }
}

/// Whether an appointment of this hour may be called.
pub(super) fn is_due(slot: Timestamp, now: Timestamp) -> bool {
    slot.duration_since(now) <= DUE_BEFORE
}

/// Before the walk-ins of the preferred lane, by the hour of the appointment and then by arrival.
pub(super) fn appointment_place(slot: Timestamp, arrival: Place) -> Place {
    let second = u64::try_from(slot.as_second()).unwrap_or(0);
    Place {
        arrival_seq: 0,
        behind: second * ARRIVALS_A_SECOND + arrival.arrival_seq % ARRIVALS_A_SECOND,
        back: 0,
    }
}

fn carry(ticket: &Ticket) -> What {
    What::CarriedOver {
        series: ticket.series.clone(),
        n: ticket.number,
        queue: ticket.queue.clone(),
        lane: ticket.lane,
        place: ticket.place,
        number_date: ticket.business_date,
        issued_at: ticket.issued_at,
        leased: ticket.leased,
        kiosk: ticket.kiosk.clone(),
        submission: ticket.submission,
        parked: ticket.status == Status::Parked,
        note: ticket.note.clone(),
        first_called_at: ticket.first_called_at,
        returns: ticket.returns,
    }
}
