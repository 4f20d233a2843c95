//! Keeps what is handed in: the office's hub and the municipality use the same one.

use std::sync::{Arc, RwLock};

use jiff::Timestamp;
use rusqlite::Connection;
use tracing::error;

use crate::clock::Clock;
use crate::domain::seal::SigningKey;
use crate::domain::submission::Verdict;
use crate::domain::submission::peers::{Delivery, PeerBook};
use crate::store::{Db, StoreError, inbox};
use crate::sync::server::{Door, Keep, KeepError};

/// What happens once for a new item, in the transaction that keeps it.
pub type OnAccepted = Arc<dyn Fn(&Connection, &Delivery, Timestamp) -> Result<(), StoreError> + Send + Sync>;
/// What happens after the commit, with how many items were new: wake a sender, tell a screen.
pub type AfterCommit = Arc<dyn Fn(usize) + Send + Sync>;

/// Where deliveries go.
#[derive(Clone)]
pub struct Intake {
    /// A file with [`inbox::TABLES`].
    pub db: Db,
    /// That file's epoch.
    pub epoch: String,
    /// The key that signs for what is kept.
    pub key: SigningKey,
    /// The clock.
    pub clock: Clock,
    /// Done once for each new item, in its transaction; the office passes it on with [`crate::store::outbox::relay`].
    pub on_accepted: OnAccepted,
    /// Done after each commit.
    pub after_commit: AfterCommit,
}

impl Intake {
    /// The door of [`crate::sync::server::router`] that leads here.
    pub fn door(self, peers: Arc<RwLock<PeerBook>>) -> Door {
        Door {
            peers,
            epoch: self.epoch.clone(),
            clock: self.clock.clone(),
            durable: Arc::new(|_| Vec::new()),
            keep: self.keep(),
        }
    }

    fn keep(self) -> Keep {
        Arc::new(move |deliveries| {
            let intake = self.clone();
            Box::pin(async move { intake.take(deliveries).await })
        })
    }

    /// Keeps a batch in one transaction and gives the verdicts once it is on the disk.
    pub async fn take(&self, deliveries: Vec<Delivery>) -> Result<Vec<Verdict>, KeepError> {
        let (intake, now) = (self.clone(), self.clock.now());
        let verdicts = self
            .db
            .write(move |conn| {
                deliveries
                    .iter()
                    .map(|delivery| intake.one(conn, delivery, now))
                    .collect::<Result<Vec<_>, _>>()
            })
            .await
            .map_err(|problem| {
                error!(error = %problem, "a batch could not be kept");
                KeepError
            })?;
        let new = verdicts
            .iter()
            .filter(|verdict| matches!(verdict, Verdict::Accepted(_)))
            .count();
        (self.after_commit)(new);
        Ok(verdicts)
    }

    /// One item in a savepoint of its own: one that does not fit leaves the others alone.
    fn one(&self, conn: &Connection, delivery: &Delivery, now: Timestamp) -> Result<Verdict, StoreError> {
        conn.execute_batch("SAVEPOINT item")?;
        let stamp = inbox::Stamp {
            epoch: &self.epoch,
            now,
            key: &self.key,
        };
        let kept = inbox::ingest(conn, delivery, &stamp).and_then(|verdict| {
            if matches!(verdict, Verdict::Accepted(_)) {
                (self.on_accepted)(conn, delivery, now)?;
            }
            Ok(verdict)
        });
        match kept {
            Ok(verdict) => {
                conn.execute_batch("RELEASE item")?;
                Ok(verdict)
            }
            Err(problem @ (StoreError::Conflict(_) | StoreError::Unreadable { .. })) => {
                error!(submission = %delivery.item.id, error = %problem, "an item could not be kept");
                conn.execute_batch("ROLLBACK TO item; RELEASE item")?;
                Ok(Verdict::RetryLater)
            }
            Err(problem) => Err(problem),
        }
    }
}
