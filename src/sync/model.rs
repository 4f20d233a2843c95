//! The protocol as a small machine, looked at in every order of events: two submissions, one sender, one server,
//! copies, two restores, lost requests, lost answers and old letters.
//!
//! It checks the promises I1 to I6, I8 and I10 of the protocol; I7 (numbers of turns) is the queue's and I9
//! (nothing in the clear) is looked for on real disks. Each mistake of [`Mistake`] must be found, so that the
//! checks are known to have teeth.
//! The same promises are held against the real code, over many fewer orders, by the simulation in `app/outbox/sim`.

use std::collections::{HashSet, VecDeque};

use crate::domain::submission::transit::State;

/// With three it takes minutes and finds the same (looked at once, nothing found).
const ITEMS: usize = 2;
const RESTORES: u8 = 2;

/// A mistake in the design that must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    None,
    /// A body goes when the server said that it has it.
    PurgeOnReceipt,
    /// The mark is what the server has, not what a copy has.
    MarkIsReceived,
    /// A restored server keeps its old life, and nobody shows it what it once signed.
    NoNewLife,
    /// A server looks only whether it ever gave the place that a sender shows.
    ComparesPlaces,
    /// A server looks only whether the submission stands at that place, not since when.
    ComparesItems,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kept {
    state: State,
    body: bool,
    epoch: u8,
    seq: u8,
    /// What the server's word says of when it was stored.
    stored: u8,
}

/// An item in the server's order, and when it was stored: how often the server had been set back by then.
type Stored = (u8, u8);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Copy {
    epoch: u8,
    order: Vec<Stored>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Machine {
    sender: [Option<Kept>; ITEMS],
    /// Whether a request with it was ever on the line and may still arrive.
    letters: [bool; ITEMS],
    known_epoch: Option<u8>,
    epoch: u8,
    /// The server's order; an item that comes from elsewhere is [`STRANGER`].
    order: Vec<Stored>,
    /// The mark: life and last place.
    mark: Option<(u8, u8)>,
    copy: Option<Copy>,
    restores: u8,
    lives: u8,
}

/// A submission of another sender.
const STRANGER: u8 = 99;

#[derive(Clone, Copy, Debug)]
enum Event {
    Confirm(usize),
    Post { item: Option<usize>, answered: bool },
    OldLetter(usize),
    Stranger,
    Copy,
    Purge(usize),
    Restore,
    CopyBack,
}

impl Machine {
    fn new() -> Self {
        Self {
            sender: [None; ITEMS],
            letters: [false; ITEMS],
            known_epoch: None,
            epoch: 0,
            order: Vec::new(),
            mark: None,
            copy: None,
            restores: 0,
            lives: 0,
        }
    }

    fn events(&self) -> Vec<Event> {
        let mut events = vec![Event::Copy];
        for item in 0..ITEMS {
            match self.sender[item] {
                None => {
                    if item == 0 || self.sender[item - 1].is_some() {
                        events.push(Event::Confirm(item));
                    }
                }
                Some(kept) => {
                    if kept.state == State::Queued {
                        for answered in [true, false] {
                            let item = Some(item);
                            events.push(Event::Post { item, answered });
                        }
                    }
                    if kept.state == State::Durable && kept.body {
                        events.push(Event::Purge(item));
                    }
                }
            }
            if self.letters[item] {
                events.push(Event::OldLetter(item));
            }
        }
        for answered in [true, false] {
            events.push(Event::Post { item: None, answered });
        }
        if self.copy.is_some() && self.restores < RESTORES {
            events.extend([Event::Restore, Event::CopyBack]);
        }
        if !self.has(STRANGER) {
            events.push(Event::Stranger);
        }
        events
    }

    fn after(&self, event: Event, mistake: Mistake) -> Self {
        let mut next = self.clone();
        match event {
            Event::Confirm(item) => {
                next.sender[item] = Some(Kept {
                    state: State::Queued,
                    body: true,
                    epoch: 0,
                    seq: 0,
                    stored: 0,
                });
            }
            Event::Post { item, answered } => next.post(item, answered, mistake),
            Event::OldLetter(item) => next.store(u8::try_from(item).expect("few")),
            Event::Stranger => next.store(STRANGER),
            Event::Copy => {
                next.copy = Some(Copy {
                    epoch: next.epoch,
                    order: next.order.clone(),
                });
                next.mark = Some((next.epoch, next.last()));
            }
            Event::Purge(item) => {
                if let Some(kept) = &mut next.sender[item] {
                    kept.body = false;
                }
            }
            Event::Restore | Event::CopyBack => {
                let copy = next.copy.clone().expect("there is one");
                next.order = copy.order;
                next.epoch = copy.epoch;
                // What the file itself knew of its copies when it was copied.
                next.mark = None;
                next.restores += 1;
                let hand = matches!(event, Event::CopyBack);
                if !hand && mistake != Mistake::NoNewLife {
                    next.begin_life();
                }
            }
        }
        next
    }

    fn begin_life(&mut self) {
        self.lives += 1;
        self.epoch = self.lives;
        self.mark = None;
    }

    fn last(&self) -> u8 {
        u8::try_from(self.order.len()).expect("few")
    }

    fn has(&self, item: u8) -> bool {
        self.order.iter().any(|(stored, _)| *stored == item)
    }

    fn store(&mut self, item: u8) {
        if !self.has(item) {
            self.order.push((item, self.restores));
        }
    }

    /// The sender's highest acknowledged place in a life.
    fn last_word(&self, epoch: u8) -> Option<(Stored, u8)> {
        (0_u8..)
            .zip(&self.sender)
            .filter_map(|(item, kept)| kept.map(|kept| (item, kept)))
            .filter(|(_, kept)| kept.seq > 0 && kept.epoch == epoch)
            .map(|(item, kept)| ((item, kept.stored), kept.seq))
            .max_by_key(|(_, seq)| *seq)
    }

    fn post(&mut self, item: Option<usize>, answered: bool, mistake: Mistake) {
        if let Some(known) = self.known_epoch
            && let Some((word, seq)) = self.last_word(known)
            && known == self.epoch
        {
            let there = self.order.get(usize::from(seq) - 1);
            let behind = match mistake {
                Mistake::NoNewLife => false,
                Mistake::ComparesPlaces => there.is_none(),
                Mistake::ComparesItems => there.is_none_or(|(item, _)| *item != word.0),
                Mistake::None | Mistake::PurgeOnReceipt | Mistake::MarkIsReceived => there != Some(&word),
            };
            if behind {
                self.begin_life();
            }
        }
        if let Some(item) = item {
            self.letters[item] = true;
            self.store(u8::try_from(item).expect("few"));
        }
        if answered {
            self.settle(item, mistake);
        }
    }

    fn settle(&mut self, item: Option<usize>, mistake: Mistake) {
        let (epoch, order) = (self.epoch, self.order.clone());
        let mark = match mistake {
            Mistake::MarkIsReceived => Some((epoch, self.last())),
            Mistake::None
            | Mistake::PurgeOnReceipt
            | Mistake::NoNewLife
            | Mistake::ComparesPlaces
            | Mistake::ComparesItems => self.mark,
        };
        self.known_epoch = Some(epoch);
        for (at, kept) in self.sender.iter_mut().enumerate() {
            let Some(kept) = kept else { continue };
            if Some(at) == item {
                let place = order.iter().position(|(stored, _)| usize::from(*stored) == at);
                let place = place.expect("just stored");
                kept.state = State::Received;
                kept.epoch = epoch;
                kept.seq = u8::try_from(place + 1).expect("few");
                kept.stored = order[place].1;
            }
            let acknowledged = matches!(kept.state, State::Received | State::Durable);
            if acknowledged && kept.epoch != epoch && kept.body {
                kept.state = State::Queued;
            }
            let covered = mark.is_some_and(|(life, last)| life == kept.epoch && kept.seq <= last);
            if kept.state == State::Received && covered {
                kept.state = State::Durable;
            }
            if mistake == Mistake::PurgeOnReceipt && kept.state == State::Received {
                kept.state = State::Durable;
                kept.body = false;
            }
        }
    }

    /// The first promise that does not hold, if any.
    fn broken(&self, mistake: Mistake) -> Option<&'static str> {
        let mut seen = HashSet::new();
        if !self.order.iter().all(|(item, _)| seen.insert(*item)) {
            return Some("I2");
        }
        for (item, kept) in (0_u8..).zip(&self.sender) {
            let Some(kept) = kept else { continue };
            let copied = self
                .copy
                .as_ref()
                .is_some_and(|copy| copy.order.iter().any(|(stored, _)| *stored == item));
            if !kept.body && !self.has(item) && !copied {
                return Some("I1");
            }
            if !kept.body && !copied {
                return Some("I3");
            }
        }
        (!self.comes_to_rest(mistake)).then_some("I4")
    }

    /// Whether, once nothing fails any more, everything confirmed ends up safe.
    fn comes_to_rest(&self, mistake: Mistake) -> bool {
        let mut machine = self.clone();
        for _ in 0..4 {
            for item in 0..ITEMS {
                if machine.sender[item].is_some_and(|kept| kept.state == State::Queued) {
                    machine.post(Some(item), true, mistake);
                }
            }
            machine = machine.after(Event::Copy, mistake);
            machine.post(None, true, mistake);
        }
        (0_u8..)
            .zip(&machine.sender)
            .all(|(item, kept)| kept.is_none_or(|kept| kept.state == State::Durable && machine.has(item)))
    }
}

/// Looks at every machine that can come about; gives how many there are, or the shortest way to a broken promise.
fn explore(mistake: Mistake) -> Result<usize, (&'static str, Vec<Event>)> {
    let mut seen: HashSet<Machine> = HashSet::new();
    // Each with the place of the one it came from, to tell the way.
    let mut all: Vec<(Machine, Option<(usize, Event)>)> = vec![(Machine::new(), None)];
    let mut waiting = VecDeque::from([0]);
    seen.insert(Machine::new());
    while let Some(at) = waiting.pop_front() {
        let machine = all[at].0.clone();
        if let Some(promise) = machine.broken(mistake) {
            let mut way = Vec::new();
            let mut here = at;
            while let Some((before, event)) = all[here].1 {
                way.push(event);
                here = before;
            }
            way.reverse();
            return Err((promise, way));
        }
        for event in machine.events() {
            let next = machine.after(event, mistake);
            if seen.insert(next.clone()) {
                all.push((next, Some((at, event))));
                waiting.push_back(all.len() - 1);
            }
        }
    }
    Ok(all.len())
}

#[test]
fn no_order_of_events_breaks_a_promise() {
    let looked_at = explore(Mistake::None).unwrap_or_else(|(promise, way)| panic!("{promise}: {way:?}"));
    assert!(looked_at > 10_000, "only {looked_at} machines came about");
}

#[track_caller]
fn is_found(mistake: Mistake, promise: &str) {
    let (found, way) = explore(mistake).expect_err("a mistake that nobody finds");
    assert_eq!(found, promise, "{mistake:?} by {way:?}");
}

#[test]
fn each_mistake_is_found() {
    is_found(Mistake::PurgeOnReceipt, "I3");
    is_found(Mistake::MarkIsReceived, "I3");
    is_found(Mistake::NoNewLife, "I4");
    is_found(Mistake::ComparesPlaces, "I4");
    is_found(Mistake::ComparesItems, "I4");
}
