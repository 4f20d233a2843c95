//! Stories of one office's day; the laws over random days are in `laws`, fairness from the events in `fairness`.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

mod changes;
mod fairness;
mod laws;
mod moves;

use super::*;
use crate::domain::event::{OfficeEvent, What};
use crate::domain::id::Moment;
use crate::domain::queue::{MaxRun, Profile, Rule};
use crate::domain::ticket::{KioskId, Lane, Status};

fn setup() -> Arc<OfficeSetup> {
    let queue = |id: &str, series: &str| QueueSetup {
        id: id.into(),
        name: id.to_owned(),
        series: series.into(),
        service: SignedDuration::from_mins(8),
        hours: None,
        daily_cap: None,
        stops_by_forecast: true,
        transfer_place: TransferPlace::Keep,
        carries_over: false,
        retired: false,
    };
    let counter = |number, name: &str, tiers: &[&[&str]]| CounterSetup {
        number: CounterNumber(number),
        profile: Profile {
            name: name.into(),
            tiers: tiers
                .iter()
                .map(|tier| tier.iter().map(|id| QueueId::from(*id)).collect())
                .collect(),
        },
    };
    Arc::new(OfficeSetup {
        zone: TimeZone::get("America/Guayaquil").expect("zone"),
        day_cut: SignedDuration::from_hours(3),
        max_run: MaxRun::default(),
        lease_from: 501,
        no_show_calls: 1,
        no_show_after: SignedDuration::ZERO,
        recall_max: 5,
        recall_gap: SignedDuration::ZERO,
        rejoin_within: SignedDuration::from_mins(30),
        rejoin_max: 2,
        rejoin_behind: 2,
        appointment_grace: SignedDuration::from_mins(15),
        hours: None,
        closures: BTreeSet::new(),
        queues: vec![queue("tributos", "T"), queue("catastro", "C")],
        counters: vec![
            counter(4, "tributos", &[&["tributos"]]),
            counter(5, "tributos", &[&["tributos"]]),
            counter(7, "mixto", &[&["catastro"], &["tributos"]]),
        ],
        zones: Vec::new(),
        alarm_minutes: 45,
        draft_days: 7,
        room: "Sala A".to_owned(),
        written: settings::Settings::default(),
        version: 1,
    })
}

/// An office and its history, driven by hand.
struct Day {
    office: Office,
    history: Vec<OfficeEvent>,
    now: Timestamp,
    steps: u64,
}

impl Day {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut OfficeSetup)) -> Self {
        let mut setup = OfficeSetup::clone(&setup());
        change(&mut setup);
        Self {
            office: Office::new(Arc::new(setup)),
            history: Vec::new(),
            now: "2026-11-24T13:00:00Z".parse().expect("time"),
            steps: 0,
        }
    }

    fn give(&mut self, command: Command) -> Result<Outcome, Refusal> {
        self.steps += 1;
        let mut random = [0; 16];
        random[..8].copy_from_slice(&self.steps.to_be_bytes());
        let order = Order {
            moment: Moment {
                now: self.now,
                random,
            },
            cause: None,
            who: None,
        };
        let handled = self.office.handle(&command, &order);
        self.history.extend(handled.events);
        handled.outcome
    }

    fn later(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    fn issue(&mut self, queue: &str, lane: Lane) -> TicketId {
        ticket(self.give(Command::Issue(wish(queue, lane))))
    }

    fn shown(&self, id: TicketId) -> String {
        self.office.shown(id)
    }
}

fn wish(queue: &str, lane: Lane) -> Issue {
    Issue {
        id: None,
        queue: queue.into(),
        lane,
        kiosk: None,
        submission: None,
        leased: None,
        replaces: None,
        slot: None,
    }
}

#[track_caller]
fn ticket(outcome: Result<Outcome, Refusal>) -> TicketId {
    match outcome {
        Ok(Outcome::Ticket(Some(id))) => id,
        other => panic!("a ticket was expected, not {other:?}"),
    }
}

const FOUR: CounterNumber = CounterNumber(4);

#[test]
fn a_turn_goes_from_issue_to_finish() {
    let mut day = Day::new();
    let id = day.issue("tributos", Lane::General);
    assert_eq!(day.shown(id), "T-001");
    assert_eq!(day.give(Command::Next(FOUR)), Err(Refusal::CounterNotOpen(FOUR)));
    day.give(Command::Open(FOUR)).expect("open");
    assert_eq!(ticket(day.give(Command::Next(FOUR))), id);
    assert!(matches!(
        day.give(Command::Next(FOUR)),
        Err(Refusal::CounterBusy { .. })
    ));
    assert!(matches!(
        day.give(Command::Finish {
            counter: FOUR,
            result: None
        }),
        Err(Refusal::WrongStatus {
            status: Status::Called,
            ..
        })
    ));
    day.give(Command::Start(FOUR)).expect("start");
    day.give(Command::Finish {
        counter: FOUR,
        result: None,
    })
    .expect("finish");
    assert_eq!(day.office.ticket(id).expect("there").status, Status::Finished);
    assert_eq!(day.give(Command::Next(FOUR)), Ok(Outcome::Ticket(None)));
}

#[test]
fn the_next_day_expires_what_is_open_and_counts_from_one() {
    let mut day = Day::new();
    let old = day.issue("tributos", Lane::General);
    day.give(Command::Open(FOUR)).expect("open");
    day.now = day
        .now
        .checked_add(SignedDuration::from_hours(24))
        .expect("tomorrow");
    assert!(day.office.is_over(day.now));
    let new = day.issue("tributos", Lane::General);
    assert_eq!(day.shown(new), "T-001");
    let expired = day
        .history
        .iter()
        .any(|e| e.ticket == Some(old) && e.what == What::Expired);
    assert!(expired);
    assert_eq!(day.give(Command::Next(FOUR)), Err(Refusal::CounterNotOpen(FOUR)));
}

#[test]
fn a_clock_that_went_back_does_not_reopen_a_day() {
    let mut day = Day::new();
    day.issue("tributos", Lane::General);
    day.now = "2000-01-01T00:00:00Z".parse().expect("time");
    let id = day.issue("tributos", Lane::General);
    assert_eq!(day.shown(id), "T-002");
}

#[test]
fn leased_blocks_never_meet_each_other_nor_the_online_numbers() {
    let mut day = Day::new();
    day.issue("tributos", Lane::General);
    let lease = |day: &mut Day, kiosk: &str| {
        let command = Command::Lease {
            kiosk: kiosk.into(),
            queue: "tributos".into(),
            count: 50,
        };
        match day.give(command) {
            Ok(Outcome::Lease { from, to, .. }) => (from, to),
            other => panic!("a lease was expected, not {other:?}"),
        }
    };
    assert_eq!(lease(&mut day, "k1"), (501, 550));
    assert_eq!(lease(&mut day, "k2"), (551, 600));
    let leased = |number| Issue {
        kiosk: Some(KioskId::from("k1")),
        leased: Some(Leased {
            number,
            issued_at: day.now,
        }),
        ..wish("tributos", Lane::General)
    };
    let (mine, others) = (leased(501), leased(551));
    let id = ticket(day.give(Command::Issue(mine.clone())));
    assert_eq!(day.shown(id), "T-501");
    assert!(matches!(
        day.give(Command::Issue(mine)),
        Err(Refusal::NumberTaken(_))
    ));
    assert!(matches!(
        day.give(Command::Issue(others)),
        Err(Refusal::NumberTaken(_))
    ));
    let id = day.issue("tributos", Lane::General);
    assert_eq!(day.shown(id), "T-002");
    // The blocks stay closed overnight, because a kiosk may open the next day without us.
    day.now = day
        .now
        .checked_add(SignedDuration::from_hours(24))
        .expect("tomorrow");
    assert_eq!(lease(&mut day, "k3"), (601, 650));
}

#[test]
fn a_leased_ticket_takes_the_place_of_the_attempt_it_replaces() {
    let mut day = Day::new();
    let first = day.issue("tributos", Lane::General);
    let second = day.issue("tributos", Lane::General);
    let now = day.now;
    let replacing = Issue {
        leased: Some(Leased {
            number: 501,
            issued_at: now,
        }),
        replaces: Some(first),
        ..wish("tributos", Lane::General)
    };
    let third = ticket(day.give(Command::Issue(replacing)));
    assert_eq!(day.office.ticket(first).expect("there").status, Status::Cancelled);
    day.give(Command::Open(FOUR)).expect("open");
    assert_eq!(ticket(day.give(Command::Next(FOUR))), third);
    assert_eq!(
        day.office.ahead(&"tributos".into(), Lane::General, Place::at(2)),
        0
    );
    assert_eq!(day.office.ticket(second).expect("there").status, Status::Waiting);
}

#[test]
fn a_leased_ticket_that_comes_a_day_late_is_on_record_and_does_not_wait() {
    let mut day = Day::new();
    day.issue("tributos", Lane::General);
    let yesterday = day.now;
    day.now = day
        .now
        .checked_add(SignedDuration::from_hours(24))
        .expect("tomorrow");
    let late = Issue {
        leased: Some(Leased {
            number: 501,
            issued_at: yesterday,
        }),
        ..wish("tributos", Lane::General)
    };
    let id = ticket(day.give(Command::Issue(late)));
    let ticket = day.office.ticket(id).expect("there");
    assert_eq!(
        (ticket.status, ticket.business_date.to_string().as_str()),
        (Status::Expired, "2026-11-24")
    );
    assert!(day.office.line(&"tributos".into()).expect("line").is_empty());
}

#[test]
fn a_transfer_keeps_number_lane_and_place() {
    let mut day = Day::new();
    let moved = day.issue("tributos", Lane::General);
    let other = day.issue("catastro", Lane::General);
    day.give(Command::Open(FOUR)).expect("open");
    day.give(Command::Next(FOUR)).expect("next");
    let transfer = Command::Transfer {
        counter: FOUR,
        queue: "catastro".into(),
        place: None,
    };
    day.give(transfer).expect("transfer");
    day.give(Command::Open(CounterNumber(7))).expect("open");
    assert_eq!(ticket(day.give(Command::Next(CounterNumber(7)))), moved);
    assert_eq!(day.shown(moved), "T-001");
    assert_eq!(day.office.ticket(other).expect("there").status, Status::Waiting);
}

#[test]
fn a_parked_turn_is_called_back() {
    let mut day = Day::new();
    let id = day.issue("tributos", Lane::General);
    for command in [
        Command::Open(FOUR),
        Command::Next(FOUR),
        Command::Start(FOUR),
        Command::Park {
            counter: FOUR,
            note: Some("fue por copia".into()),
        },
    ] {
        day.give(command).expect("legal");
    }
    assert_eq!(day.office.parked().count(), 1);
    assert_eq!(
        ticket(day.give(Command::Resume {
            counter: FOUR,
            ticket: None
        })),
        id
    );
    assert_eq!(day.office.ticket(id).expect("there").status, Status::Called);
}

#[test]
fn an_estimate_needs_an_open_counter_and_grows_with_the_line() {
    let mut day = Day::new();
    let queue = QueueId::from("tributos");
    let now = day.now;
    day.issue("tributos", Lane::General);
    assert_eq!(day.office.estimate_new(&queue, Lane::General, now), None);
    day.give(Command::Open(FOUR)).expect("open");
    let mut last = day
        .office
        .estimate_new(&queue, Lane::General, now)
        .expect("open")
        .to_minutes;
    for _ in 0..80 {
        day.issue("tributos", Lane::General);
        let now = day
            .office
            .estimate_new(&queue, Lane::General, now)
            .expect("open")
            .to_minutes;
        assert!(now >= last, "{now} after {last}");
        last = now;
    }
    day.give(Command::Open(CounterNumber(5))).expect("open");
    assert!(
        day.office
            .estimate_new(&queue, Lane::General, now)
            .expect("open")
            .to_minutes
            < last
    );
}
