//! A printer with no hardware, for tests, training and `--simulate`.
//!
//! It can run dry, jam, vanish and lie, because real ones do. Clones are the same printer: the test
//! keeps one and steers, the printer thread prints on the other.

use std::sync::{Arc, Mutex, MutexGuard};

use super::{Outcome, Status, Trouble};

/// A fake printer and the papers it let out.
#[derive(Clone, Debug, Default)]
pub struct FakePrinter {
    state: Arc<Mutex<State>>,
}

/// How a fake printer misbehaves until told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It refuses before the first byte, and says so when asked.
    NotReady(Trouble),
    /// It stops in the middle of the next paper, and says so when asked.
    Breaks(Trouble),
    /// It takes every byte and gives no proof; the paper does come out.
    Mute,
    /// It says that it printed, and that it is ready, and nothing comes out.
    Lies,
}

#[derive(Debug, Default)]
struct State {
    fault: Option<Fault>,
    /// Papers left on the roll; nothing means a roll that never ends.
    roll: Option<u32>,
    papers: Vec<(String, Vec<u8>)>,
}

impl FakePrinter {
    /// A good printer with an endless roll.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes it misbehave, or behave again with nothing.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// Loads a roll that is good for `papers` jobs.
    pub fn load_roll(&self, papers: u32) {
        self.state().roll = Some(papers);
    }

    /// The jobs whose paper came out whole, oldest first: name and bytes.
    pub fn papers(&self) -> Vec<(String, Vec<u8>)> {
        self.state().papers.clone()
    }

    pub(super) fn print(&self, job: &str, bytes: &[u8]) -> Outcome {
        let mut state = self.state();
        match state.fault.clone() {
            Some(Fault::NotReady(trouble)) => return Outcome::NotReady(trouble),
            Some(Fault::Breaks(trouble)) => return Outcome::Unknown(trouble),
            Some(Fault::Lies) => return Outcome::Printed,
            Some(Fault::Mute) | None => {}
        }
        match &mut state.roll {
            Some(0) => return Outcome::NotReady(Trouble::NoPaper),
            Some(left) => *left -= 1,
            None => {}
        }
        state.papers.push((job.to_owned(), bytes.to_vec()));
        if state.fault == Some(Fault::Mute) {
            Outcome::Sent
        } else {
            Outcome::Printed
        }
    }

    pub(super) fn status(&self) -> Status {
        let state = self.state();
        match (&state.fault, state.roll) {
            (Some(Fault::NotReady(trouble) | Fault::Breaks(trouble)), _) => Status::Trouble(trouble.clone()),
            (Some(Fault::Mute), _) => Status::Unknown,
            (Some(Fault::Lies), _) => Status::Ready,
            (None, Some(0)) => Status::Trouble(Trouble::NoPaper),
            (None, Some(1..=5)) => Status::PaperLow,
            (None, _) => Status::Ready,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no thread dies while it holds the fake printer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::printer::Printer;

    #[test]
    fn a_roll_ends_and_is_replaced() {
        let fake = FakePrinter::new();
        let mut printer = Printer::fake(fake.clone());
        fake.load_roll(1);
        assert_eq!(printer.status(), Status::PaperLow);
        assert_eq!(printer.print("1", b"a"), Outcome::Printed);
        assert_eq!(printer.print("2", b"b"), Outcome::NotReady(Trouble::NoPaper));
        assert_eq!(printer.status(), Status::Trouble(Trouble::NoPaper));
        fake.load_roll(100);
        assert_eq!(printer.print("2", b"b"), Outcome::Printed);
        assert_eq!(fake.papers().len(), 2);
    }

    #[test]
    fn faults_are_as_bad_as_they_sound() {
        let fake = FakePrinter::new();
        let mut printer = Printer::fake(fake.clone());
        let mut outcome = |fault| {
            fake.set_fault(Some(fault));
            (printer.print("1", b"a"), printer.status())
        };
        let jam = || Trouble::Refused("Paper jam".into());
        assert_eq!(
            outcome(Fault::Breaks(jam())),
            (Outcome::Unknown(jam()), Status::Trouble(jam()))
        );
        assert_eq!(
            outcome(Fault::NotReady(Trouble::Vanished)),
            (
                Outcome::NotReady(Trouble::Vanished),
                Status::Trouble(Trouble::Vanished)
            )
        );
        assert_eq!(outcome(Fault::Lies), (Outcome::Printed, Status::Ready));
        assert_eq!(fake.papers().len(), 0);
    }
}
