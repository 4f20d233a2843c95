//! The office between its kiosks and the municipality: takes submissions in, opens those that a counter continues,
//! passes all on.
//!
//! A submission and its place in the outbox are one transaction, so that what a kiosk was told is here goes on.

use std::path::Path;
use std::sync::{Arc, OnceLock, RwLock};

use axum::Router;
use jiff::SignedDuration;
use tracing::{debug, warn};

use super::form::{FormLook, FormOpener, FormResult, FormRow, FormView, Tone};
use super::hub::OfficeApp;
use crate::app::catalogue::{self, Shelf};
use crate::app::outbox::intake::Intake;
use crate::app::outbox::{Sender, Upstream, keyfile};
use crate::app::{StartError, Stop, backup};
use crate::clock::Clock;
use crate::config::office::OfficeConfig;
use crate::domain::id::SubmissionId;
use crate::domain::redacted::Redacted;
use crate::domain::seal::{self, OpeningKey, SigningKey, VerifyingKey};
use crate::domain::submission::Content;
use crate::domain::submission::peers::{Peer, PeerBook, TokenHash};
use crate::i18n;
use crate::store::{Db, inbox, outbox};
use crate::sync::client::Client;
use crate::sync::plan::Delays;
use crate::sync::server;

/// Keys and addresses, read before anything is started.
pub struct Line {
    /// The catalogue's place, and whom to ask for a newer one.
    catalogue: Option<(Shelf, Option<catalogue::Source>)>,
    peers: PeerBook,
    receipt_key: Option<SigningKey>,
    opening: Option<OpeningKey>,
    upstream: Option<Upstream>,
}

/// Reads what the line needs.
///
/// # Errors
/// When a key, a token or an address is not usable.
pub fn prepare(config: &OfficeConfig) -> Result<Line, StartError> {
    let mut peers = Vec::new();
    for kiosk in &config.kiosks {
        let Some(path) = &kiosk.public_key else { continue };
        let token = TokenHash::from_hex(&kiosk.token_hash).ok_or_else(|| {
            setup(
                &format!("The token hash of kiosk {}", kiosk.id),
                "write 64 hexadecimal digits",
            )
        })?;
        let key = verifying(path)?;
        peers.push(Peer {
            id: kiosk.id.clone(),
            office: config.office.id.clone(),
            token: Some(token),
            key: Some(key),
        });
    }
    let catalogue = match &config.published {
        None => None,
        Some(published) => {
            let above = match &config.central {
                None => None,
                Some(central) => Some(catalogue::Source {
                    http: crate::app::http_client()?,
                    url: central.url.clone(),
                    token: Redacted::new(read(&central.token_file)?.trim().to_owned()),
                }),
            };
            Some((Shelf::new(&config.data, published)?, above))
        }
    };
    let upstream = match &config.central {
        None => None,
        Some(central) => {
            let token = read(&central.token_file)?.trim().to_owned();
            let client = Client::new(&central.url, Redacted::new(token), None)
                .map_err(|problem| setup(&format!("The line to {}", central.url), &problem.to_string()))?;
            let receipt_keys = central
                .receipt_keys
                .iter()
                .map(|path| verifying(path))
                .collect::<Result<Vec<_>, _>>()?;
            Some(Upstream { client, receipt_keys })
        }
    };
    Ok(Line {
        catalogue,
        peers: PeerBook::new(peers),
        receipt_key: config.receipt_key.as_deref().map(keyfile::signing).transpose()?,
        opening: config.office_key.as_deref().map(keyfile::opening).transpose()?,
        upstream,
    })
}

impl Line {
    /// Starts the sender, lets the counters open forms, and gives the routes where kiosks hand in.
    ///
    /// `lock` is held as long as these routes live.
    pub fn attach(self, office: &Arc<OfficeApp>, clock: Clock, stop: Stop, lock: backup::Lock) -> Router {
        let db = office.db().clone();
        if let Some(key) = self.opening {
            office.plug_forms(opener(db.clone(), key, office.config().clone()));
        }
        let peers = Arc::new(RwLock::new(self.peers));
        let mut given = Router::new();
        if let Some((shelf, above)) = self.catalogue {
            given = catalogue::routes(shelf.clone(), Arc::clone(&peers));
            if let Some(above) = above {
                catalogue::follow(above, shelf, clock.clone(), stop.clone());
            }
        }
        let Some(receipt_key) = self.receipt_key else {
            return given;
        };
        let config = office.config();
        let source = source(config);
        if let Err(problem) = backup::begin(&source, &db, clock.now()) {
            warn!(%problem, "the office takes no submissions");
            return given;
        }
        backup::start(
            source,
            db.clone(),
            config.backup.clone(),
            receipt_key.clone(),
            clock.clone(),
            stop.clone(),
        );
        let forwards = self.upstream.is_some();
        let sender = Arc::new(OnceLock::new());
        if let Some(upstream) = self.upstream {
            let (started, _) = Sender::start(db.clone(), upstream, clock.clone(), stop, delays());
            let _ = sender.set(started);
        }
        let intake = Intake {
            db,
            key: receipt_key,
            clock,
            on_accepted: Arc::new(move |c, delivery, now| {
                if forwards {
                    outbox::relay(c, delivery, now)
                } else {
                    Ok(())
                }
            }),
            relays: forwards,
            after_commit: Arc::new(move |new| {
                let _held = &lock;
                if let (true, Some(sender)) = (new > 0, sender.get()) {
                    sender.wake();
                }
            }),
        };
        server::router(intake.door(peers)).merge(given)
    }
}

/// The office's file, for copies of it.
pub fn source(config: &OfficeConfig) -> backup::Source {
    backup::Source::new("office", &config.data, crate::store::office::SCHEMA, None)
}

/// A city has few hubs: one that asks twice a minute is no burden, and what waits arrives soon after an outage.
fn delays() -> Delays {
    Delays {
        cap: SignedDuration::from_secs(30),
        ..Delays::default()
    }
}

/// Opens what was sealed to this office.
fn opener(db: Db, key: OpeningKey, config: OfficeConfig) -> FormOpener {
    Arc::new(move |submission| {
        let Ok(id) = submission.parse::<SubmissionId>() else {
            return FormLook::None;
        };
        let item = match db.read(move |c| inbox::read(c, id)) {
            Ok(Some(item)) => item,
            Ok(None) => return FormLook::NotYet,
            Err(problem) => {
                warn!(submission = %id, %problem, "a form cannot be read");
                return FormLook::None;
            }
        };
        let opened = match seal::open(&item.envelope, &key) {
            Ok(opened) => opened,
            Err(problem) => {
                debug!(submission = %id, %problem, "a form is not for this office");
                return FormLook::None;
            }
        };
        let Some(content) = Content::from_bytes(&opened.plain) else {
            warn!(submission = %id, "a form has a shape of another version");
            return FormLook::None;
        };
        let zone = jiff::tz::TimeZone::get(&config.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let time = opened
            .header
            .created_at
            .to_zoned_datetime(zone)
            .strftime("%d/%m/%Y %H:%M")
            .to_string();
        let kiosk = opened
            .header
            .device_id
            .trim_start_matches(|c: char| c.is_ascii_alphabetic())
            .to_owned();
        FormLook::Ready(FormView {
            title: content.procedure_name,
            code: opened.header.code.to_string(),
            made_at: i18n::fill(
                config.language,
                "form-made-at",
                &[("kiosk", &kiosk), ("time", &time)],
            ),
            rows: content
                .answers
                .into_iter()
                .map(|answer| FormRow {
                    label: answer.label,
                    value: answer.value,
                    masked: answer.masked,
                })
                .collect(),
            result: content.result.map(|result| FormResult {
                tone: match result.tone.as_str() {
                    "good" => Tone::Good,
                    "bad" => Tone::Bad,
                    _ => Tone::Warn,
                },
                title: result.title,
                text: result.text.reveal().clone(),
            }),
        })
    })
}

fn verifying(path: &Path) -> Result<VerifyingKey, StartError> {
    VerifyingKey::parse(&read(path)?).map_err(|problem| unusable(path, &problem))
}

fn read(path: &Path) -> Result<String, StartError> {
    std::fs::read_to_string(path).map_err(|problem| unusable(path, &problem))
}

fn unusable(path: &Path, problem: &dyn std::fmt::Display) -> StartError {
    setup(&format!("File {}", path.display()), &problem.to_string())
}

fn setup(what: &str, problem: &str) -> StartError {
    StartError::Setup {
        what: what.to_owned(),
        problem: problem.to_owned(),
    }
}
