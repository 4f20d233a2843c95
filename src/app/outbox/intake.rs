//! Keeps what is handed in: the office's hub and the municipality use the same one.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::Connection;
use tracing::error;

use crate::clock::{Clock, random};
use crate::domain::seal::{Signed, SigningKey};
use crate::domain::submission::Verdict;
use crate::domain::submission::durable::{MARK_DOMAIN, Mark};
use crate::domain::submission::peers::{Arrival, Delivery};
use crate::store::{Db, StoreError, inbox};
use crate::sync::gate::Gate;
use crate::sync::server::{Door, Keep, KeepError, Kept};

/// What happens once for a new item, in the transaction that keeps it.
pub type OnAccepted = Arc<dyn Fn(&Connection, &Delivery, Timestamp) -> Result<(), StoreError> + Send + Sync>;
/// What happens after the commit, with how many items were new: wake a sender, tell a screen.
pub type AfterCommit = Arc<dyn Fn(usize) + Send + Sync>;

/// Where deliveries go.
#[derive(Clone)]
pub struct Intake {
    /// A file with [`inbox::TABLES`].
    pub db: Db,
    /// The key that signs for what is kept.
    pub key: SigningKey,
    /// The clock.
    pub clock: Clock,
    /// Done once for each new item, in its transaction; the office passes it on with [`crate::store::outbox::relay`].
    pub on_accepted: OnAccepted,
    /// Whether all of it is passed on, so that what is durable above is durable here.
    pub relays: bool,
    /// Done after each commit.
    pub after_commit: AfterCommit,
}

impl Intake {
    /// The door of [`crate::sync::server::router`] that leads here.
    pub fn door(self, gate: Arc<Gate>) -> Door {
        Door {
            gate,
            clock: self.clock.clone(),
            keep: self.keep(),
        }
    }

    fn keep(self) -> Keep {
        Arc::new(move |arrival| {
            let intake = self.clone();
            Box::pin(async move { intake.take(arrival).await })
        })
    }

    /// Keeps a batch in one transaction and gives the verdicts once it is on the disk.
    pub async fn take(&self, arrival: Arrival) -> Result<Kept, KeepError> {
        if !arrival.deliveries.is_empty() && !self.db.has_room() {
            error!("the disk is nearly full; nothing new is taken in");
            return Err(KeepError);
        }
        let (intake, now) = (self.clone(), self.clock.now());
        let (verdicts, mark) = self
            .db
            .write(move |conn| {
                let hooks = inbox::Hooks {
                    on_accepted: &*intake.on_accepted,
                    relays: intake.relays,
                };
                inbox::keep(conn, &arrival, &intake.key, now, random(), &hooks)
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
        Ok(answer(verdicts, mark, &self.key))
    }
}

/// What is answered: the verdicts, and how far copies reach, signed.
pub fn answer(verdicts: Vec<Verdict>, mark: Mark, key: &SigningKey) -> Kept {
    Kept {
        verdicts,
        durable: (mark.server_seq > 0).then(|| Signed::new(MARK_DOMAIN, &mark, key)),
        epoch: mark.server_epoch,
    }
}
