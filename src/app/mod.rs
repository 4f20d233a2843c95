//! The shell: it runs effects, owns tasks, transactions and timers.
//!
//! One module a role; each role starts from its configuration and stops when told to.

pub mod backup;
pub mod board;
pub mod catalogue;
pub mod central;
pub mod depot;
pub mod devices;
pub mod diagnose;
pub mod fleet;
pub mod kiosk;
pub mod metrics;
pub mod night;
pub mod office;
pub mod outbox;
pub mod provision;
pub mod provisioning;
pub mod service;
pub mod tls;
pub mod update;

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::store::StoreError;
use crate::sync::http::{self, HttpError};

/// Tells every task of a process to finish.
#[derive(Clone, Debug)]
pub struct Stop {
    sender: watch::Sender<bool>,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            sender: watch::Sender::new(false),
        }
    }
}

impl Stop {
    /// Asks all to finish.
    pub fn stop(&self) {
        self.sender.send_replace(true);
    }

    /// Whether finishing was asked for.
    pub fn is_stopped(&self) -> bool {
        *self.sender.borrow()
    }

    /// Returns once finishing was asked for.
    pub async fn stopped(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = receiver.wait_for(|stopped| *stopped).await;
    }
}

/// Why a role did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens there.
    #[error("Address {address} is taken or not allowed; stop the other program or choose another port")]
    Listen {
        /// Where we wanted to listen.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The data folder does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The data folder is in use, or the file outside it does not work.
    #[error(transparent)]
    Backup(#[from] backup::BackupError),
    /// A key, a catalogue or another file of the set-up is not usable.
    #[error("{what} cannot be used: {problem}")]
    Setup {
        /// Which thing.
        what: String,
        /// What is wrong and the way out.
        problem: String,
    },
}

/// Binds `address`, or says which one is taken.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })
}

/// A client with our rules: no redirects, no proxy, no patience without end.
///
/// With `authority` (PEM) only servers of that private authority are believed.
///
/// # Errors
/// When the authority is not readable.
pub fn http_client(authority: Option<&[u8]>) -> Result<reqwest::Client, StartError> {
    let unusable = |problem: HttpError| StartError::Setup {
        what: "The network".into(),
        problem: problem.to_string(),
    };
    http::builder(authority)
        .map_err(unusable)?
        .connect_timeout(std::time::Duration::from_secs(2))
        .build()
        .map_err(|problem| unusable(HttpError::Build(problem)))
}
