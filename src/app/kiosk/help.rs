//! Tells the office that somebody at this kiosk asks for a person, and that nobody does any more.
//!
//! Only the newest wish counts. It is told again until the office has heard it, so that a call ends even when the
//! line was down at the moment of ending; the citizen hears each time whether anybody knows, and once somebody of the
//! staff is on the way.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::Shell;
use crate::app::Stop;
use crate::domain::session::Input;
use crate::sync::office::OfficeError;

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

/// What is to be done about a wish.
enum Next {
    /// Nothing more.
    Rest,
    /// Tell it again.
    Again,
    /// The office knows; ask whether somebody is on the way.
    Watch,
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
        let mut next = told(&shell, &wish).await;
        while !matches!(next, Next::Rest) {
            let is_new = tokio::select! {
                () = stop.stopped() => return,
                changed = wishes.changed() => if changed.is_err() {
                    return;
                } else {
                    true
                },
                () = tokio::time::sleep(AGAIN) => false,
            };
            if is_new {
                wish = wishes.borrow_and_update().clone();
            }
            next = match next {
                Next::Watch if !is_new => watched(&shell).await,
                Next::Rest | Next::Again | Next::Watch => told(&shell, &wish).await,
            };
        }
    }
}

/// Tells one wish.
async fn told(shell: &Shell, wish: &Wish) -> Next {
    let Some(office) = &shell.office else {
        if matches!(wish, Wish::Call(_)) {
            shell.outlet.post(Input::HelpHeard { ok: false });
        }
        return Next::Rest;
    };
    match wish {
        Wish::Nothing => Next::Rest,
        Wish::Call(step) => {
            let heard = office.call_help(&shell.config.id, step).await;
            shell.outlet.post(Input::HelpHeard { ok: heard.is_ok() });
            match heard {
                Ok(()) => Next::Watch,
                Err(problem) => {
                    warn!(%problem, "staff were not called");
                    unless_permanent(&problem)
                }
            }
        }
        Wish::End => match office.end_help(&shell.config.id).await {
            Ok(()) => {
                info!("the call for a person has ended");
                Next::Rest
            }
            Err(problem) => unless_permanent(&problem),
        },
    }
}

fn unless_permanent(problem: &OfficeError) -> Next {
    if problem.is_permanent() {
        Next::Rest
    } else {
        Next::Again
    }
}

/// Asks whether somebody is on the way, and tells the citizen so.
async fn watched(shell: &Shell) -> Next {
    let Some(office) = &shell.office else {
        return Next::Rest;
    };
    match office.help_comes(&shell.config.id).await {
        Ok(true) => {
            shell.outlet.post(Input::HelpComes);
            Next::Rest
        }
        // A line that is down for a while comes back; nobody is told anything else meanwhile.
        Ok(false) | Err(_) => Next::Watch,
    }
}
