//! The municipality's store: a SQLite file for one node, or PostgreSQL for several.
//!
//! Both keep the same promises, and one suite of tests is held against both.

use jiff::Timestamp;

use super::inbox::{DeviceRow, Hooks, InboxRow, Wanted};
use super::lives::LifeRow;
use super::postgres::Postgres;
use super::{Db, StoreError, inbox, lives};
use crate::clock::random;
use crate::domain::id::SubmissionId;
use crate::domain::receipt::Code;
use crate::domain::seal::SigningKey;
use crate::domain::submission::durable::Mark;
use crate::domain::submission::peers::Arrival;
use crate::domain::submission::{Item, Verdict};

/// Where the municipality keeps what was handed in.
#[derive(Clone, Debug)]
pub enum Municipal {
    /// A file of [`super::central::SCHEMA`].
    Sqlite(Db),
    /// A server that nodes share.
    Postgres(Postgres),
}

impl Municipal {
    /// Keeps a batch in one transaction: one verdict for each item in order, and how far verified copies reach.
    ///
    /// # Errors
    /// When nothing of it was kept, or nobody knows; the sender tries again.
    pub async fn keep(
        &self,
        arrival: Arrival,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<(Vec<Verdict>, Mark), StoreError> {
        match self {
            Self::Sqlite(db) => {
                if !arrival.deliveries.is_empty() && !db.has_room() {
                    return Err(StoreError::Full);
                }
                let key = key.clone();
                db.write(move |conn| {
                    let hooks = Hooks {
                        on_accepted: &|_, _, _| Ok(()),
                        relays: false,
                    };
                    inbox::keep(conn, &arrival, &key, now, random(), &hooks)
                })
                .await
            }
            Self::Postgres(server) => server.keep(&arrival, key, now).await,
        }
    }

    /// The submissions that are asked for, in order.
    pub async fn list(&self, wanted: Wanted) -> Result<Vec<InboxRow>, StoreError> {
        match self {
            Self::Sqlite(db) => db.read(move |conn| inbox::list_wanted(conn, &wanted)),
            Self::Postgres(server) => server.list(&wanted).await,
        }
    }

    /// One submission.
    pub async fn find(&self, id: SubmissionId) -> Result<Option<InboxRow>, StoreError> {
        match self {
            Self::Sqlite(db) => db.read(move |conn| inbox::find(conn, id)),
            Self::Postgres(server) => server.find(id).await,
        }
    }

    /// The submissions with this code on their paper, the newest first.
    pub async fn by_code(&self, code: Code) -> Result<Vec<InboxRow>, StoreError> {
        match self {
            Self::Sqlite(db) => db.read(move |conn| inbox::by_code(conn, code)),
            Self::Postgres(server) => server.by_code(code).await,
        }
    }

    /// The sealed bytes of a submission; nothing where it is not here or was erased.
    ///
    /// Whoever opens them puts that on record before.
    ///
    /// # Errors
    /// Also when they are no longer what was acknowledged.
    pub async fn sealed(&self, id: SubmissionId) -> Result<Option<Item>, StoreError> {
        match self {
            Self::Sqlite(db) => db.read(move |conn| inbox::read(conn, id)),
            Self::Postgres(server) => server.sealed(id).await,
        }
    }

    /// Lets go of the room that erased contents took.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        match self {
            // Pages are overwritten at once (`secure_delete`), and the log before the database follows.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(server) => server.sweep().await,
        }
    }

    /// What arrived from each device and what is missing in between.
    pub async fn devices(&self) -> Result<Vec<DeviceRow>, StoreError> {
        match self {
            Self::Sqlite(db) => db.read(inbox::devices),
            Self::Postgres(server) => server.devices().await,
        }
    }

    /// The lives that were begun because something was restored, the newest first.
    pub async fn lives(&self) -> Result<Vec<LifeRow>, StoreError> {
        match self {
            Self::Sqlite(db) => db.read(lives::list),
            Self::Postgres(server) => server.lives().await,
        }
    }

    /// How many submissions contradicted earlier ones.
    pub async fn alarms(&self) -> Result<u32, StoreError> {
        match self {
            Self::Sqlite(db) => db.read(inbox::alarms),
            Self::Postgres(server) => server.alarms().await,
        }
    }
}

#[cfg(test)]
#[path = "municipal_tests.rs"]
mod tests;
