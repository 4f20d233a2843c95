//! The municipality's central: it keeps what offices hand in, lists it for staff and says whether a receipt is ours.
//!
//! Begin at [`start`]; [`CentralApp`] is the central inside the process. Its web pages are given to `start` by
//! whoever may import them. What a citizen said is shown by `content` and `export` only, after it was put on record,
//! and only while somebody has the municipality's key unlocked; it never lies on a disk of central's.

mod api;
mod case;
pub mod export;
mod fleet;
mod forms;
pub mod guard;
pub mod journal;
pub mod lost;
mod metrics;
pub mod onward;
mod openapi;
mod openrosa;
pub mod retention;
mod review;
mod verify;
pub mod watch;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

pub use api::{SubmissionView, SubmissionsView, routes};
pub use case::{CaseError, CaseView};
pub use forms::FormBook;
pub use openrosa::DEVICE as COLLECTED;
pub use verify::{ReceiptView, VerifyError};

use super::devices::Registry;
use super::outbox::intake::answer;
use super::outbox::{keyfile, peers::peer_book};
use super::tls::Authority;
use super::{StartError, Stop, backup, catalogue, listen};
use crate::clock::{Clock, random};
use crate::config::central::CentralConfig;
use crate::domain::audit::AuditEvent;
use crate::domain::desk::CentralEvent;
use crate::domain::receipt::Code;
use crate::domain::seal::locked;
use crate::domain::seal::{OpeningKey, Recipient, Role, SigningKey, VerifyingKey};
use crate::domain::submission::peers::TokenHash;
use crate::store::municipal::Municipal;
use crate::store::postgres::Postgres;
use crate::store::{Db, StoreError, central as store, chain, devices};
use crate::sync::enrol::{RecipientWire, WelcomeWire};
use crate::sync::server::{self, Door, Keep, KeepError};

/// Who acts when the program itself does.
pub const CENTRAL: &str = "central";
/// Name of the central's file in its data folder.
pub const FILE: &str = "central.db";
/// How long open requests may take after a stop was asked for.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// The central inside the process.
pub struct CentralApp {
    /// Its settings.
    pub config: CentralConfig,
    /// The public half of the key that signs for what is kept; senders need it.
    pub receipt_key: VerifyingKey,
    store: Municipal,
    /// Called when something was kept, here or by another node.
    wake: Arc<Notify>,
    clock: Clock,
    /// Who may hand in, and whose receipts are ours.
    pub registry: Arc<Registry>,
    /// Signs for what is kept.
    key: SigningKey,
    /// Opens submissions, while it is unlocked.
    municipality: RwLock<Option<OpeningKey>>,
    /// To whom what arrives unsealed is sealed here.
    recipient: Option<Recipient>,
    shelf: Option<catalogue::Shelf>,
    forms: RwLock<FormBook>,
    staff: Vec<TokenHash>,
    guesses: Mutex<verify::Guesses>,
    /// When it was last put on record that somebody looks at the devices, by name.
    fleet_seen: Mutex<HashMap<String, Timestamp>>,
    /// Wrong last digits by code.
    wrong_digits: Mutex<HashMap<Code, (Timestamp, u32)>>,
    /// How this node's lines to other servers are doing, by name.
    lines: Mutex<HashMap<String, onward::OnwardLine>>,
}

impl CentralApp {
    /// Unlocks the municipality's key for this process; it is in memory only.
    ///
    /// # Errors
    /// When that cannot be put on record; then the key stays locked.
    pub async fn unlock(&self, key: OpeningKey) -> Result<(), StoreError> {
        let event = CentralEvent::KeyUnlocked {
            kid: key.kid().to_owned(),
        };
        self.note(event).await?;
        *self.municipality.write().unwrap_or_else(PoisonError::into_inner) = Some(key);
        self.wake.notify_waiters();
        Ok(())
    }

    fn opening_key(&self) -> Option<OpeningKey> {
        self.municipality
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The forms, read again where a newer catalogue was published.
    fn forms(&self) -> FormBook {
        let known = self.forms.read().unwrap_or_else(PoisonError::into_inner).clone();
        let published = self.shelf.as_ref().and_then(catalogue::Shelf::installed);
        if published.is_none_or(|bundle| bundle.manifest.version == known.version) {
            return known;
        }
        let book = FormBook::load(self.shelf.as_ref());
        *self.forms.write().unwrap_or_else(PoisonError::into_inner) = book.clone();
        book
    }
}

/// A central that answers.
pub struct RunningCentral {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where devices are answered in secret.
    pub tls_address: Option<SocketAddr>,
    /// The central itself.
    pub central: Arc<CentralApp>,
    served: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
    /// Held until all has ended.
    lock: Option<backup::Lock>,
}

impl RunningCentral {
    /// Returns when the central has stopped, after [`Stop::stop`]: requests under way are answered first.
    pub async fn finished(self) {
        if self.served.await.is_err() {
            warn!("the central's server ended badly");
        }
        for task in self.tasks {
            if task.await.is_err() {
                warn!("a task of the central ended badly");
            }
        }
        drop(self.lock);
    }
}

/// Opens the central's file and answers on its address until told to stop.
///
/// `faces` makes the routes of the web pages, given the central.
pub async fn start(
    config: CentralConfig,
    clock: Clock,
    stop: Stop,
    faces: impl FnOnce(&Arc<CentralApp>) -> Router,
) -> Result<RunningCentral, StartError> {
    let staff = config
        .staff_token_hash
        .iter()
        .map(|text| {
            TokenHash::from_hex(text).ok_or_else(|| StartError::Setup {
                what: "staff_token_hash".to_owned(),
                problem: "an entry is not 64 hex digits; write the SHA-256 of the token".to_owned(),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let book = peer_book(&config.peers, &config.devices, Path::new(""))?;
    let municipality = match config.municipality_key.as_deref() {
        Some(path) if !is_locked(path) => Some(keyfile::opening(path)?),
        Some(_) | None => None,
    };
    let recipient = match &config.municipality_public {
        Some(path) => Some(keyfile::recipient(path, Role::Municipality)?),
        None => municipality.as_ref().map(|key| key.recipient(Role::Municipality)),
    };
    let key = keyfile::signing(&config.receipt_key)?;
    let letters = watch::letters::Post::new(&config.fleet)?;
    let shelf = config
        .published
        .as_ref()
        .map(|published| catalogue::Shelf::new(&config.data, published))
        .transpose()?;
    let listener = listen(config.listen).await?;
    let address = listener.local_addr().map_err(|source| StartError::Listen {
        address: config.listen,
        source,
    })?;
    let authority = config
        .tls
        .as_ref()
        .map(|_| Authority::open(&config.data))
        .transpose()?;
    let wake = Arc::new(Notify::new());
    let mut kept = open(&config, &key, &clock, &stop, &wake).await?;
    begin_log(&kept.store, clock.now()).await?;
    let couriers = onward::couriers(&config.onward, &kept.store, &clock)?;
    let registry = Registry::new(
        kept.store.clone(),
        &kept.store.look(devices::all).await?,
        book,
        welcome(&config, &key, recipient.clone(), authority.as_ref()),
        None,
        clock.clone(),
    );
    kept.tasks.push(registry.follow(stop.clone()));
    let central = Arc::new(CentralApp {
        receipt_key: key.verifying(),
        store: kept.store.clone(),
        wake: Arc::clone(&wake),
        clock: clock.clone(),
        registry,
        key: key.clone(),
        municipality: RwLock::new(municipality),
        recipient,
        forms: RwLock::new(FormBook::load(shelf.as_ref())),
        shelf: shelf.clone(),
        staff,
        guesses: Mutex::default(),
        fleet_seen: Mutex::default(),
        wrong_digits: Mutex::default(),
        lines: Mutex::default(),
        config,
    });
    let version = env!("CARGO_PKG_VERSION").to_owned();
    central.note(CentralEvent::CentralStarted { version }).await?;
    kept.tasks.extend([
        tokio::spawn(review::run(Arc::clone(&central), stop.clone())),
        tokio::spawn(retention::run(Arc::clone(&central), stop.clone())),
        tokio::spawn(journal::run(Arc::clone(&central), stop.clone())),
        tokio::spawn(watch::run(Arc::clone(&central), letters, stop.clone())),
    ]);
    for (name, courier) in couriers {
        let running = onward::run(Arc::clone(&central), name, courier, stop.clone());
        kept.tasks.push(tokio::spawn(running));
    }
    let door = Door {
        gate: central.registry.gate(),
        keep: keep(kept.store, key, clock.clone(), wake),
        clock,
    };
    let catalogue = match shelf {
        Some(shelf) => catalogue::routes(shelf, central.registry.gate()),
        None => Router::new(),
    };
    let app = Router::new()
        .route("/api/v1/cases/{code}/status", post(case::status))
        .route("/api/v1/openapi.json", get(openapi::description))
        .with_state(Arc::clone(&central))
        .merge(routes(&central).into_router())
        .merge(openrosa::routes(&central))
        .merge(server::router(door))
        .merge(crate::sync::fleet::router(watch::door(&central)))
        .merge(super::depot::routes(
            super::depot::Depot::new(&central.config.data),
            central.registry.gate(),
        ))
        .merge(crate::app::devices::routes(Arc::clone(&central.registry)))
        .merge(catalogue)
        .merge(faces(&central))
        .layer(axum::middleware::map_response(harden));
    let mut tls_address = None;
    if let (Some(tls), Some(authority)) = (&central.config.tls, &authority) {
        let (address, served) = super::tls::serve(tls, authority, app.clone(), stop.clone()).await?;
        tls_address = Some(address);
        kept.tasks.push(served);
    }
    info!(%address, "central answers");
    let served = tokio::spawn(serve(listener, app, stop));
    Ok(RunningCentral {
        address,
        tls_address,
        central,
        served,
        tasks: kept.tasks,
        lock: kept.lock,
    })
}

/// What a device learns when it is let in.
fn welcome(
    config: &CentralConfig,
    key: &SigningKey,
    recipient: Option<Recipient>,
    authority: Option<&Authority>,
) -> WelcomeWire {
    let wire = |recipient: Recipient| RecipientWire {
        role: "municipality".to_owned(),
        key: recipient.to_text(),
    };
    WelcomeWire {
        receipt_keys: vec![key.verifying().to_text()],
        order_keys: vec![key.verifying().to_text()],
        recipients: recipient.into_iter().map(wire).collect(),
        place: None,
        authority: authority.map(|authority| authority.pem.clone()),
        verify_url: Some(format!("{}/verify", config.public_url.trim_end_matches('/'))),
    }
}

/// What was opened to keep submissions in, and what runs beside it.
struct Opened {
    store: Municipal,
    tasks: Vec<JoinHandle<()>>,
    lock: Option<backup::Lock>,
}

async fn open(
    config: &CentralConfig,
    key: &SigningKey,
    clock: &Clock,
    stop: &Stop,
    wake: &Arc<Notify>,
) -> Result<Opened, StartError> {
    if let Some(url) = &config.store {
        let server = Postgres::open(url, clock.now()).await?;
        if config.backup.is_some() {
            warn!(
                "[backup] copies a SQLite file; PostgreSQL is copied by its own tools, and only a synchronous standby counts"
            );
        }
        let (listening, stop) = (server.listen(Arc::clone(wake)), stop.clone());
        let until_stopped = tokio::spawn(async move {
            stop.stopped().await;
            listening.abort();
        });
        return Ok(Opened {
            store: Municipal::Postgres(server),
            tasks: vec![until_stopped],
            lock: None,
        });
    }
    let source = source(config);
    let lock = backup::Lock::take(&source.lock, source.role)?;
    let db = Db::open(&source.path, store::SCHEMA)?.db;
    backup::begin(&source, &db, clock.now())?;
    let copies = backup::start(
        source,
        db.clone(),
        config.backup.clone(),
        key.clone(),
        clock.clone(),
        stop.clone(),
    );
    Ok(Opened {
        store: Municipal::Sqlite(db),
        tasks: vec![copies],
        lock: Some(lock),
    })
}

/// Whether the key in a file has to be unlocked with a passphrase.
fn is_locked(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| locked::is_locked(&text))
}

/// Opens the store for a command, beside a running central or without one, and begins its audit log.
///
/// # Errors
/// When it does not open.
pub async fn open_store(config: &CentralConfig, now: Timestamp) -> Result<Municipal, StartError> {
    let store = match &config.store {
        Some(url) => Municipal::Postgres(Postgres::open(url, now).await?),
        None => Municipal::Sqlite(Db::open(&source(config).path, store::SCHEMA)?.db),
    };
    begin_log(&store, now).await?;
    Ok(store)
}

/// Writes the first entry of a new audit log; an old one is left alone.
async fn begin_log(store: &Municipal, now: Timestamp) -> Result<(), StoreError> {
    let name = random();
    store
        .change(move |sql| {
            chain::begin(sql, name)?;
            if chain::head(sql)?.0 == 0 {
                let event = AuditEvent::LogBegan { after_damage: false };
                chain::append(sql, now, Some(CENTRAL), None, &event)?;
            }
            Ok(())
        })
        .await
}

fn keep(store: Municipal, key: SigningKey, clock: Clock, wake: Arc<Notify>) -> Keep {
    Arc::new(move |arrival| {
        let (store, key, now, wake) = (store.clone(), key.clone(), clock.now(), Arc::clone(&wake));
        Box::pin(async move {
            match store.keep(arrival, &key, now).await {
                Ok((verdicts, mark)) => {
                    wake.notify_waiters();
                    Ok(answer(verdicts, mark, &key))
                }
                Err(problem) => {
                    error!(error = %problem, "a batch could not be kept");
                    Err(KeepError)
                }
            }
        })
    })
}

/// The central's file, for copies of it.
pub fn source(config: &CentralConfig) -> backup::Source {
    backup::Source::new(
        "central",
        &config.data,
        store::SCHEMA,
        config.epoch_file.as_deref(),
    )
}

async fn serve(listener: tokio::net::TcpListener, app: Router, stop: Stop) {
    let told = stop.clone();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service)
        .with_graceful_shutdown(async move { told.stopped().await })
        .into_future();
    let patience = async {
        stop.stopped().await;
        tokio::time::sleep(STOP_PATIENCE).await;
    };
    tokio::select! {
        ended = serving => if let Err(error) = ended {
            warn!(error = %error, "the central's server ended");
        },
        () = patience => warn!("some requests were still open and are cut off"),
    }
}

/// Headers every answer carries: nothing of ours is framed, sniffed, cached or told to others.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers
            .entry(name)
            .or_insert_with(|| HeaderValue::from_static(value));
    }
    response
}
