//! The way from the shell to the session: a channel and a bell.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::session::Input;

type Bell = Box<dyn Fn() + Send>;

/// The shell's end.
#[derive(Clone)]
pub struct Outlet {
    sender: mpsc::Sender<Input>,
    bell: Arc<Mutex<Option<Bell>>>,
}

/// The session's end.
pub struct Inbox {
    receiver: mpsc::Receiver<Input>,
    bell: Arc<Mutex<Option<Bell>>>,
}

/// A new way: whoever runs effects keeps the first end, whoever drives the session the second.
pub fn channel() -> (Outlet, Inbox) {
    let (sender, receiver) = mpsc::channel();
    let bell = Arc::new(Mutex::new(None));
    (
        Outlet {
            sender,
            bell: bell.clone(),
        },
        Inbox { receiver, bell },
    )
}

impl Outlet {
    /// Tells the session what happened and wakes its screen.
    pub fn post(&self, input: Input) {
        // Without a screen nobody listens, and nothing is lost: what was saved is saved.
        let _ = self.sender.send(input);
        if let Some(bell) = &*self.bell.lock().unwrap_or_else(PoisonError::into_inner) {
            bell();
        }
    }
}

impl Inbox {
    /// Takes what has come, without waiting.
    pub fn take(&self) -> Option<Input> {
        self.receiver.try_recv().ok()
    }

    /// Rings `bell` whenever something comes.
    pub fn on_arrival(&self, bell: impl Fn() + Send + 'static) {
        *self.bell.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(bell));
    }
}
