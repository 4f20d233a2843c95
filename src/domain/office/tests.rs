//! Laws of the fold (facts/queue.md §6), over random days.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::*;
use crate::domain::id::Moment;
use crate::domain::queue::{MaxRun, Profile};
use crate::domain::ticket::{KioskId, Lane};

fn setup() -> Arc<OfficeSetup> {
    let queue = |id: &str, series: &str| QueueSetup {
        id: id.into(),
        name: id.to_owned(),
        series: series.into(),
        service: SignedDuration::from_mins(8),
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
        queues: vec![queue("tributos", "T"), queue("catastro", "C")],
        counters: vec![
            counter(4, "tributos", &[&["tributos"]]),
            counter(5, "tributos", &[&["tributos"]]),
            counter(7, "mixto", &[&["catastro"], &["tributos"]]),
        ],
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
        Self {
            office: Office::new(setup()),
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
    assert_eq!(day.office.ahead(&"tributos".into(), Lane::General, 2), 0);
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
        place: Place::Keep,
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

fn any_command() -> impl Strategy<Value = Command> {
    let counter = prop::sample::select(vec![4_u16, 5, 7]).prop_map(CounterNumber);
    let queue = prop::sample::select(vec!["tributos", "catastro"]);
    let lane = prop::sample::select(Lane::ALL.to_vec());
    let issue = (queue.clone(), lane).prop_map(|(queue, lane)| Command::Issue(wish(queue, lane)));
    prop_oneof![
        6 => issue,
        3 => counter.clone().prop_map(Command::Open),
        8 => counter.clone().prop_map(Command::Next),
        4 => counter.clone().prop_map(Command::Start),
        4 => counter.clone().prop_map(|counter| Command::Finish { counter, result: None }),
        1 => counter.clone().prop_map(Command::Recall),
        2 => counter.clone().prop_map(Command::NoShow),
        1 => (counter.clone(), queue.clone(), any::<bool>()).prop_map(|(counter, queue, keep)| Command::Transfer {
            counter, queue: queue.into(), place: if keep { Place::Keep } else { Place::Last },
        }),
        2 => counter.clone().prop_map(|counter| Command::Park { counter, note: None }),
        2 => counter.clone().prop_map(|counter| Command::Resume { counter, ticket: None }),
        1 => counter.clone().prop_map(|counter| Command::Pause { counter, reason: None }),
        1 => (counter, any::<bool>()).prop_map(|(counter, release)| Command::Close { counter, release }),
        1 => queue.prop_map(|queue| Command::Lease { kiosk: "k1".into(), queue: queue.into(), count: 20 }),
    ]
}

proptest! {
    /// P1, P2, P3, P4, P7, P8 and P11, after every step of a random day.
    #[test]
    fn a_random_day_keeps_every_law(
        steps in prop::collection::vec((any_command(), -7200_i64..7200), 1..150)
    ) {
        let mut day = Day::new();
        let begin = day.now;
        let mut still = Day::new();
        let mut places: HashMap<TicketId, Status> = HashMap::new();
        for (command, shift) in steps {
            // P11: the clock jumps by up to two hours either way and changes no choice.
            day.now = begin.checked_add(SignedDuration::from_secs(shift)).expect("near");
            let before = day.office.clone();
            let outcome = day.give(command.clone());
            let calm = still.give(command.clone());
            prop_assert_eq!(outcome.is_ok(), calm.is_ok());
            if let (Command::Next(counter), Ok(Outcome::Ticket(called))) = (&command, &outcome) {
                let profile = &setup().counter(*counter).expect("known").profile.clone();
                match called {
                    None => for queue in profile.tiers.iter().flatten() {
                        prop_assert!(before.line(queue).expect("line").is_empty(), "P7");
                    },
                    Some(id) => {
                        let queue = &day.office.ticket(*id).expect("there").queue;
                        prop_assert!(profile.serves(queue), "P8");
                        let first_empty = profile.tiers[0].iter().all(|q| before.line(q).expect("line").is_empty());
                        prop_assert!(profile.tiers[0].contains(queue) || first_empty, "P8");
                    }
                }
            }
            // P2: open at one counter at most, one at each.
            let mut at_counters = HashSet::new();
            for (number, counter) in day.office.counters() {
                if let Some(id) = counter.ticket {
                    prop_assert!(at_counters.insert(id));
                    let ticket = day.office.ticket(id).expect("there");
                    prop_assert!(ticket.status.is_at_counter() && ticket.counter == Some(number));
                }
            }
            // P4: everybody is somewhere.
            let waiting: usize = day.office.lines().values().map(Line::len).sum();
            let count = |wanted: fn(Status) -> bool| day.office.tickets().filter(|t| wanted(t.status)).count();
            prop_assert_eq!(waiting, count(|s| s == Status::Waiting));
            prop_assert_eq!(at_counters.len(), count(Status::is_at_counter));
            prop_assert_eq!(day.office.parked().count(), count(|s| s == Status::Parked));
            // P3: no way leads out of a final state.
            for ticket in day.office.tickets() {
                if let Some(earlier) = places.insert(ticket.id, ticket.status) {
                    prop_assert!(!earlier.is_final() || earlier == ticket.status);
                }
            }
        }
        // P1: numbers are unique and without a gap.
        let mut by_series: HashMap<String, Vec<u32>> = HashMap::new();
        for ticket in day.office.tickets() {
            by_series.entry(ticket.series.to_string()).or_default().push(ticket.number);
        }
        for mut numbers in by_series.into_values() {
            numbers.sort_unstable();
            let count = u32::try_from(numbers.len()).expect("few");
            prop_assert_eq!(numbers, (1..=count).collect::<Vec<_>>());
        }
        // P3: replaying the history gives the same state, and its numbers have no gap.
        prop_assert!(day.history.iter().zip(1_u64..).all(|(event, n)| event.seq == n));
        let replayed = Office::restore(setup(), 0, &day.history);
        prop_assert_eq!(&replayed, &day.office);
        // P11 again: with a still clock the same people were called in the same order.
        let order = |history: &[OfficeEvent]| -> Vec<(TicketId, Option<CounterNumber>)> {
            history.iter().filter(|e| matches!(e.what, What::Called { .. }))
                .filter_map(|e| Some((e.ticket?, e.counter))).collect()
        };
        let (jumpy, calm) = (order(&day.history), order(&still.history));
        let names = |day: &Day, calls: Vec<(TicketId, Option<CounterNumber>)>| -> Vec<_> {
            calls.into_iter().map(|(id, counter)| (day.office.shown(id), counter)).collect()
        };
        prop_assert_eq!(names(&day, jumpy), names(&still, calm));
    }
}
