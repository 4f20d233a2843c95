//! Fairness, recomputed from nothing but the events, as anybody with the export could.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::domain::queue::{Runs, choose};

/// Somebody who waits, with what was promised at arrival.
struct Waiting {
    id: TicketId,
    preferred: bool,
    arrival_seq: u64,
    calls_left: usize,
}

/// Checks every call of a day with one profile and one tier; returns how many calls were contested.
///
/// The bounds: the i-th waiting general is called within (K+1)·i calls, the i-th preferred within i + ⌈i/K⌉.
fn audit(history: &[OfficeEvent], k: usize) -> Result<usize, String> {
    let mut waiting: Vec<Waiting> = Vec::new();
    let (mut run, mut contested) = (0, 0);
    for event in history {
        let Some(id) = event.ticket else { continue };
        match &event.what {
            What::Issued { lane, place, .. } => {
                let preferred = lane.is_preferred();
                let i = waiting.iter().filter(|w| w.preferred == preferred).count() + 1;
                let calls_left = if preferred { i + i.div_ceil(k) } else { (k + 1) * i };
                waiting.push(Waiting {
                    id,
                    preferred,
                    arrival_seq: place.arrival_seq,
                    calls_left,
                });
            }
            What::Called { .. } => {
                let head = |preferred| {
                    let lane = waiting.iter().filter(|w: &&Waiting| w.preferred == preferred);
                    lane.min_by_key(|w| w.arrival_seq).map(|w| w.id)
                };
                let expected = match (head(true), head(false)) {
                    (Some(preferred), Some(general)) => {
                        contested += 1;
                        if run < k {
                            run += 1;
                            preferred
                        } else {
                            run = 0;
                            general
                        }
                    }
                    (Some(only), None) | (None, Some(only)) => only,
                    (None, None) => return Err(format!("event {} calls nobody who waits", event.seq)),
                };
                if id != expected {
                    return Err(format!("event {} calls somebody else than the rule", event.seq));
                }
                waiting.retain(|w| w.id != id);
                for other in &mut waiting {
                    other.calls_left = other
                        .calls_left
                        .checked_sub(1)
                        .filter(|left| *left > 0)
                        .ok_or_else(|| {
                            format!("event {} breaks the bound of {}", event.seq, other.arrival_seq)
                        })?;
                }
            }
            _ => {}
        }
    }
    Ok(contested)
}

/// Arrivals and calls in this order, one counter.
fn run_day(steps: &[(bool, u8)], k: u8) -> Day {
    let mut day = Day::with(|setup| setup.max_run = MaxRun::new(k).expect("1 to 9"));
    day.give(Command::Open(FOUR)).expect("open");
    for (preferred, calls) in steps {
        day.issue(
            "tributos",
            if *preferred { Lane::Priority } else { Lane::General },
        );
        for _ in 0..*calls {
            if day.give(Command::Next(FOUR)) != Ok(Outcome::Ticket(None)) {
                day.give(Command::Start(FOUR)).expect("start");
                let finish = Command::Finish {
                    counter: FOUR,
                    result: None,
                };
                day.give(finish).expect("finish");
            }
        }
    }
    day
}

#[test]
fn an_endless_stream_of_preferred_people_starves_nobody() {
    for k in 1..=3_u8 {
        // Ten people of the general lane, then for each call two more preferred ones.
        let mut steps = vec![(false, 0); 10];
        steps.extend((0..120).map(|n| (true, n % 2)));
        let day = run_day(&steps, k);
        let contested = audit(&day.history, usize::from(k)).expect("fair");
        assert_eq!(contested, 10 * (usize::from(k) + 1));
        let general = day.office.tickets().filter(|t| t.lane == Lane::General);
        let called = general.filter(|t| t.first_called_at.is_some()).count();
        assert_eq!(called, 10);
    }
}

#[test]
fn the_audit_finds_an_unfair_call() {
    let mut day = run_day(&[(false, 0), (true, 0), (false, 0), (true, 1), (false, 1)], 2);
    audit(&day.history, 2).expect("fair");
    let called: Vec<usize> = (0..day.history.len())
        .filter(|n| day.history[*n].what.kind() == "called")
        .collect();
    let (first, second) = (day.history[called[0]].ticket, day.history[called[1]].ticket);
    day.history[called[0]].ticket = second;
    day.history[called[1]].ticket = first;
    assert!(audit(&day.history, 2).is_err());
}

proptest! {
    /// P5 and P6, for bursts and lulls, K from 1 to 3.
    #[test]
    fn every_call_follows_the_rule_and_keeps_both_bounds(
        steps in prop::collection::vec((any::<bool>(), 0_u8..3), 1..80), k in 1_u8..=3,
    ) {
        let day = run_day(&steps, k);
        if let Err(problem) = audit(&day.history, usize::from(k)) {
            prop_assert!(false, "{problem}");
        }
    }
}

/// A small generator of its own, so that the figures below are the same everywhere.
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

/// Mean wait of M/M/c by Erlang's formula, in units of the mean service.
fn erlang_c_wait(servers: u32, load: f64) -> f64 {
    let offered = load * f64::from(servers);
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..servers {
        term *= offered / f64::from(n);
        sum += term;
    }
    let last = term * offered / f64::from(servers) / (1.0 - load);
    last / (sum + last) / (f64::from(servers) * (1.0 - load))
}

/// Mean wait with the real choice of who is next, and its standard error over batches.
fn simulated_wait(servers: usize, load: f64, share_preferred: f64, people: usize) -> (f64, f64) {
    let queue = QueueId::from("tributos");
    let profile = Profile {
        name: "t".into(),
        tiers: vec![vec![queue.clone()]],
    };
    let mut lines = BTreeMap::from([(queue.clone(), Line::default())]);
    let mut runs = Runs::default();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut free_at = vec![0.0_f64; servers];
    let mut arrived: HashMap<TicketId, f64> = HashMap::new();
    let mut waits = Vec::with_capacity(people);
    let (mut clock, mut next_arrival, mut given) = (0.0, 0.0, 0_u64);
    while waits.len() < people {
        let (server, free) = free_at
            .iter()
            .copied()
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .expect("a server");
        // Everybody who comes before the next desk is free stands in line by then.
        while next_arrival <= free.max(clock) || arrived.is_empty() {
            given += 1;
            let id = TicketId(uuid::Uuid::from_u128(u128::from(given)));
            let lane = if dice.unit() < share_preferred {
                Lane::Priority
            } else {
                Lane::General
            };
            lines
                .get_mut(&queue)
                .expect("line")
                .insert(lane, Place::at(given), id);
            arrived.insert(id, next_arrival);
            clock = next_arrival;
            next_arrival += dice.exponential(1.0 / (load * servers as f64));
        }
        let (chosen, decision) = choose(&profile, &lines, &runs, MaxRun::default()).expect("somebody");
        runs.note(&decision);
        lines
            .get_mut(&queue)
            .expect("line")
            .remove(chosen.lane, chosen.place);
        let came = arrived.remove(&chosen.ticket).expect("known");
        let start = free.max(came);
        waits.push(start - came);
        free_at[server] = start + dice.exponential(1.0);
        clock = clock.max(start);
    }
    let batches: Vec<f64> = waits
        .chunks(people / 20)
        .map(|batch| batch.iter().sum::<f64>() / batch.len() as f64)
        .collect();
    let mean = batches.iter().sum::<f64>() / batches.len() as f64;
    let variance = batches.iter().map(|b| (b - mean).powi(2)).sum::<f64>() / (batches.len() - 1) as f64;
    (mean, (variance / batches.len() as f64).sqrt())
}

#[test]
fn the_mean_wait_is_erlangs_whatever_the_share_of_preferred_people() {
    for (servers, load, share) in [(1, 0.7, 0.0), (4, 0.8, 0.2), (4, 0.8, 0.45)] {
        let expected = erlang_c_wait(servers, load);
        let (mean, error) = simulated_wait(servers as usize, load, share, 60_000);
        assert!(
            (mean - expected).abs() < 4.0 * error,
            "{servers} counters at {load}: {mean:.3} ± {error:.3}, the formula says {expected:.3}"
        );
        assert!(error < expected / 5.0, "the simulation is too short to tell");
    }
}
