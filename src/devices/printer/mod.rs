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
mod kern;
mod paper;
mod profile;
mod qr;
mod spec;
mod tcp;
#[cfg(test)]
mod tests;

use std::fmt;

pub use bitmap::Bitmap;
pub use command::dump;
pub use compose::compose;
pub use fake::{FakePrinter, Fault};
pub use paper::Paper;
pub use profile::{Cut, Look, Page, PageSlot, Profile, Proof, QrBy};
pub use spec::{PrinterSpec, SpecError};

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
    /// It does not answer, or says that it is off line.
    Offline,
    /// The place it was is gone: a folder deleted, a cable pulled.
    Vanished,
    /// It answered and would not, for the reason given to the operator.
    Refused(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPaper => f.write_str("Printer has no paper; load a roll and close the lid"),
            Self::CoverOpen => f.write_str("Printer's lid is open; close it"),
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

/// A printer could not be opened at all: the settings are wrong, not the paper.
#[derive(Debug, thiserror::Error)]
pub enum PrinterError {
    /// The kind of cable is known and not built yet.
    #[error("Printers on {kind}: are not supported yet; use dir:PATH, tcp:HOST:PORT or fake:")]
    NotSupported {
        /// The kind, such as `usb`.
        kind: &'static str,
    },
}

/// An opened printer. One thread owns it.
#[derive(Debug)]
pub struct Printer {
    profile: Profile,
    device: Device,
}

#[derive(Debug)]
enum Device {
    Dir(dir::DirPrinter),
    Tcp(tcp::TcpPrinter),
    Fake(FakePrinter),
}

impl Printer {
    /// Opens a printer with the profile of its kind: drawn on 80 mm paper.
    ///
    /// The device itself is touched when a job comes, so a printer that is off can be opened.
    pub fn open(spec: &PrinterSpec) -> Result<Self, PrinterError> {
        Self::open_with(spec, Profile::default())
    }

    /// Opens a printer whose model is known.
    pub fn open_with(spec: &PrinterSpec, profile: Profile) -> Result<Self, PrinterError> {
        let device = match spec {
            PrinterSpec::Dir(path) => Device::Dir(dir::DirPrinter::new(path)),
            PrinterSpec::Tcp { host, port } => Device::Tcp(tcp::TcpPrinter::new(host, *port)),
            PrinterSpec::Fake => Device::Fake(FakePrinter::default()),
            PrinterSpec::Usb(_) => return Err(PrinterError::NotSupported { kind: "usb" }),
            PrinterSpec::Serial(_) => return Err(PrinterError::NotSupported { kind: "serial" }),
        };
        Ok(Self { profile, device })
    }

    /// A printer with no hardware, steered through `fake`, of which the caller keeps a clone.
    pub fn fake(fake: FakePrinter) -> Self {
        Self {
            profile: Profile::default(),
            device: Device::Fake(fake),
        }
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
            Device::Tcp(tcp) => tcp.print(bytes, &self.profile),
            Device::Fake(fake) => fake.print(job, bytes),
        }
    }

    /// Asks the printer how it is. Takes up to a few seconds when it does not answer.
    pub fn status(&mut self) -> Status {
        match &mut self.device {
            Device::Dir(dir) => dir.status(),
            Device::Tcp(tcp) => tcp.status(&self.profile),
            Device::Fake(fake) => fake.status(),
        }
    }
}

fn is_file_safe(job: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=100).contains(&job.len()) && !job.starts_with('.') && job.chars().all(is_plain)
}
