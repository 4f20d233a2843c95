//! Tells the office that somebody at this kiosk asks for a person, and that nobody does any more.
//!
//! Only the newest wish counts. It is told again until the office has heard it, so that a call ends even when the
//! line was down at the moment of ending; the citizen hears each time whether anybody knows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::Shell;
use crate::app::Stop;
use crate::domain::session::Input;

/// How soon the office is told again what it could not hear: somebody is waiting.
const AGAIN: Duration = Duration::from_secs(2);

/// What is wished of the office.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wish {
    /// Nothing was ever asked.
    Nothing,
    /// A person, at this step.
    Call(String),
    /// No person any more.
    End,
}

/// The way to the office's staff.
pub(super) struct Helpers(watch::Sender<Wish>);

impl Helpers {
    /// Asks for a person; a second call while the first stands moves its step.
    pub(super) fn call(&self, step: String) {
        self.0.send_replace(Wish::Call(step));
    }

    /// Takes the call back.
    pub(super) fn end(&self) {
        self.0.send_replace(Wish::End);
    }
}

/// Starts the task that tells the office.
pub(super) fn start(shell: Arc<Shell>, stop: Stop) -> Helpers {
    let (sender, wishes) = watch::channel(Wish::Nothing);
    tokio::spawn(tell(shell, wishes, stop));
    Helpers(sender)
}

async fn tell(shell: Arc<Shell>, mut wishes: watch::Receiver<Wish>, stop: Stop) {
    loop {
        tokio::select! {
            () = stop.stopped() => return,
            changed = wishes.changed() => if changed.is_err() {
                return;
            }
        }
        let mut wish = wishes.borrow_and_update().clone();
        while !told(&shell, &wish).await {
            tokio::select! {
                () = stop.stopped() => return,
                changed = wishes.changed() => if changed.is_err() {
                    return;
                },
                () = tokio::time::sleep(AGAIN) => {}
            }
            wish = wishes.borrow_and_update().clone();
        }
    }
}

/// Tells one wish; whether that is settled.
async fn told(shell: &Shell, wish: &Wish) -> bool {
    let Some(office) = &shell.office else {
        if matches!(wish, Wish::Call(_)) {
            shell.outlet.post(Input::HelpHeard { ok: false });
        }
        return true;
    };
    match wish {
        Wish::Nothing => true,
        Wish::Call(step) => {
            let heard = office.call_help(&shell.config.id, step).await;
            let settled = match &heard {
                Ok(()) => true,
                Err(problem) => {
                    warn!(%problem, "staff were not called");
                    problem.is_permanent()
                }
            };
            shell.outlet.post(Input::HelpHeard { ok: heard.is_ok() });
            settled
        }
        Wish::End => match office.end_help(&shell.config.id).await {
            Ok(()) => {
                info!("the call for a person has ended");
                true
            }
            Err(problem) => problem.is_permanent(),
        },
    }
}
