//! One conversation with a printer: ask, print, and wait for the proof.
//!
//! The same for every cable. Begin at [`Talk::print`]. The rule behind it: bytes are only sent to a
//! printer that said it is ready, and once the first byte of a job is accepted nothing here sends it
//! again. Time is counted in silences of the wire, so a simulated printer needs no clock.

use std::io::ErrorKind;
use std::time::Duration;

use super::command;
use super::probe::Probe;
use super::profile::{Profile, Proof};
use super::status::{Ear, Health, ProcessId, Said, is_cleared};
use super::wire::Wire;
use super::{Outcome, Status, Trouble};

/// How long a printer is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delays {
    /// A printer on the same switch answers in milliseconds or is off.
    pub(super) connect: Duration,
    /// A one-customer printer needs a moment to hang up before it takes the next call.
    pub(super) reconnect: Duration,
    /// Real-time questions are answered at once, even off line; two seconds are for slow converters.
    pub(super) answer: Duration,
    /// Between looks at a printer that is busy.
    pub(super) look: Duration,
    /// Looks at a printer that takes no bytes before it is given up: its buffer drains while it prints.
    pub(super) stuck_looks: u32,
    /// Looks at a printer that owes the proof: the longest paper takes 3 s, a hot head rests a few more.
    pub(super) proof_looks: u32,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            reconnect: Duration::from_millis(150),
            answer: Duration::from_secs(2),
            look: Duration::from_millis(500),
            stuck_looks: 10,
            proof_looks: 20,
        }
    }
}

const NOW: Duration = Duration::ZERO;
/// Also how much a lost line can leave in doubt at once.
const CHUNK: usize = 4096;
/// More than any printer has to say; a stream that goes on is noise.
const CHATTER: usize = 4096;
const PUSH_ALL: [u8; 3] = [0x1d, 0x61, 0x0e];
const PUSH_NOTHING: [u8; 3] = [0x1d, 0x61, 0x00];
const ASK_PAPER: [u8; 3] = [0x1d, 0x72, 0x01];
/// Our number follows.
const ASK_PROCESS: [u8; 7] = [0x1d, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30];
const CLEAR: [u8; 10] = [0x10, 0x14, 0x08, 0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08];
/// As long as the longest header.
const NO_SIZE: [u8; 8] = [0; 8];
/// Begins anew on a fresh piece of paper.
const START_AFRESH: [u8; 7] = [0x1b, 0x40, 0x0a, 0x1d, 0x56, 0x42, 0x00];

/// A conversation over an open wire.
pub(super) struct Talk<'a> {
    wire: &'a mut dyn Wire,
    profile: &'a Profile,
    delays: &'a Delays,
    ear: Ear,
    health: Health,
}

/// The line is gone.
struct Lost;

impl<'a> Talk<'a> {
    pub(super) fn new(wire: &'a mut dyn Wire, profile: &'a Profile, delays: &'a Delays) -> Self {
        Self {
            wire,
            profile,
            delays,
            ear: Ear::default(),
            health: Health::default(),
        }
    }

    /// How the printer is. Silence is [`Status::Unknown`].
    pub(super) fn status(&mut self, torn: bool) -> Status {
        if !self.profile.answers_status {
            return Status::Unknown;
        }
        let asked = self
            .drain()
            .and_then(|()| Ok(!torn || self.hand_over(&NO_SIZE)?))
            .and_then(|ended| Ok(ended && self.ask_all()?));
        match asked {
            Ok(_) => self.health.status(),
            Err(Lost) => Status::Trouble(Trouble::Offline),
        }
    }

    /// Prints one job; `torn` says that an earlier one may have stopped inside a command.
    pub(super) fn print(&mut self, job: &[u8], id: ProcessId, torn: bool) -> Outcome {
        match self.prepare(job, torn) {
            Ok(()) => {}
            Err(trouble) => return Outcome::NotReady(trouble),
        }
        let mut sent = 0;
        let mut looks = 0;
        while sent < job.len() {
            if self.listen(NOW).is_err() {
                return self.broken(sent, Trouble::Offline);
            }
            if let Some(trouble) = self.health.trouble() {
                return self.broken(sent, trouble);
            }
            let end = job.len().min(sent + CHUNK);
            match self.wire.write(&job[sent..end], self.delays.look) {
                Ok(count) => {
                    sent += count;
                    looks = 0;
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    // No question in the middle of a job: it would become part of a picture.
                    looks += 1;
                    if looks > self.delays.stuck_looks {
                        return self.broken(sent, Trouble::Silent);
                    }
                }
                Err(_) => return self.broken(sent, Trouble::Offline),
            }
        }
        self.settle(id)
    }

    /// Asks everything that can be asked without paper; a line that drops ends the questions.
    pub(super) fn probe(&mut self, torn: bool, found: &mut Probe) {
        found.status = self.status(torn);
        found.answers_status = !matches!(found.status, Status::Unknown);
        // What follows is answered in its turn only, so a printer that stands still would look dumb.
        if !matches!(found.status, Status::Trouble(_)) {
            // A printer that hangs up has said enough.
            let _ = self.probe_in_turn(found);
        }
    }

    fn probe_in_turn(&mut self, found: &mut Probe) -> Result<(), Lost> {
        let answer = self.delays.answer;
        let mut names = Vec::new();
        for question in [66, 67] {
            self.hand_over(&[0x1d, 0x49, question])?;
            self.wait_for(answer, |said| match said {
                Said::Block(block) if block.first() == Some(&b'_') => {
                    names.push(String::from_utf8_lossy(&block[1..]).into_owned());
                    true
                }
                _ => false,
            })?;
        }
        found.name = (!names.is_empty()).then(|| names.join(" "));
        self.hand_over(&ASK_PAPER)?;
        if self.wait_for(answer, |said| matches!(said, Said::Paper(_)))? {
            found.proof = Proof::PaperStatus;
        }
        let id = ProcessId::of("probe");
        self.hand_over(&[&ASK_PROCESS[..], &id.0[..]].concat())?;
        if self.wait_for(answer, |said| id.is_printed(said))? {
            found.proof = Proof::ProcessId;
        }
        found.pushes_status = self.pushes(1)?;
        self.hand_over(&PUSH_NOTHING)?;
        self.hand_over(&CLEAR)?;
        found.clears = self.wait_for(answer, is_cleared)?;
        Ok(())
    }

    /// Everything that must be well before the first byte of a job.
    fn prepare(&mut self, job: &[u8], torn: bool) -> Result<(), Trouble> {
        let lost = |_: Lost| Trouble::Offline;
        self.drain().map_err(lost)?;
        if torn {
            // A header that waits for its sizes gets them: nothing by nothing. The questions below would
            // else be taken for the size of a picture of many metres.
            if !self.hand_over(&NO_SIZE).map_err(lost)? {
                return Err(Trouble::Silent);
            }
        }
        if self.profile.answers_status {
            if !self.ask_all().map_err(lost)? {
                return Err(Trouble::Silent);
            }
            if let Some(trouble) = self.health.trouble() {
                return Err(trouble);
            }
        }
        if self.profile.pushes_status {
            // The first push comes in order: it proves that the printer is not waiting for the rest of an
            // interrupted picture.
            if torn || !self.pushes(1).map_err(lost)? {
                self.finish_torn(job).map_err(lost)?;
                if !self.pushes(4).map_err(lost)? {
                    return Err(Trouble::Silent);
                }
            }
            return self.health.trouble().map_or(Ok(()), Err);
        }
        if torn {
            self.finish_torn(job).map_err(lost)?;
        }
        Ok(())
    }

    /// Asks to be told of changes and says whether the first word came within `answers` waits.
    fn pushes(&mut self, answers: u32) -> Result<bool, Lost> {
        self.hand_over(&PUSH_ALL)?;
        for _ in 0..answers {
            let answer = self.delays.answer;
            if self.wait_for(answer, |said| matches!(said, Said::Pushed(_)))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// White for the longest command a job of this profile has, then a cut: what was torn stays torn.
    fn finish_torn(&mut self, job: &[u8]) -> Result<(), Lost> {
        let strip = self.profile.safe_strip_rows() * self.profile.width_bytes() + 8;
        let longest = command::longest(job).max(strip as usize);
        self.hand_over(&vec![0; longest])?;
        self.hand_over(&START_AFRESH).map(|_| ())
    }

    /// Every byte is gone: waits for the proof, or asks whether something went wrong meanwhile.
    fn settle(&mut self, id: ProcessId) -> Outcome {
        let question = match self.profile.proof {
            Proof::None => return self.settle_without_proof(),
            Proof::PaperStatus => ASK_PAPER.to_vec(),
            Proof::ProcessId => [&ASK_PROCESS[..], &id.0[..]].concat(),
        };
        if self.hand_over(&question).is_err() {
            return self.unknown(Trouble::Offline);
        }
        let proof = self.profile.proof;
        for _ in 0..self.delays.proof_looks {
            let proved = self.wait_for(self.delays.look, |said| match proof {
                Proof::ProcessId => id.is_printed(said),
                Proof::PaperStatus | Proof::None => matches!(said, Said::Paper(_)),
            });
            match proved {
                Ok(true) => {
                    if self.profile.pushes_status {
                        // The next computer to talk to it expects silence. Nothing of the job depends on it.
                        let _ = self.hand_over(&PUSH_NOTHING);
                    }
                    return Outcome::Printed;
                }
                Ok(false) => self.look(),
                Err(Lost) => return self.unknown(Trouble::Offline),
            }
            if let Some(trouble) = self.health.trouble() {
                return self.unknown(trouble);
            }
        }
        self.unknown(Trouble::Unproven)
    }

    fn settle_without_proof(&mut self) -> Outcome {
        for _ in 0..self.delays.proof_looks {
            match self.wire.finish(self.delays.look) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::TimedOut => {}
                Err(_) => return self.unknown(Trouble::Offline),
            }
        }
        if !self.profile.answers_status {
            return Outcome::Sent;
        }
        // A printer with a small buffer reads no question before it has printed most of the paper.
        for _ in 0..self.delays.proof_looks {
            match self.ask(4) {
                Ok(true) => {
                    let more = self.ask(1).and_then(|_| self.ask(2));
                    return match (more, self.health.trouble()) {
                        (Err(Lost), _) => Outcome::Unknown(Trouble::Offline),
                        (Ok(_), Some(trouble)) => self.unknown(trouble),
                        (Ok(_), None) => Outcome::Sent,
                    };
                }
                Ok(false) => {}
                Err(Lost) => return Outcome::Unknown(Trouble::Offline),
            }
        }
        self.unknown(Trouble::Silent)
    }

    fn broken(&mut self, sent: usize, trouble: Trouble) -> Outcome {
        if sent == 0 {
            return Outcome::NotReady(trouble);
        }
        // Inside a job every byte counts as part of it, so the command it stopped in is ended first; a
        // printer that does not take even that is asked nothing.
        let ended = matches!(self.hand_over(&NO_SIZE), Ok(true));
        if !ended {
            self.wire.abandon();
            return Outcome::Unknown(trouble);
        }
        if self.health.trouble().is_none() {
            self.look();
        }
        let trouble = self.health.trouble().unwrap_or(trouble);
        self.unknown(trouble)
    }

    /// Gives up between two commands. Where the printer can forget what it still holds it is told to, so
    /// that half a ticket does not come out in the morning.
    fn unknown(&mut self, trouble: Trouble) -> Outcome {
        if self.profile.clears && matches!(self.hand_over(&CLEAR), Ok(true)) {
            let answer = self.delays.answer;
            let _ = self.wait_for(answer, is_cleared);
        }
        self.wire.abandon();
        Outcome::Unknown(trouble)
    }

    /// A look at a printer that is busy: its answers change what is known, its silence does not.
    fn look(&mut self) {
        if self.profile.answers_status {
            for question in [2, 4] {
                if !matches!(self.ask(question), Ok(true)) {
                    return;
                }
            }
        }
    }

    /// Asks everything and says whether it was answered.
    fn ask_all(&mut self) -> Result<bool, Lost> {
        // An interrupted command may swallow the first question.
        if !self.ask(1)? && !self.ask(1)? {
            return Ok(false);
        }
        for question in [2, 4] {
            if !self.ask(question)? {
                return Ok(false);
            }
        }
        if matches!(self.health.trouble(), Some(Trouble::Refused(_))) {
            self.ask(3)?;
        }
        Ok(true)
    }

    /// One real-time question at a time, because the answers do not say what they answer.
    fn ask(&mut self, question: u8) -> Result<bool, Lost> {
        self.hand_over(&[0x10, 0x04, question])?;
        let mut answer = None;
        self.wait_for(self.delays.answer, |said| {
            if let Said::RealTime(byte) = said {
                answer = Some(*byte);
            }
            answer.is_some()
        })?;
        if let Some(byte) = answer {
            self.health.real_time(question, byte);
        }
        Ok(answer.is_some())
    }

    /// Writes all of `bytes` and says whether they were taken; a printer that takes none for a while is not
    /// lost, its silence will tell.
    fn hand_over(&mut self, bytes: &[u8]) -> Result<bool, Lost> {
        let mut rest = bytes;
        let mut looks = 0;
        while !rest.is_empty() && looks <= self.delays.stuck_looks {
            match self.wire.write(rest, self.delays.look) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::TimedOut => looks += 1,
                Err(_) => return Err(Lost),
            }
        }
        Ok(rest.is_empty())
    }

    /// Forgets what was said before the conversation.
    fn drain(&mut self) -> Result<(), Lost> {
        self.listen(NOW)?;
        self.ear.pause();
        self.health = Health::default();
        Ok(())
    }

    fn listen(&mut self, within: Duration) -> Result<(), Lost> {
        self.wait_for(within, |_| false).map(|_| ())
    }

    /// Hears until `is_it` or a silence of `within`; everything else heard is remembered.
    fn wait_for(&mut self, within: Duration, mut is_it: impl FnMut(&Said) -> bool) -> Result<bool, Lost> {
        let mut buffer = [0; 64];
        let mut heard = 0;
        while heard < CHATTER {
            match self.wire.read(&mut buffer, within) {
                Ok(count) => {
                    heard += count;
                    let mut found = false;
                    for byte in &buffer[..count] {
                        if let Some(said) = self.ear.hear(*byte) {
                            if let Said::Pushed(group) = said {
                                self.health.pushed(group);
                            }
                            found |= is_it(&said);
                        }
                    }
                    if found {
                        return Ok(true);
                    }
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    if within > NOW {
                        self.ear.pause();
                    }
                    return Ok(false);
                }
                Err(_) => return Err(Lost),
            }
        }
        Ok(false)
    }
}
