//! A board that listens to its office: what it shows, and which call it announces next.
//!
//! Pure: [`Board::step`] takes what was heard and answers with at most one call to announce, and none while another
//! one is being announced. `board.js` follows the same rules in a browser. The office says which calls are still
//! news; a call that no longer is goes to the history without a sound.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::ticket::{CounterNumber, QueueId, Series, time_text};
use crate::domain::event::Estimate;

/// An older call is history, not news.
const STALE: SignedDuration = SignedDuration::from_secs(30);
/// Silence of the office after which the room is told: its heart beats every four seconds.
const LOST: SignedDuration = SignedDuration::from_secs(10);
/// Three flashes at 1 Hz.
const FLASH: SignedDuration = SignedDuration::from_secs(3);
/// Then the frame stays.
const FRAME: SignedDuration = SignedDuration::from_secs(8);
/// Calls on the board: the present one and three before it.
const SHOWN: usize = 4;

/// A call as the office tells it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct BoardCall {
    /// Place in the office's history.
    pub seq: u64,
    /// When, by the office's clock.
    #[serde(with = "time_text")]
    pub at: Timestamp,
    /// As shown, such as `T-018`.
    pub number: String,
    /// Where to go.
    pub counter: CounterNumber,
}

/// A queue as the office tells it.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct BoardQueue {
    /// Its name for programs.
    pub id: QueueId,
    /// Its name for people.
    pub name: String,
    /// Its letter.
    pub series: Series,
    /// How many wait.
    pub waiting: usize,
    /// How long a newcomer waits.
    pub estimate: Option<Estimate>,
    /// Open counters that serve it.
    pub open_counters: usize,
    /// Whether the system behind it is down.
    #[serde(default)]
    pub down: bool,
}

/// Everything the office tells a board.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct BoardNews {
    /// The newest event it knows of.
    pub seq: u64,
    /// When it was made, by the office's clock.
    #[serde(with = "time_text")]
    pub at: Timestamp,
    /// Name of the office.
    pub office: String,
    /// The waiting room.
    pub room: String,
    /// The newest calls, newest first.
    pub calls: Vec<BoardCall>,
    /// Which calls may still be announced.
    pub announce: Vec<u64>,
    /// The queues.
    pub queues: Vec<BoardQueue>,
    /// K of the rule on the wall.
    pub max_priority_run: u8,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum BoardInput {
    /// The office told a call; it is announced with the news that follow it.
    Call(BoardCall),
    /// The office told everything.
    News(Box<BoardNews>),
    /// The office is there.
    Beat,
    /// The announcement under way is over.
    Spoken,
}

/// How the newest call stands out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Emphasis {
    /// Not any more.
    #[default]
    None,
    /// The panel is lit.
    Lit,
    /// A frame stands around it.
    Frame,
}

/// A board.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Board {
    last: Option<u64>,
    news: Option<BoardNews>,
    shown: Vec<BoardCall>,
    waiting: VecDeque<BoardCall>,
    announced: Option<Timestamp>,
    busy: bool,
    heard: Option<Timestamp>,
    /// The office's clock minus ours.
    offset: SignedDuration,
}

impl Board {
    /// Takes in what happened at `now`, by the clock of this machine; a call that is returned is announced, and the
    /// end of that told with [`BoardInput::Spoken`].
    pub fn step(&mut self, input: BoardInput, now: Timestamp) -> Option<BoardCall> {
        match input {
            BoardInput::Beat => self.heard = Some(now),
            BoardInput::Spoken => self.busy = false,
            BoardInput::Call(call) => {
                self.heard = Some(now);
                if self.last.is_none_or(|last| call.seq > last) {
                    self.last = Some(call.seq);
                    self.waiting.push_back(call);
                }
                return None;
            }
            BoardInput::News(news) => {
                self.heard = Some(now);
                self.offset = news.at.duration_since(now);
                if self.last.is_some_and(|last| news.seq < last) {
                    // The office began a new history.
                    self.waiting.clear();
                }
                self.last = Some(news.seq);
                self.news = Some(*news);
            }
        }
        self.next(now)
    }

    fn next(&mut self, now: Timestamp) -> Option<BoardCall> {
        let news = self.news.as_ref()?;
        if self.busy {
            return None;
        }
        let there = now + self.offset;
        while let Some(call) = self.waiting.pop_front() {
            if news.announce.contains(&call.seq) && there.duration_since(call.at) <= STALE {
                self.busy = true;
                self.announced = Some(now);
                self.shown.retain(|other| other.number != call.number);
                self.shown.insert(0, call.clone());
                self.shown.truncate(SHOWN);
                return Some(call);
            }
        }
        self.shown.clone_from(&news.calls);
        None
    }

    /// The newest event heard of, to go on from after a break.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// What the office told last.
    pub fn news(&self) -> Option<&BoardNews> {
        self.news.as_ref()
    }

    /// Calls to show, newest first.
    pub fn calls(&self) -> &[BoardCall] {
        &self.shown
    }

    /// The office's time.
    pub fn time(&self, now: Timestamp) -> Timestamp {
        now + self.offset
    }

    /// Whether the room must be told that the office is silent.
    pub fn is_lost(&self, now: Timestamp) -> bool {
        self.heard.is_none_or(|heard| now.duration_since(heard) >= LOST)
    }

    /// How the newest call stands out now; `still` leaves the flashing out.
    pub fn emphasis(&self, now: Timestamp, still: bool) -> Emphasis {
        let Some(since) = self.announced else {
            return Emphasis::None;
        };
        let since = now.duration_since(since).max(SignedDuration::ZERO);
        if since < FLASH && !still {
            if since.subsec_millis() < 500 {
                Emphasis::Lit
            } else {
                Emphasis::None
            }
        } else if since < FLASH + FRAME {
            Emphasis::Frame
        } else {
            Emphasis::None
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000_000 + seconds)
    }

    fn call(seq: u64, seconds: i64) -> BoardCall {
        BoardCall {
            seq,
            at: at(seconds),
            number: format!("T-{seq:03}"),
            counter: CounterNumber(4),
        }
    }

    fn news(seq: u64, seconds: i64, calls: &[BoardCall], announce: &[u64]) -> BoardInput {
        BoardInput::News(Box::new(BoardNews {
            seq,
            at: at(seconds),
            office: "Quitumbe".into(),
            room: "Sala A".into(),
            calls: calls.iter().rev().take(4).cloned().collect(),
            announce: announce.to_vec(),
            queues: Vec::new(),
            max_priority_run: 2,
        }))
    }

    #[test]
    fn two_calls_at_once_are_announced_one_after_the_other() {
        let (one, two) = (call(1, 0), call(2, 0));
        let mut board = Board::default();
        assert_eq!(board.step(news(0, 0, &[], &[]), at(0)), None);
        board.step(BoardInput::Call(one.clone()), at(0));
        board.step(BoardInput::Call(two.clone()), at(0));
        let both = [one.clone(), two.clone()];
        assert_eq!(board.step(news(2, 0, &both, &[1, 2]), at(0)), Some(one.clone()));
        assert_eq!(board.step(news(2, 1, &both, &[1, 2]), at(1)), None);
        assert_eq!(board.calls(), [one]);
        assert_eq!(board.step(BoardInput::Spoken, at(5)), Some(two.clone()));
        assert_eq!(board.calls()[0], two);
        assert_eq!(board.emphasis(at(5), false), Emphasis::Lit);
        assert_eq!(board.emphasis(at(5), true), Emphasis::Frame);
        assert_eq!(board.emphasis(at(9), false), Emphasis::Frame);
        assert_eq!(board.emphasis(at(17), false), Emphasis::None);
    }

    #[test]
    fn what_is_old_or_over_is_shown_and_not_announced() {
        let mut board = Board::default();
        board.step(news(0, 0, &[], &[]), at(0));
        let (old, over) = (call(1, 0), call(2, 50));
        board.step(BoardInput::Call(old.clone()), at(60));
        board.step(BoardInput::Call(over.clone()), at(60));
        let both = [old.clone(), over.clone()];
        // A hub that took the first for news would be wrong about the time.
        assert_eq!(board.step(news(2, 60, &both, &[1]), at(60)), None);
        assert_eq!(board.calls(), [over, old]);
    }

    #[test]
    fn a_machine_with_a_wrong_clock_announces_all_the_same_and_notices_silence() {
        let mut board = Board::default();
        let wrong = at(7200);
        assert!(board.is_lost(wrong));
        board.step(BoardInput::Call(call(1, 0)), wrong);
        assert!(board.step(news(1, 0, &[call(1, 0)], &[1]), wrong).is_some());
        assert_eq!(board.time(wrong), at(0));
        assert!(!board.is_lost(wrong + SignedDuration::from_secs(9)));
        assert!(board.is_lost(wrong + SignedDuration::from_secs(10)));
    }

    proptest! {
        /// P15 at the board's end: whatever is heard twice, late or after a break, each call is announced once at
        /// the most, in order, one at a time, and never when it is old or over.
        #[test]
        fn each_call_is_announced_once_in_order(
            times in prop::collection::vec(0i64..8, 1..20),
            breaks in prop::collection::vec((0usize..20, 1i64..60), 0..6),
            over in prop::collection::hash_set(1u64..20, 0..5),
            spoken in prop::collection::vec(any::<bool>(), 20),
        ) {
            let mut board = Board::default();
            let mut all: Vec<BoardCall> = Vec::new();
            let (mut now, mut told, mut announced) = (0, 0usize, Vec::new());
            let mut under_way = false;
            for (step, pause) in times.iter().enumerate() {
                now += pause;
                all.push(call(step as u64 + 1, now));
                let gap = breaks.iter().find(|(at, _)| *at == step);
                if let Some((_, away)) = gap {
                    // Away: nothing of this is heard until the line is back, and then again from the last one.
                    now += away;
                    told = told.saturating_sub(1);
                }
                for call in &all[told..] {
                    board.step(BoardInput::Call(call.clone()), at(now));
                }
                told = all.len();
                let fresh: Vec<u64> = all.iter()
                    .filter(|call| at(now).duration_since(call.at) <= STALE && !over.contains(&call.seq))
                    .map(|call| call.seq).collect();
                let mut heard = board.step(news(all.len() as u64, now, &all, &fresh), at(now));
                if heard.is_none() && under_way && spoken[step] {
                    under_way = false;
                    heard = board.step(BoardInput::Spoken, at(now));
                }
                if let Some(call) = heard {
                    prop_assert!(!under_way, "two at once");
                    prop_assert!(fresh.contains(&call.seq));
                    under_way = true;
                    announced.push(call.seq);
                }
                if !under_way {
                    prop_assert_eq!(board.calls().first(), all.last());
                }
            }
            prop_assert!(announced.windows(2).all(|two| two[0] < two[1]), "{announced:?}");
        }
    }
}
