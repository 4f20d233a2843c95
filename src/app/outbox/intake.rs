//! Keeps what is handed in: the office's hub and the municipality use the same one.

use std::sync::{Arc, RwLock};

use jiff::Timestamp;
use rusqlite::Connection;
use tracing::error;

use crate::clock::{Clock, random};
use crate::domain::seal::{Signed, SigningKey};
use crate::domain::submission::durable::{MARK_DOMAIN, Mark};
use crate::domain::submission::peers::{Delivery, PeerBook};
use crate::domain::submission::{Acknowledgement, Verdict};
use crate::store::{Db, StoreError, backup, inbox, lives};
use crate::sync::server::{Arrival, Door, Keep, KeepError, Kept};

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
    pub fn door(self, peers: Arc<RwLock<PeerBook>>) -> Door {
        Door {
            peers,
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
            .write(move |conn| intake.all(conn, &arrival, now))
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
        Ok(Kept {
            verdicts,
            durable: (mark.server_seq > 0).then(|| Signed::new(MARK_DOMAIN, &mark, &self.key)),
            epoch: mark.server_epoch,
        })
    }

    fn all(
        &self,
        conn: &Connection,
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<(Vec<Verdict>, Mark), StoreError> {
        let mut epoch = lives::epoch(conn)?;
        if let Some(word) = &arrival.last_word
            && self.is_behind(conn, word, &epoch)?
        {
            epoch = lives::rotate(conn, lives::Why::SenderKnowsMore, random(), now)?;
        }
        let verdicts = arrival
            .deliveries
            .iter()
            .map(|delivery| self.one(conn, delivery, &epoch, now))
            .collect::<Result<_, _>>()?;
        if self.relays {
            backup::advance_relayed(conn, &epoch)?;
        }
        let mark = Mark {
            server_seq: backup::reach(conn, &epoch)?,
            server_epoch: epoch,
        };
        Ok((verdicts, mark))
    }

    /// Whether `word` is ours and of this life, and this file does not have what it speaks of: it was set back.
    ///
    /// It is not enough to compare places: after a file was set back, another sender may have taken the place.
    fn is_behind(&self, conn: &Connection, word: &Acknowledgement, epoch: &str) -> Result<bool, StoreError> {
        let Some(body) = word.read(&[self.key.verifying()]) else {
            return Ok(false);
        };
        Ok(body.server_epoch == epoch && !inbox::stands(conn, &body)?)
    }

    /// One item in a savepoint of its own: one that does not fit leaves the others alone.
    fn one(
        &self,
        conn: &Connection,
        delivery: &Delivery,
        epoch: &str,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        conn.execute_batch("SAVEPOINT item")?;
        let stamp = inbox::Stamp {
            epoch,
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
