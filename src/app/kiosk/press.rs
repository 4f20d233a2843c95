//! The printers of a kiosk and the journal they keep: what is sent, what is held, what is never sent twice.
//!
//! "Sending" is on the disk before the first byte goes, so that a power cut never makes two unmarked originals.
//! Only papers that no printer touched are tried again, only while they are fresh and their citizen is there.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::{error, info, warn};

use super::papers::Paper;
use crate::clock::Clock;
use crate::devices::printer::{Outcome, Printer, Status, Trouble, length_mm};
use crate::domain::document::Document;
use crate::domain::id::PrintJobId;
use crate::domain::printing::{Forecast, JobState, PaperKind};
use crate::store::kiosk::print as rows;
use crate::store::{Db, StoreError};

/// A paper that is in the journal.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) id: PrintJobId,
    kind: PaperKind,
    about: Option<String>,
    copy_no: u32,
    created_at: Timestamp,
    document: Arc<Document>,
    bytes: Arc<Vec<u8>>,
}

impl Job {
    pub(super) fn new(row: &rows::PrintJobRow, paper: Paper) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            about: row.about.clone(),
            copy_no: row.copy_no,
            created_at: row.created_at,
            document: Arc::new(paper.document),
            bytes: Arc::new(paper.bytes),
        }
    }

    /// Whether `original` is the paper this one is a copy of.
    fn is_copy_of(&self, original: &Self) -> bool {
        self.copy_no > 0 && (self.kind, &self.about) == (original.kind, &original.about)
    }
}

/// How a printer is, for whoever looks after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrinterHealth {
    /// `first` or `second`.
    pub name: &'static str,
    /// What it said last.
    pub status: Status,
    /// What its roll should still be good for.
    pub forecast: Forecast,
    /// When it was asked.
    pub at: Timestamp,
}

/// Name of the printer that is tried first, in the journal.
pub(super) const FIRST: &str = "first";
const SECOND: &str = "second";

struct Station {
    name: &'static str,
    printer: Printer,
    roll_mm: u64,
    status: Status,
    warned: bool,
}

/// The printers and what waits for them.
pub(super) struct Press {
    db: Db,
    clock: Clock,
    /// The usual printer, then the one that helps out.
    stations: Vec<Station>,
    /// Papers that no printer touched, of the citizen who is here.
    held: Vec<Job>,
}

impl Press {
    pub(super) fn new(db: Db, clock: Clock, first: Printer, roll_mm: u64) -> Self {
        let mut press = Self {
            db,
            clock,
            stations: Vec::new(),
            held: Vec::new(),
        };
        press.add(FIRST, first, roll_mm);
        press
    }

    /// Adds the printer that helps out.
    #[must_use]
    pub(super) fn with_second(mut self, printer: Printer, roll_mm: u64) -> Self {
        self.add(SECOND, printer, roll_mm);
        self
    }

    fn add(&mut self, name: &'static str, printer: Printer, roll_mm: u64) {
        self.stations.push(Station {
            name,
            printer,
            roll_mm,
            status: Status::Unknown,
            warned: false,
        });
    }

    /// Tells every printer that an earlier run was interrupted in a job.
    pub(super) fn expect_torn_paper(&mut self) {
        for station in &mut self.stations {
            station.printer.expect_torn_paper();
        }
    }

    /// Prints papers and says whether all came out.
    pub(super) fn print(&mut self, jobs: &[Job]) -> bool {
        let mut ok = true;
        for job in jobs {
            ok &= match self.held.iter().position(|held| job.is_copy_of(held)) {
                // The original was never touched: a copy of nothing is not what anybody wants.
                Some(at) => {
                    let original = self.held.remove(at);
                    self.mark(
                        job,
                        JobState::Cancelled,
                        None,
                        Some("The original is tried instead"),
                    );
                    self.send(&original)
                }
                None => self.send(job),
            };
        }
        ok
    }

    /// Whether something waits for a printer to be ready.
    pub(super) fn holds_papers(&self) -> bool {
        !self.held.is_empty()
    }

    /// Tries what is held once more. Nothing when nothing was held or none could be tried; otherwise whether all
    /// came out.
    pub(super) fn try_held(&mut self) -> Option<bool> {
        if self.held.is_empty() {
            return None;
        }
        let now = self.clock.now();
        for job in std::mem::take(&mut self.held) {
            if JobState::Held.may_be_sent(job.kind, job.created_at, now) {
                self.held.push(job);
            } else {
                self.mark(&job, JobState::Expired, None, None);
            }
        }
        let ready = self
            .stations
            .iter()
            .any(|station| !matches!(station.status, Status::Trouble(_)));
        if self.held.is_empty() || !ready {
            return None;
        }
        let jobs = std::mem::take(&mut self.held);
        Some(self.print(&jobs))
    }

    /// The citizen left: nothing prints for a person who is gone.
    pub(super) fn forget(&mut self) {
        for job in std::mem::take(&mut self.held) {
            let state = JobState::Held.after_leaving(job.kind);
            self.mark(&job, state, None, Some("The citizen left"));
        }
    }

    /// Asks every printer how it is.
    pub(super) fn look(&mut self) -> Vec<PrinterHealth> {
        let now = self.clock.now();
        let mut healths = Vec::new();
        for station in &mut self.stations {
            let status = station.printer.status();
            let was_out = station.status == Status::Trouble(Trouble::NoPaper);
            if was_out && matches!(status, Status::Ready | Status::PaperLow) {
                // Paper came back: whoever put it in is not asked to press a button for it too.
                let name = station.name;
                if let Err(problem) = self.db.write_blocking(move |c| rows::change_roll(c, name, now)) {
                    warn!(%problem, "a new roll was not noted");
                }
                station.warned = false;
            }
            if station.status != status {
                info!(printer = station.name, status = ?status, "printer");
            }
            let name = station.name;
            let roll = self.db.read(move |c| rows::roll(c, name)).unwrap_or_default();
            let mut forecast = roll.forecast(station.roll_mm);
            forecast.is_low |= status == Status::PaperLow;
            station.warned &= forecast.is_low;
            if forecast.is_low && !station.warned {
                station.warned = true;
                warn!(
                    printer = name,
                    left_mm = forecast.left_mm,
                    "the roll is nearly finished; bring a new one"
                );
            }
            station.status = status.clone();
            healths.push(PrinterHealth {
                name,
                status,
                forecast,
                at: now,
            });
        }
        healths
    }

    fn send(&mut self, job: &Job) -> bool {
        let now = self.clock.now();
        if !JobState::Queued.may_be_sent(job.kind, job.created_at, now) {
            self.mark(job, JobState::Expired, None, None);
            warn!(job = %job.id, "a paper was too old to print");
            return false;
        }
        let mut reason = None;
        for at in 0..self.stations.len() {
            let name = self.stations[at].name;
            if !self.mark(job, JobState::Sending, Some(name), None) {
                // What cannot be written down is not printed: it could come out twice.
                return false;
            }
            let (outcome, mm) = self.stations[at].print(job);
            match outcome {
                Outcome::Printed => return self.settle(job, JobState::Printed, name, mm, None),
                Outcome::Sent => return self.settle(job, JobState::Sent, name, mm, None),
                // Never on another printer by itself: it may be on this one.
                Outcome::Unknown(trouble) => {
                    return self.settle(job, JobState::Unknown, name, mm, Some(trouble));
                }
                Outcome::NotReady(trouble) => {
                    self.stations[at].status = Status::Trouble(trouble.clone());
                    warn!(job = %job.id, printer = name, reason = %trouble, "printer is not ready");
                    reason.get_or_insert(trouble);
                }
            }
        }
        let reason = reason.map(|trouble| trouble.to_string());
        self.mark(job, JobState::Held, None, reason.as_deref());
        self.held.push(job.clone());
        false
    }

    fn settle(
        &self,
        job: &Job,
        state: JobState,
        name: &'static str,
        mm: u32,
        trouble: Option<Trouble>,
    ) -> bool {
        let reason = trouble.map(|trouble| trouble.to_string());
        if let Some(reason) = &reason {
            warn!(job = %job.id, printer = name, reason, "what became of a paper is not known");
        }
        self.mark(job, state, Some(name), reason.as_deref());
        let now = self.clock.now();
        let worn = self.db.write_blocking(move |c| rows::wear_roll(c, name, mm, now));
        if let Err(problem) = worn {
            warn!(%problem, "paper was not counted");
        }
        state != JobState::Unknown
    }

    /// Writes down where a job stands and says whether it is on the disk.
    fn mark(&self, job: &Job, state: JobState, printer: Option<&'static str>, reason: Option<&str>) -> bool {
        let (id, now, reason) = (job.id, self.clock.now(), reason.map(str::to_owned));
        let marked: Result<(), StoreError> = self
            .db
            .write_blocking(move |c| rows::mark_print_job(c, id, state, printer, reason.as_deref(), now));
        if let Err(problem) = &marked {
            error!(job = %id, state = state.code(), %problem, "the journal does not know what became of a paper");
        }
        marked.is_ok()
    }
}

impl Station {
    fn print(&mut self, job: &Job) -> (Outcome, u32) {
        let profile = self.printer.profile();
        let bytes = if self.name == FIRST {
            job.bytes.clone()
        } else {
            Arc::new(crate::devices::printer::compose(&job.document, profile))
        };
        let mm = length_mm(&bytes, profile);
        let words = job.document.to_text();
        let outcome = self
            .printer
            .print_transcribed(&job.id.to_string(), &bytes, Some(&words));
        (outcome, mm)
    }
}

#[cfg(test)]
#[path = "press_tests.rs"]
mod tests;
