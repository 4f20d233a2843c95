//! The machine itself: what arrives, what is executed, what is said.

use std::collections::VecDeque;

use super::super::command::{self, Command};
use super::super::measure::Feeder;
use super::super::profile::Proof;
use super::{Build, Roll, Switches};

const DOTS_PER_MM: u64 = 8;
/// The near-end sensor looks at the side of the roll: about this much is left when it speaks.
const LOW_MM: u64 = 3_000;

/// A printer's memory, paper and voice.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) build: Build,
    pub(super) switches: Switches,
    /// Pieces that were cut off.
    pub(super) sheets: Vec<Vec<u8>>,
    /// What is on the paper since the last cut.
    pub(super) hanging: Vec<u8>,
    buffer: VecDeque<u8>,
    /// The command that is being read out of the buffer.
    begun: Vec<u8>,
    /// The last bytes that arrived, for real-time commands.
    arrived: Vec<u8>,
    answers: VecDeque<u8>,
    /// What it should say by itself, the last word of it.
    push_mask: u8,
    pushed: [u8; 4],
    feeder: Feeder,
    fed_dots: u64,
    cut_off: bool,
}

impl Machine {
    pub(super) fn new(build: Build) -> Self {
        Self {
            build,
            switches: Switches::default(),
            sheets: Vec::new(),
            hanging: Vec::new(),
            buffer: VecDeque::new(),
            begun: Vec::new(),
            arrived: Vec::new(),
            answers: VecDeque::new(),
            push_mask: 0,
            pushed: [0; 4],
            feeder: Feeder::START,
            fed_dots: 0,
            cut_off: false,
        }
    }

    /// A customer comes; answers meant for an earlier one are gone, the memory is not.
    pub(super) fn connect(&mut self) {
        self.answers.clear();
        self.arrived.clear();
        self.push_mask = 0;
        self.cut_off = false;
    }

    /// Whether the line was dropped by its switch.
    pub(super) fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// Bytes it would take now.
    pub(super) fn room(&self) -> usize {
        let room = self.build.buffer.saturating_sub(self.buffer.len());
        let left = self
            .switches
            .reset_after
            .map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        if self.cut_off { 0 } else { room.min(left.max(1)) }
    }

    pub(super) fn waiting_bytes(&self) -> usize {
        self.buffer.len() + self.begun.len()
    }

    /// Takes as many bytes as it has room for; real-time orders are obeyed here.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        for byte in bytes {
            if self.switches.reset_after == Some(0) {
                self.switches.reset_after = None;
                self.cut_off = true;
            }
            if self.cut_off || self.buffer.len() >= self.build.buffer {
                break;
            }
            if let Some(left) = &mut self.switches.reset_after {
                *left -= 1;
            }
            self.buffer.push_back(*byte);
            self.arrived.push(*byte);
            taken += 1;
            self.obey_real_time();
        }
        taken
    }

    /// Executes up to `limit` bytes, or until it must stand still.
    pub(super) fn run(&mut self, limit: usize) -> usize {
        let mut done = 0;
        while done < limit && !self.stands_still() {
            let Some(byte) = self.buffer.pop_front() else {
                break;
            };
            self.begun.push(byte);
            done += 1;
            if let Some(left) = &mut self.switches.out_after {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.switches.out_after = None;
                    self.switches.roll = Roll::Empty;
                    self.sensors_changed();
                }
            }
            self.execute_begun();
        }
        done
    }

    /// Takes what it wants to say.
    pub(super) fn answer(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.answers.len());
        for (place, byte) in buffer.iter_mut().zip(self.answers.drain(..count)) {
            *place = byte;
        }
        count
    }

    /// A switch or a sensor moved: says so where it was asked to.
    pub(super) fn sensors_changed(&mut self) {
        if self.push_mask != 0 && self.sensors() != self.pushed {
            self.push();
        }
    }

    fn stands_still(&self) -> bool {
        self.switches.roll == Roll::Empty || self.switches.cover_open || self.switches.jammed
    }

    fn say(&mut self, bytes: &[u8]) {
        if !self.switches.mute {
            self.answers.extend(bytes);
        }
    }

    fn push(&mut self) {
        self.pushed = self.sensors();
        self.say(&self.pushed.clone());
    }

    fn sensors(&self) -> [u8; 4] {
        let bit = |is_set: bool, bits: u8| if is_set { bits } else { 0 };
        [
            0x14 | bit(self.stands_still(), 0x08) | bit(self.switches.cover_open, 0x20),
            bit(self.switches.jammed, 0x08),
            bit(self.switches.roll != Roll::Full, 0x03) | bit(self.switches.roll == Roll::Empty, 0x0c),
            0x0f,
        ]
    }

    fn obey_real_time(&mut self) {
        // The bytes stay where they are: between commands they are skipped, inside a picture they are dots.
        match self.arrived.as_slice() {
            [.., 0x10, 0x04, question @ 1..=4] => {
                let answer = self.real_time(*question);
                if self.build.profile.answers_status {
                    self.say(&[answer]);
                }
            }
            [.., 0x10, 0x05, 2] if self.switches.jammed => {
                self.switches.jammed = false;
                self.forget();
            }
            [.., 0x10, 0x14, 0x08, 1, 3, 20, 1, 6, 2, 8] if self.build.profile.clears => {
                self.forget();
                self.say(&[0x37, 0x25, 0x00]);
            }
            _ => {
                let surplus = self.arrived.len().saturating_sub(9);
                self.arrived.drain(..surplus);
                return;
            }
        }
        self.arrived.clear();
    }

    fn forget(&mut self) {
        self.buffer.clear();
        self.begun.clear();
        self.feeder = Feeder::START;
    }

    fn real_time(&self, question: u8) -> u8 {
        let bit = |is_set: bool, bits: u8| if is_set { bits } else { 0 };
        let empty = self.switches.roll == Roll::Empty;
        0x12 | match question {
            1 => 0x04 | bit(self.stands_still(), 0x08),
            2 => bit(self.switches.cover_open, 0x04) | bit(empty, 0x20) | bit(self.switches.jammed, 0x40),
            3 => bit(self.switches.jammed, 0x08),
            _ => bit(self.switches.roll != Roll::Full, 0x0c) | bit(empty, 0x60),
        }
    }

    fn execute_begun(&mut self) {
        let begun = std::mem::take(&mut self.begun);
        let mut rest = begun.as_slice();
        while !rest.is_empty() && !self.stands_still() {
            let Some((command, length)) = command::next(rest) else {
                break;
            };
            self.execute(&command, &rest[..length]);
            rest = &rest[length..];
        }
        self.begun = rest.to_vec();
    }

    fn execute(&mut self, command: &Command<'_>, bytes: &[u8]) {
        match command {
            Command::StatusBack(mask) => {
                if self.build.profile.pushes_status {
                    self.push_mask = *mask;
                    if *mask != 0 {
                        self.push();
                    }
                }
                return;
            }
            Command::Identify(what) => {
                let name = match what {
                    66 => Some("_Ventanilla"),
                    67 => Some("_Simulator"),
                    _ => None,
                };
                match name {
                    Some(name) => self.say(&[name.as_bytes(), &[0]].concat()),
                    None => self.say(&[0x20]),
                }
                return;
            }
            Command::Fence(fence) => {
                self.answer_fence(fence);
                return;
            }
            Command::RealTime(_) | Command::Nothing => return,
            _ => {}
        }
        self.fed_dots += u64::from(self.feeder.feed(command, &self.build.profile));
        self.hanging.extend_from_slice(bytes);
        if matches!(command, Command::Cut(_)) {
            self.sheets.push(std::mem::take(&mut self.hanging));
        }
        self.wear_roll();
    }

    fn answer_fence(&mut self, fence: &[u8]) {
        match (fence, self.build.profile.proof) {
            ([0x1d, b'r', 1 | b'1'], Proof::PaperStatus | Proof::ProcessId) => {
                let low = self.switches.roll == Roll::Low;
                self.say(&[if low { 0x03 } else { 0x00 }]);
            }
            ([0x1d, b'r', _], Proof::PaperStatus | Proof::ProcessId) => self.say(&[0]),
            ([0x1d, b'(', b'H', _, _, 48, 48, id @ ..], Proof::ProcessId) => {
                self.say(&[&[0x37, 0x22], id, &[0]].concat());
            }
            _ => {}
        }
    }

    fn wear_roll(&mut self) {
        let Some(roll) = self.switches.roll_mm else { return };
        let worn = self.fed_dots / DOTS_PER_MM;
        self.fed_dots %= DOTS_PER_MM;
        let left = u64::from(roll).saturating_sub(worn);
        self.switches.roll_mm = Some(u32::try_from(left).unwrap_or(u32::MAX));
        let roll = match left {
            0 => Roll::Empty,
            1..=LOW_MM => Roll::Low,
            _ => Roll::Full,
        };
        if roll != self.switches.roll {
            self.switches.roll = roll;
            self.sensors_changed();
        }
    }
}
