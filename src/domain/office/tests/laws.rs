//! Laws of the fold (P1–P17 of the queue's properties), over random days.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

/// A step of a random day. Steps about a ticket name it by the order of issue, so that they fit any day.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Give(Command),
    Rejoin(usize),
    CorrectLane(usize, Lane),
    Pick(CounterNumber, usize),
    Cancel(usize),
}

impl Step {
    /// The command, if the ticket was issued yet.
    pub(super) fn on(&self, day: &Day) -> Option<Command> {
        let issued = |nth: usize| {
            let mut tickets = day.history.iter().filter(|event| event.what.kind() == "issued");
            tickets.nth(nth).and_then(|event| event.ticket)
        };
        Some(match self {
            Self::Give(command) => command.clone(),
            Self::Rejoin(nth) => Command::Rejoin(issued(*nth)?),
            Self::CorrectLane(nth, lane) => Command::CorrectLane {
                ticket: issued(*nth)?,
                lane: *lane,
            },
            Self::Pick(counter, nth) => Command::Pick {
                counter: *counter,
                ticket: issued(*nth)?,
                reason: "mareo".into(),
            },
            Self::Cancel(nth) => Command::Cancel {
                ticket: issued(*nth)?,
                reason: "by_person".into(),
            },
        })
    }
}

pub(super) fn any_step() -> impl Strategy<Value = Step> {
    let lane = prop::sample::select(Lane::ALL.to_vec());
    let counter = any_counter();
    prop_oneof![
        20 => any_command().prop_map(Step::Give),
        2 => (0_usize..30).prop_map(Step::Rejoin),
        2 => (0_usize..30, lane).prop_map(|(nth, lane)| Step::CorrectLane(nth, lane)),
        1 => (counter, 0_usize..30).prop_map(|(counter, nth)| Step::Pick(counter, nth)),
        1 => (0_usize..30).prop_map(Step::Cancel),
    ]
}

fn any_counter() -> impl Strategy<Value = CounterNumber> + Clone {
    prop::sample::select(vec![4_u16, 5, 7]).prop_map(CounterNumber)
}

/// Nobody's return is refused for a clock that jumps.
fn patient(setup: &mut OfficeSetup) {
    setup.rejoin_within = SignedDuration::from_hours(1000);
}

/// The ways a status may change; everything else is a broken office.
fn may_become(from: Status, to: Status) -> bool {
    use Status::{Called, Cancelled, Expired, Finished, NoShow, Parked, Serving, Waiting};
    matches!(
        (from, to),
        (Waiting | NoShow | Parked, Called)
            | (Waiting | Parked, Cancelled)
            | (Waiting | Called | Serving | Parked, Expired)
            | (Called, Serving | NoShow | Waiting)
            | (Serving, Finished | Parked | Waiting)
            | (NoShow, Waiting)
    )
}

fn any_command() -> impl Strategy<Value = Command> {
    let counter = any_counter();
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
            counter, queue: queue.into(),
            place: Some(if keep { TransferPlace::Keep } else { TransferPlace::Last }),
        }),
        2 => counter.clone().prop_map(|counter| Command::Park { counter, note: None }),
        2 => counter.clone().prop_map(|counter| Command::Resume { counter, ticket: None }),
        1 => counter.clone().prop_map(|counter| Command::Pause { counter, reason: None }),
        1 => (counter, any::<bool>()).prop_map(|(counter, release)| Command::Close { counter, release }),
        1 => any_counter().prop_map(Command::Release),
        1 => (any_counter(), any::<bool>()).prop_map(|(counter, both)| Command::Serve {
            counter,
            tiers: if both { vec![vec!["catastro".into()], vec!["tributos".into()]] } else { vec![vec!["tributos".into()]] },
        }),
        1 => queue.prop_map(|queue| Command::Lease { kiosk: "k1".into(), queue: queue.into(), count: 20 }),
    ]
}

proptest! {
    /// P1, P2, P3, P4, P7, P8 and P11, after every step of a random day.
    #[test]
    fn a_random_day_keeps_every_law(
        steps in prop::collection::vec((any_step(), -7200_i64..7200), 1..150)
    ) {
        let mut day = Day::with(patient);
        let begin = day.now;
        let mut still = Day::with(patient);
        let mut places: HashMap<TicketId, Status> = HashMap::new();
        for (step, shift) in steps {
            let (Some(command), Some(same)) = (step.on(&day), step.on(&still)) else { continue };
            // P11: the clock jumps by up to two hours either way and changes no choice.
            day.now = begin.checked_add(SignedDuration::from_secs(shift)).expect("near");
            let before = day.office.clone();
            let outcome = day.give(command.clone());
            let calm = still.give(same);
            prop_assert_eq!(outcome.is_ok(), calm.is_ok());
            if let (Command::Next(counter), Ok(Outcome::Ticket(called))) = (&command, &outcome) {
                let profile = &before.profile(*counter).expect("known").clone();
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
            // P3: only the ways of the state graph.
            for ticket in day.office.tickets() {
                if let Some(earlier) = places.insert(ticket.id, ticket.status) {
                    prop_assert!(
                        earlier == ticket.status || may_become(earlier, ticket.status),
                        "{} went from {earlier:?} to {:?} by {command:?}", ticket.shown(), ticket.status
                    );
                }
                // P12: no time is negative.
                prop_assert!(ticket.waited(day.now) >= SignedDuration::ZERO);
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
        let replayed = Office::restore(Arc::clone(day.office.setup()), 0, &day.history);
        prop_assert_eq!(&replayed, &day.office);
        // Nothing of an event is lost on the disk.
        for event in &day.history {
            let text = serde_json::to_string(event).expect("json");
            prop_assert_eq!(&serde_json::from_str::<OfficeEvent>(&text).expect("back"), event);
        }
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

    /// P17: a counter more never lengthens a wait, and nobody behind me lengthens mine.
    #[test]
    fn an_estimate_never_grows_by_help_or_by_people_behind(
        lanes in prop::collection::vec(any::<bool>(), 1..40), mine in 0_usize..40, more in 1_usize..10,
    ) {
        let mut day = Day::new();
        day.give(Command::Open(CounterNumber(4))).expect("open");
        let ids: Vec<TicketId> = lanes.iter()
            .map(|preferred| day.issue("tributos", if *preferred { Lane::Priority } else { Lane::General }))
            .collect();
        let me = ids[mine % ids.len()];
        let wait = |day: &Day| {
            let ticket = day.office.ticket(me).expect("there");
            day.office.estimate_of(ticket, day.now).expect("a counter is open").to_minutes
        };
        let before = wait(&day);
        // Somebody of the other lane may pass me; somebody of my own may not.
        let lane = day.office.ticket(me).expect("there").lane;
        for _ in 0..more {
            day.issue("tributos", if lane.is_preferred() { Lane::Priority } else { Lane::General });
        }
        prop_assert!(wait(&day) <= before);
        day.give(Command::Open(CounterNumber(5))).expect("open");
        prop_assert!(wait(&day) <= before);
    }

    /// P9: a command given twice under one ticket id changes nothing the second time.
    #[test]
    fn a_ticket_is_issued_once_however_often_it_is_asked_for(times in 1_usize..5, queue in 0_usize..2) {
        let mut day = Day::new();
        let mut wish = wish(["tributos", "catastro"][queue], Lane::General);
        wish.id = Some(TicketId(uuid::Uuid::from_u128(7)));
        for _ in 0..times {
            prop_assert_eq!(ticket(day.give(Command::Issue(wish.clone()))), TicketId(uuid::Uuid::from_u128(7)));
        }
        prop_assert_eq!(day.office.tickets().count(), 1);
    }
}
