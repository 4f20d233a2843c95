//! The office's own time: it follows the machine's wall clock, but not over a cliff.
//!
//! A wall clock is set by hand, by the network or by a dead battery, and a jump past the day cut would end everybody's
//! turn. So each reading is held against a second clock that nobody can set (time since the machine started): what
//! differs by more than [`JUMP`] while somebody waits is not believed until a supervisor says so.
//! Begin at [`Timekeeper::read`].

use jiff::{SignedDuration, Timestamp};

/// How far the wall clock may move against the other one and still be followed.
pub const JUMP: SignedDuration = SignedDuration::from_mins(30);

/// No office ran this program before 1 January 2026: an earlier wall clock has lost its battery.
pub const EARLIEST: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// Both clocks, read at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// What the machine takes for the time of day.
    pub wall: Timestamp,
    /// Time since the machine started, sleep included.
    pub boot: SignedDuration,
}

/// Why the office has the time it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// It is the wall clock's.
    Followed,
    /// The wall clock was plainly wrong when the office began, so its time goes on from the last thing it knew.
    Guessed,
    /// The wall clock jumped while somebody waited, so the office's time goes on as if it had not.
    Doubted,
}

impl Trust {
    /// The word used in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Followed => "followed",
            Self::Guessed => "guessed",
            Self::Doubted => "doubted",
        }
    }
}

/// The wall clock cannot be right, whoever says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("The clock of this machine says {0}, which cannot be; set it right first")]
pub struct Impossible(pub Timestamp);

/// What the office takes for the time, and since when on the other clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timekeeper {
    at: Timestamp,
    boot: SignedDuration,
    trust: Trust,
    /// Earlier than this is plainly wrong.
    floor: Timestamp,
}

impl Timekeeper {
    /// The time at a start; `newest` is when the newest event of the file happened.
    ///
    /// Nothing tells how long the office was off, so a wall clock behind its own past is the only one that is not believed.
    pub fn begin(reading: Reading, newest: Option<Timestamp>) -> Self {
        let floor = newest.unwrap_or(EARLIEST).max(EARLIEST);
        let behind = floor.duration_since(reading.wall) > JUMP;
        Self {
            at: if behind { floor } else { reading.wall },
            boot: reading.boot,
            trust: if behind { Trust::Guessed } else { Trust::Followed },
            floor,
        }
    }

    /// The office's time now; `waiting` tells whether any ticket is open, so that a wrong time would cost somebody a turn.
    pub fn read(&mut self, reading: Reading, waiting: bool) -> Timestamp {
        let own = self.own(reading);
        self.boot = reading.boot;
        let near = reading.wall.duration_since(own).abs() <= JUMP;
        let believed = reading.wall >= EARLIEST
            && match self.trust {
                Trust::Guessed => near || reading.wall >= self.floor,
                Trust::Followed | Trust::Doubted => near || !waiting,
            };
        if believed {
            self.at = reading.wall;
            self.trust = Trust::Followed;
        } else {
            self.at = own;
            if self.trust == Trust::Followed {
                self.trust = Trust::Doubted;
            }
        }
        self.at
    }

    /// Takes the wall clock's time because a person says that it is right.
    pub fn confirm(&mut self, reading: Reading) -> Result<(), Impossible> {
        if reading.wall < EARLIEST {
            return Err(Impossible(reading.wall));
        }
        self.at = reading.wall;
        self.boot = reading.boot;
        self.trust = Trust::Followed;
        Ok(())
    }

    /// Why it is this time.
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// The time that has passed since the last reading, added to it.
    fn own(&self, reading: Reading) -> Timestamp {
        let passed = reading.boot.saturating_sub(self.boot).max(SignedDuration::ZERO);
        self.at.saturating_add(passed).unwrap_or(self.at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: &str = "2026-11-24T17:00:00Z";

    struct Machine {
        reading: Reading,
        keeper: Timekeeper,
    }

    impl Machine {
        fn at(wall: &str, newest: Option<&str>) -> Self {
            let reading = Reading {
                wall: time(wall),
                boot: SignedDuration::from_secs(1000),
            };
            Self {
                reading,
                keeper: Timekeeper::begin(reading, newest.map(time)),
            }
        }

        fn passes(&mut self, minutes: i64) {
            let by = SignedDuration::from_mins(minutes);
            self.reading.wall += by;
            self.reading.boot += by;
        }

        fn set(&mut self, wall: &str) {
            self.reading.wall = time(wall);
        }

        #[track_caller]
        fn tells(&mut self, waiting: bool, wanted: &str, trust: Trust) {
            let told = self.keeper.read(self.reading, waiting);
            assert_eq!((told, self.keeper.trust()), (time(wanted), trust));
        }
    }

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_small_correction_is_followed() {
        let mut machine = Machine::at(NOON, None);
        machine.passes(10);
        machine.set("2026-11-24T17:39:00Z");
        machine.tells(true, "2026-11-24T17:39:00Z", Trust::Followed);
    }

    #[test]
    fn a_jump_is_not_believed_while_somebody_waits_and_ends_by_itself() {
        for wrong in [
            "2026-11-24T15:00:00Z",
            "2026-11-25T19:00:00Z",
            "2000-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
        ] {
            let mut machine = Machine::at(NOON, None);
            machine.set(wrong);
            machine.tells(true, NOON, Trust::Doubted);
            machine.passes(7);
            machine.tells(true, "2026-11-24T17:07:00Z", Trust::Doubted);
            machine.set("2026-11-24T17:08:00Z");
            machine.tells(true, "2026-11-24T17:08:00Z", Trust::Followed);
        }
    }

    #[test]
    fn with_nobody_there_a_jump_is_followed_unless_it_cannot_be() {
        let mut machine = Machine::at(NOON, None);
        machine.set("2026-11-25T19:00:00Z");
        machine.tells(false, "2026-11-25T19:00:00Z", Trust::Followed);
        machine.set("2000-01-01T00:00:00Z");
        machine.tells(false, "2026-11-25T19:00:00Z", Trust::Doubted);
    }

    #[test]
    fn a_person_may_say_that_the_jump_is_right_but_not_that_it_is_the_year_2000() {
        let mut machine = Machine::at(NOON, None);
        machine.set("2026-11-25T19:00:00Z");
        machine.tells(true, NOON, Trust::Doubted);
        machine.keeper.confirm(machine.reading).expect("possible");
        machine.passes(1);
        machine.tells(true, "2026-11-25T19:01:00Z", Trust::Followed);
        machine.set("2000-01-01T00:00:00Z");
        machine.tells(true, "2026-11-25T19:01:00Z", Trust::Doubted);
        assert_eq!(
            machine.keeper.confirm(machine.reading),
            Err(Impossible(time("2000-01-01T00:00:00Z")))
        );
    }

    #[test]
    fn a_clock_that_was_plainly_wrong_at_the_start_is_put_right_without_asking() {
        for (wrong, newest, from) in [
            ("2026-11-24T15:00:00Z", Some(NOON), NOON),
            ("2000-01-01T00:00:00Z", Some(NOON), NOON),
            ("2000-01-01T00:00:00Z", None, "2026-01-01T00:00:00Z"),
        ] {
            let mut machine = Machine::at(wrong, newest);
            machine.tells(true, from, Trust::Guessed);
            machine.set("2026-11-26T08:00:00Z");
            machine.tells(true, "2026-11-26T08:00:00Z", Trust::Followed);
        }
    }

    #[test]
    fn a_few_seconds_behind_the_last_event_are_no_reason_for_doubt() {
        let mut machine = Machine::at("2026-11-24T16:59:50Z", Some(NOON));
        machine.tells(true, "2026-11-24T16:59:50Z", Trust::Followed);
    }

    proptest! {
        /// Whatever somebody does to the wall clock while people wait, the office's time runs on as time does.
        #[test]
        fn own_time_never_jumps_while_somebody_waits(
            steps in prop::collection::vec((0_i64..3600, -90_000_i64..90_000), 1..60),
        ) {
            let mut machine = Machine::at(NOON, None);
            let mut last = machine.keeper.read(machine.reading, true);
            for (passed, moved) in steps {
                let passed = SignedDuration::from_secs(passed);
                machine.reading.boot += passed;
                machine.reading.wall += passed + SignedDuration::from_secs(moved);
                let now = machine.keeper.read(machine.reading, true);
                let off = (now.duration_since(last) - passed).abs();
                prop_assert!(off <= JUMP, "{off:?}");
                last = now;
            }
        }
    }
}
