//! The printers' thread: it owns the printers, so that nothing else ever waits for one.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::inbox::Outlet;
use super::press::{Job, Press, PrinterHealth};
use crate::domain::session::Input;

/// How often an idle printer is asked how it is: a change is known within three seconds.
const LOOK_EVERY: Duration = Duration::from_millis(2_500);

enum Order {
    Print {
        jobs: Vec<Job>,
        answer: Option<oneshot::Sender<bool>>,
    },
    Forget,
}

/// The way to the printers.
#[derive(Clone)]
pub(super) struct Papers {
    orders: mpsc::Sender<Order>,
}

/// How the printers were when they were last asked.
#[derive(Clone, Default)]
pub struct Healths(Arc<Mutex<Vec<PrinterHealth>>>);

impl Healths {
    /// The usual printer first.
    pub fn get(&self) -> Vec<PrinterHealth> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, healths: Vec<PrinterHealth>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = healths;
    }
}

impl Papers {
    /// Prints the papers of an act; the session hears when all are out.
    pub(super) fn print(&self, jobs: Vec<Job>) {
        let _ = self.orders.send(Order::Print { jobs, answer: None });
    }

    /// Prints one paper and says whether it came out.
    pub(super) async fn print_one(&self, job: Job) -> bool {
        let (answer, answered) = oneshot::channel();
        let _ = self.orders.send(Order::Print {
            jobs: vec![job],
            answer: Some(answer),
        });
        answered.await.unwrap_or(false)
    }

    /// The citizen left: what could not be printed is not printed any more.
    pub(super) fn forget(&self) {
        let _ = self.orders.send(Order::Forget);
    }
}

/// Starts the thread that owns the printers.
pub(super) fn start(outlet: Outlet, mut press: Press, healths: Healths) -> Papers {
    let (orders, waiting) = mpsc::channel::<Order>();
    thread::Builder::new()
        .name("printer".into())
        .spawn(move || {
            healths.set(press.look());
            loop {
                match waiting.recv_timeout(LOOK_EVERY) {
                    Ok(Order::Print { jobs, answer }) => {
                        let ok = press.print(&jobs);
                        match answer {
                            Some(answer) => {
                                let _ = answer.send(ok);
                            }
                            None => outlet.post(Input::Printed { ok }),
                        }
                    }
                    Ok(Order::Forget) => press.forget(),
                    Err(RecvTimeoutError::Timeout) => {
                        healths.set(press.look());
                        // The citizen reads "no paper" while somebody puts in a roll: then it comes out after all.
                        if press.holds_papers() && press.try_held() == Some(true) {
                            outlet.post(Input::Printed { ok: true });
                        }
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })
        .expect("a thread can be started at start-up");
    Papers { orders }
}
