//! The ticket printer: from a [`Document`](crate::domain::document::Document) to paper.
//!
//! [`compose()`] turns a document into bytes and is pure; [`Printer`] hands bytes to a device and says
//! honestly what is known afterwards. All calls block: the caller gives the printer a thread of its
//! own. Nothing here tries again by itself, because after the first byte nobody knows what is on the
//! paper; that decision belongs to the journal of jobs.

mod bitmap;
mod command;
mod compose;
mod dir;
mod draw;
mod encode;
mod face;
mod fake;
mod file;
mod find;
mod foreign;
mod kern;
mod library;
mod measure;
mod paper;
mod place;
mod probe;
mod profile;
mod qr;
pub mod sim;
mod spec;
mod status;
mod talk;
#[cfg(test)]
mod tests;
mod usb;
mod wire;

use std::fmt;
use std::thread;

pub use bitmap::Bitmap;
pub use command::dump;
pub use compose::compose;
pub use fake::{FakePrinter, Fault};
pub use library::ProfileError;
pub use measure::length_mm;
pub use paper::Paper;
pub use probe::{Attached, Probe, attached};
pub use profile::{Cut, Look, Page, PageSlot, Profile, Proof, QrBy};
pub use spec::{Flow, PrinterSpec, SerialPlace, SpecError, UsbIdentity, UsbPlace};

use place::Place;
use sim::Simulator;
use status::ProcessId;
use talk::{Delays, Talk};

/// What is known after a job was given to a printer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The paper is out.
    Printed,
    /// Every byte was handed over; the printer gives no proof.
    Sent,
    /// Not one byte of the job was accepted: it may be sent again.
    NotReady(Trouble),
    /// Some bytes went and the rest is not known: only a person may ask for it again, as a copy.
    Unknown(Trouble),
}

/// Why a printer does not print. Expected in every office; the faces have words for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The roll is finished.
    NoPaper,
    /// The lid is open.
    CoverOpen,
    /// The blade is stuck.
    Cutter,
    /// It is off, or says that it is off line, or the line dropped.
    Offline,
    /// The line is good and nobody answers: what is wrong is not known.
    Silent,
    /// It took every byte and does not say whether the paper is out.
    Unproven,
    /// The place it was is gone: a folder deleted, a cable pulled.
    Vanished,
    /// It answered and would not, for the reason given to the operator.
    Refused(String),
}

impl Trouble {
    /// One word for programs: `no-paper`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPaper => "no-paper",
            Self::CoverOpen => "cover-open",
            Self::Cutter => "cutter",
            Self::Offline => "offline",
            Self::Silent => "silent",
            Self::Unproven => "unproven",
            Self::Vanished => "vanished",
            Self::Refused(_) => "refused",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPaper => f.write_str("Printer has no paper; load a roll and close the lid"),
            Self::CoverOpen => f.write_str("Printer's lid is open; close it"),
            Self::Cutter => f.write_str("Printer's blade is stuck; open the lid and pull the paper free"),
            Self::Silent => f.write_str(
                "Printer is connected and does not answer; switch it off and on, and see that no other computer uses it",
            ),
            Self::Unproven => f.write_str("Printer took the job and does not say whether it printed; look at the paper"),
            Self::Offline => f.write_str("Printer does not answer; check its power and its cable"),
            Self::Vanished => f.write_str("Printer is not where it was; connect it again"),
            Self::Refused(reason) => write!(f, "Printer refused the job: {reason}"),
        }
    }
}

/// What a printer says of itself between jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It would print now.
    Ready,
    /// It would print now and the roll is nearly finished.
    PaperLow,
    /// It would not.
    Trouble(Trouble),
    /// It cannot be asked, which is neither good nor bad.
    Unknown,
}

/// A printer that serves one computer at a time is tried so often before it counts as off.
const CONNECTS: u32 = 3;

/// An opened printer. One thread owns it.
#[derive(Debug)]
pub struct Printer {
    profile: Profile,
    device: Device,
    delays: Delays,
    /// Whether the last job may have stopped inside a command.
    torn: bool,
}

#[derive(Debug)]
enum Device {
    Dir(dir::DirPrinter),
    Fake(FakePrinter),
    Wired(Place),
}

impl Printer {
    /// Names a printer and its model.
    ///
    /// The device itself is touched when a job comes, so a printer that is off can be opened.
    pub fn open(spec: &PrinterSpec, profile: Profile) -> Self {
        let device = match spec {
            PrinterSpec::Dir(path) => Device::Dir(dir::DirPrinter::new(path)),
            PrinterSpec::Tcp { host, port } => Device::Wired(Place::Tcp {
                host: host.clone(),
                port: *port,
            }),
            PrinterSpec::Usb(place) => Device::Wired(Place::Usb(place.clone())),
            PrinterSpec::Serial(place) => Device::Wired(Place::Serial(place.clone())),
            PrinterSpec::Fake => Device::Fake(FakePrinter::default()),
        };
        Self::with(profile, device)
    }

    /// A printer with no hardware, steered through `fake`, of which the caller keeps a clone.
    pub fn fake(fake: FakePrinter) -> Self {
        Self::with(Profile::default(), Device::Fake(fake))
    }

    /// A simulated printer without a cable: no wait takes any time.
    pub fn simulated(simulator: &Simulator, profile: Profile) -> Self {
        Self::with(profile, Device::Wired(Place::Simulated(simulator.clone())))
    }

    fn with(profile: Profile, device: Device) -> Self {
        Self {
            profile,
            device,
            delays: Delays::default(),
            torn: false,
        }
    }

    /// Tells that a job of an earlier run stopped in the middle: the next one begins on fresh paper.
    pub fn expect_torn_paper(&mut self) {
        self.torn = true;
    }

    /// The model, for [`compose()`].
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Hands one job over and says what is known of it. `job` names it on the device and must be
    /// letters, digits, `-`, `_` and `.` only: a number of the journal, never anything of a person.
    pub fn print(&mut self, job: &str, bytes: &[u8]) -> Outcome {
        self.print_transcribed(job, bytes, None)
    }

    /// Like [`print`](Self::print), with the document's own words for printers that keep a transcript:
    /// a drawn paper has no words in its bytes.
    pub fn print_transcribed(&mut self, job: &str, bytes: &[u8], words: Option<&str>) -> Outcome {
        if !is_file_safe(job) {
            return Outcome::NotReady(Trouble::Refused(
                "The job's name is not a plain file name".to_owned(),
            ));
        }
        match &mut self.device {
            Device::Dir(dir) => dir.print(job, bytes, words, &self.profile),
            Device::Fake(fake) => fake.print(job, bytes),
            Device::Wired(place) => {
                let mut outcome = Outcome::NotReady(Trouble::Offline);
                for attempt in 0..CONNECTS {
                    if attempt > 0 {
                        thread::sleep(self.delays.reconnect);
                    }
                    outcome = match place.open(&self.delays) {
                        Ok(mut wire) => Talk::new(wire.as_mut(), &self.profile, &self.delays).print(
                            bytes,
                            ProcessId::of(job),
                            self.torn,
                        ),
                        Err(trouble) => Outcome::NotReady(trouble),
                    };
                    // It may still be hanging up on the job before; not one byte of this one went.
                    if outcome != Outcome::NotReady(Trouble::Offline) {
                        break;
                    }
                }
                match outcome {
                    Outcome::Printed | Outcome::Sent => self.torn = false,
                    Outcome::Unknown(_) => self.torn = true,
                    Outcome::NotReady(_) => {}
                }
                outcome
            }
        }
    }

    /// Asks the printer how it is. Takes up to a few seconds when it does not answer.
    pub fn status(&mut self) -> Status {
        match &mut self.device {
            Device::Dir(dir) => dir.status(),
            Device::Fake(fake) => fake.status(),
            Device::Wired(place) => match place.open(&self.delays) {
                Ok(mut wire) => Talk::new(wire.as_mut(), &self.profile, &self.delays).status(self.torn),
                Err(trouble) => Status::Trouble(trouble),
            },
        }
    }
}

fn is_file_safe(job: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=100).contains(&job.len()) && !job.starts_with('.') && job.chars().all(is_plain)
}
