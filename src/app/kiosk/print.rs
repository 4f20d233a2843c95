//! The printer's thread and the journal it keeps.
//!
//! "Sending" is on the disk before the first byte goes, so that a power cut never makes two unmarked originals.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;
use tracing::{error, warn};

use super::Shell;
use super::papers::Paper;
use crate::devices::printer::{Outcome, Printer};
use crate::domain::id::PrintJobId;
use crate::domain::session::Input;
use crate::store::{StoreError, kiosk as rows};

/// A paper that is in the journal.
#[derive(Clone)]
pub(super) struct Job {
    id: PrintJobId,
    bytes: Arc<Vec<u8>>,
    words: Arc<String>,
}

impl Job {
    pub(super) fn new(id: PrintJobId, paper: Paper) -> Self {
        Self {
            id,
            bytes: Arc::new(paper.bytes),
            words: Arc::new(paper.words),
        }
    }
}

struct Order {
    jobs: Vec<Job>,
    answer: Option<oneshot::Sender<bool>>,
}

/// The way to the printer.
#[derive(Clone)]
pub(super) struct Papers {
    orders: mpsc::Sender<Order>,
}

impl Papers {
    /// Prints the papers of an act; the session hears when all are out.
    pub(super) fn print(&self, jobs: Vec<Job>) {
        let _ = self.orders.send(Order { jobs, answer: None });
    }

    /// Prints one paper and says whether it came out.
    pub(super) async fn print_one(&self, job: Job) -> bool {
        let (answer, answered) = oneshot::channel();
        let _ = self.orders.send(Order {
            jobs: vec![job],
            answer: Some(answer),
        });
        answered.await.unwrap_or(false)
    }
}

/// Starts the thread that owns the printer.
pub(super) fn start(shell: Arc<Shell>, mut printer: Printer) -> Papers {
    let (orders, waiting) = mpsc::channel::<Order>();
    thread::Builder::new()
        .name("printer".into())
        .spawn(move || {
            for order in waiting {
                let mut ok = true;
                for job in &order.jobs {
                    ok &= print(&shell, &mut printer, job);
                }
                match order.answer {
                    Some(answer) => {
                        let _ = answer.send(ok);
                    }
                    None => shell.outlet.post(Input::Printed { ok }),
                }
            }
        })
        .expect("a thread can be started at start-up");
    Papers { orders }
}

fn print(shell: &Shell, printer: &mut Printer, job: &Job) -> bool {
    let mark = |state: &'static str, reason: Option<String>| -> Result<(), StoreError> {
        let (id, now) = (job.id, shell.clock.now());
        shell
            .db
            .write_blocking(move |c| rows::mark_print_job(c, id, state, reason.as_deref(), now))
    };
    if let Err(problem) = mark("sending", None) {
        // What cannot be written down is not printed: it could come out twice.
        error!(job = %job.id, %problem, "not printed");
        return false;
    }
    let (state, reason, ok) =
        match printer.print_transcribed(&job.id.to_string(), &job.bytes, Some(&job.words)) {
            Outcome::Printed => ("printed", None, true),
            Outcome::Sent => ("sent", None, true),
            Outcome::NotReady(trouble) => ("held", Some(trouble.to_string()), false),
            Outcome::Unknown(trouble) => ("unknown", Some(trouble.to_string()), false),
        };
    if let Some(reason) = &reason {
        warn!(job = %job.id, state, reason, "paper did not come out");
    }
    if let Err(problem) = mark(state, reason) {
        error!(job = %job.id, %problem, "the journal does not know what became of a paper");
    }
    ok
}
