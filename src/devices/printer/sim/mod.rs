//! A printer that does not exist: for training, for tests and for proving other programs right.
//!
//! It takes bytes into a small buffer, obeys real-time orders when they arrive and everything else in
//! its turn, stands still without paper or with its lid open, and answers a fence only when what came
//! before is on the paper. [`Simulator`] is the machine with its switches; [`serve()`] puts it on a
//! port; `core` is the machine itself and knows neither clock nor socket.

mod control;
mod core;
mod serve;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

pub use control::{Control, ControlError};
pub use serve::{Served, serve};

use super::paper::Paper;
use super::profile::Profile;
use super::wire::Wire;

/// What is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roll {
    /// Enough for today.
    Full,
    /// The near-end sensor speaks.
    Low,
    /// Nothing.
    Empty,
}

/// Everything that can be wrong with it, changed while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switches {
    /// What is loaded.
    pub roll: Roll,
    /// The lid.
    pub cover_open: bool,
    /// The blade is stuck.
    pub jammed: bool,
    /// It takes bytes, prints and never answers.
    pub mute: bool,
    /// Bytes a second; nothing for as fast as it can.
    pub slow: Option<u32>,
    /// The roll ends after so many more bytes are executed, in the middle of whatever it prints.
    pub out_after: Option<u64>,
    /// The line drops after so many more bytes arrive; works once.
    pub reset_after: Option<u64>,
    /// Millimetres left; nothing for a roll that never ends.
    pub roll_mm: Option<u32>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            roll: Roll::Full,
            cover_open: false,
            jammed: false,
            mute: false,
            slow: None,
            out_after: None,
            reset_after: None,
            roll_mm: None,
        }
    }
}

/// How the machine is built.
#[derive(Clone, Debug)]
pub struct Build {
    /// Width, pages and commands; what it can answer too.
    pub profile: Profile,
    /// Bytes it keeps before it stops reading; real ones have 45 B to 64 KiB.
    pub buffer: usize,
}

impl Build {
    /// A good receipt printer with 4 KiB of buffer.
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            buffer: 4096,
        }
    }
}

/// A simulated printer; clones are the same machine.
#[derive(Clone, Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    machine: Mutex<core::Machine>,
    changed: Condvar,
}

impl Simulator {
    /// Switches it on, with a roll.
    pub fn new(build: Build) -> Self {
        Self {
            shared: Arc::new(Shared {
                machine: Mutex::new(core::Machine::new(build)),
                changed: Condvar::new(),
            }),
        }
    }

    /// Turns switches.
    pub fn set(&self, turn: impl FnOnce(&mut Switches)) {
        let mut machine = self.machine();
        turn(&mut machine.switches);
        machine.sensors_changed();
        drop(machine);
        self.shared.changed.notify_all();
    }

    /// How the switches stand.
    pub fn switches(&self) -> Switches {
        self.machine().switches.clone()
    }

    /// The bytes of every piece of paper that was cut off, the oldest first.
    pub fn sheets(&self) -> Vec<Vec<u8>> {
        self.machine().sheets.clone()
    }

    /// The bytes on the paper that still hangs from the machine.
    pub fn hanging(&self) -> Vec<u8> {
        self.machine().hanging.clone()
    }

    /// Bytes in its memory that are on no paper yet.
    pub fn waiting_bytes(&self) -> usize {
        self.machine().waiting_bytes()
    }

    /// A sheet as it looks.
    pub fn paper(&self, sheet: &[u8]) -> Paper {
        Paper::print(sheet, &self.machine().build.profile)
    }

    /// Waits until `is_so`; says whether it became so in time.
    pub fn wait_until(&self, within: Duration, mut is_so: impl FnMut(&Self) -> bool) -> bool {
        let start = std::time::Instant::now();
        loop {
            if is_so(self) {
                return true;
            }
            let Some(left) = within.checked_sub(start.elapsed()) else {
                return false;
            };
            let machine = self.machine();
            let step = left.min(Duration::from_millis(20));
            drop(self.shared.changed.wait_timeout(machine, step).expect(UNPOISONED));
        }
    }

    /// A cable that needs no socket and no time: waits are over at once when nothing can come of them.
    pub(super) fn plug(&self) -> Plug {
        self.machine().connect();
        Plug {
            machine: self.clone(),
        }
    }

    fn machine(&self) -> MutexGuard<'_, core::Machine> {
        self.shared.machine.lock().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "no thread dies while it holds the simulated printer";

/// The cable of [`Simulator::plug`].
#[derive(Debug)]
pub(super) struct Plug {
    machine: Simulator,
}

impl Wire for Plug {
    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        let mut machine = self.machine.machine();
        machine.run(usize::MAX);
        let taken = machine.receive(bytes);
        machine.run(usize::MAX);
        match (taken, machine.is_cut_off()) {
            (0, true) => Err(io::ErrorKind::ConnectionReset.into()),
            (0, false) => Err(io::ErrorKind::TimedOut.into()),
            (taken, _) => Ok(taken),
        }
    }

    fn read(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        let mut machine = self.machine.machine();
        machine.run(usize::MAX);
        let count = machine.answer(buffer);
        match (count, machine.is_cut_off()) {
            (0, true) => Err(io::ErrorKind::ConnectionReset.into()),
            (0, false) => Err(io::ErrorKind::TimedOut.into()),
            (count, _) => Ok(count),
        }
    }
}
