//! The municipality's store in PostgreSQL, for several nodes that keep nothing themselves.
//!
//! A narrow table knows every id for ever; the submissions lie in one partition a month, so that old ones can be
//! put away whole. One row is the sequencer: the order has no holes, and a place is never seen before an earlier
//! one. `LISTEN` only wakes readers up; who misses a call finds the rows all the same.
//! Begin at [`Postgres::open`] and [`Postgres::keep`].

mod keep;
mod months;
mod read;

use std::sync::Arc;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio::sync::{Mutex, Notify};
use tokio_postgres::{AsyncMessage, NoTls};
use tracing::{info, warn};

use super::StoreError;
use super::lives::Why;
use crate::clock::random;
use crate::domain::seal::hex;
use months::Months;

/// Names of the channel and of the lock; any fixed numbers serve.
const CHANNEL: &str = "ventanilla_submission";
const SCHEMA_LOCK: i64 = 0x5643_454e_0001;
/// Connections of one node; a batch holds one for some milliseconds.
const CONNECTIONS: usize = 16;

/// A database server that nodes share.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
    months: Arc<Mutex<Months>>,
    config: Arc<tokio_postgres::Config>,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Postgres")
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Away(error.into())
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::Away(error.into())
    }
}

impl Postgres {
    /// Connects to the server at `url` (`postgres://user@host/database`) and makes the tables that are missing.
    ///
    /// # Errors
    /// When the server does not answer, or does not keep what it acknowledged through a loss of power.
    pub async fn open(url: &str, now: jiff::Timestamp) -> Result<Self, StoreError> {
        let config: tokio_postgres::Config =
            url.parse()
                .map_err(|problem: tokio_postgres::Error| StoreError::Address {
                    problem: problem.to_string(),
                })?;
        let manager = Manager::from_config(
            config.clone(),
            NoTls,
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .build()
            .map_err(|problem| StoreError::Away(problem.into()))?;
        let store = Self {
            pool,
            months: Arc::default(),
            config: Arc::new(config),
        };
        store.is_durable().await?;
        store.settle(now).await?;
        Ok(store)
    }

    pub(super) async fn client(&self) -> Result<deadpool_postgres::Object, StoreError> {
        Ok(self.pool.get().await?)
    }

    /// Refuses a server that would lose what it acknowledged.
    async fn is_durable(&self) -> Result<(), StoreError> {
        let client = self.pool.get().await?;
        for (setting, bad) in [
            ("fsync", "off"),
            ("full_page_writes", "off"),
            ("synchronous_commit", "off"),
        ] {
            let found: String = client
                .query_one("SELECT current_setting($1)", &[&setting])
                .await?
                .get(0);
            if found == bad {
                return Err(StoreError::Address {
                    problem: format!(
                        "the server says {setting}=off and would lose what it acknowledged; set it to on"
                    ),
                });
            }
        }
        Ok(())
    }

    /// Makes what is missing, and begins a new life where the server itself was restored from a copy.
    async fn settle(&self, now: jiff::Timestamp) -> Result<(), StoreError> {
        let mut client = self.pool.get().await?;
        let tx = client.transaction().await?;
        tx.execute("SELECT pg_advisory_xact_lock($1)", &[&SCHEMA_LOCK])
            .await?;
        tx.batch_execute(include_str!("postgres.sql")).await?;
        let version = "1";
        let found = tx
            .query_opt("SELECT value FROM meta WHERE key='schema'", &[])
            .await?
            .map(|row| row.get::<_, String>(0));
        if found.as_deref().is_some_and(|found| found != version) {
            return Err(StoreError::Address {
                problem: "the tables were made by a newer version; install that version again".into(),
            });
        }
        tx.execute(
            "INSERT INTO meta (key, value) VALUES ('schema', $1) ON CONFLICT DO NOTHING",
            &[&version],
        )
        .await?;
        tx.execute(
            "INSERT INTO sequencer (epoch, last) VALUES ($1, 0) ON CONFLICT DO NOTHING",
            &[&hex(&random::<16>())],
        )
        .await?;
        // A server that was restored to a moment, or whose standby took over, goes on with another timeline.
        let run: String = tx
            .query_one(
                "SELECT (SELECT system_identifier FROM pg_control_system())::text || '/'
                     || (SELECT timeline_id FROM pg_control_checkpoint())::text || '/'
                     || (SELECT oid FROM pg_database WHERE datname=current_database())::text",
                &[],
            )
            .await?
            .get(0);
        let before = tx
            .query_opt("SELECT value FROM meta WHERE key='run'", &[])
            .await?
            .map(|row| row.get::<_, String>(0));
        if before.as_ref().is_some_and(|before| *before != run) {
            keep::rotate(&tx, Why::FileCopy, now).await?;
        }
        tx.execute(
            "INSERT INTO meta (key, value) VALUES ('run', $1)
             ON CONFLICT (key) DO UPDATE SET value=excluded.value",
            &[&run],
        )
        .await?;
        self.months.lock().await.make(&tx, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Wakes `wake` whenever some node kept something, for as long as the task lives.
    ///
    /// Calls are lost while the line is down; whoever is woken looks, and looks now and then by itself.
    pub fn listen(&self, wake: Arc<Notify>) -> tokio::task::JoinHandle<()> {
        let config = Arc::clone(&self.config);
        tokio::spawn(async move {
            loop {
                if let Err(problem) = listen_once(&config, &wake).await {
                    warn!(error = %problem, "the line that wakes readers is down; they look by themselves");
                }
                tokio::time::sleep(std::time::Duration::from_secs(5)).await;
            }
        })
    }
}

/// The address of tables of their own on the server that the tests are given, or nothing where there is none.
#[cfg(test)]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(crate) async fn test_tables() -> Option<String> {
    let Ok(url) = std::env::var("VENTANILLA_TEST_POSTGRES") else {
        eprintln!("PostgreSQL is not tried: VENTANILLA_TEST_POSTGRES is not set");
        return None;
    };
    let name = format!("t{}", hex(&random::<8>()));
    let (client, line) = tokio_postgres::connect(&url, NoTls)
        .await
        .expect("the server answers");
    tokio::spawn(line);
    client
        .batch_execute(&format!("CREATE SCHEMA {name}"))
        .await
        .expect("a schema");
    let mark = if url.contains('?') { '&' } else { '?' };
    Some(format!("{url}{mark}options=-c%20search_path%3D{name}"))
}

#[cfg(test)]
impl Postgres {
    /// Another node on the same tables.
    pub(crate) async fn again(&self) -> Result<Self, StoreError> {
        let store = Self {
            months: Arc::default(),
            ..self.clone()
        };
        store.settle(jiff::Timestamp::UNIX_EPOCH).await?;
        Ok(store)
    }

    pub(crate) async fn pretend_other_timeline(&self) {
        let client = self.pool.get().await.expect("a connection");
        client
            .execute("UPDATE meta SET value='1/1/1' WHERE key='run'", &[])
            .await
            .expect("written");
    }
}

async fn listen_once(config: &tokio_postgres::Config, wake: &Notify) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
    let watch = async {
        while let Some(message) = futures_util::StreamExt::next(&mut messages).await {
            if let AsyncMessage::Notification(_) = message? {
                wake.notify_waiters();
            }
        }
        Ok(())
    };
    let ask = async {
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        info!("listening for what other nodes keep");
        // What came before the line was up.
        wake.notify_waiters();
        std::future::pending::<Result<(), tokio_postgres::Error>>().await
    };
    tokio::select! {
        ended = watch => ended,
        ended = ask => ended,
    }
}
