//! The office between its kiosks and the municipality: takes submissions in, opens those that a counter continues,
//! passes all on.
//!
//! A submission and its place in the outbox are one transaction, so that what a kiosk was told is here goes on.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::Router;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::SignedDuration;
use tracing::{debug, warn};

use super::form::{FormLook, FormOpener, FormResult, FormRow, FormView, Tone};
use super::hub::OfficeApp;
use super::relay::{self, Relay};
use crate::app::catalogue::{self, Shelf};
use crate::app::depot::{self, Depot};
use crate::app::devices::{self, Above, Registry};
use crate::app::fleet::Obedience;
use crate::app::outbox::intake::Intake;
use crate::app::outbox::{Sender, Upstream, keyfile};
use crate::app::tls::Authority;
use crate::app::{StartError, Stop, backup};
use crate::clock::Clock;
use crate::config::office::{self, OfficeConfig};
use crate::domain::id::SubmissionId;
use crate::domain::redacted::Redacted;
use crate::domain::seal::{self, OpeningKey, Role, SigningKey, VerifyingKey};
use crate::domain::submission::peers::{Peer, PeerBook, TokenHash};
use crate::domain::submission::{Attachment, Content};
use crate::i18n;
use crate::store::devices as rows;
use crate::store::municipal::Municipal;
use crate::store::{Db, inbox, outbox};
use crate::sync::client::Client;
use crate::sync::credential::Credential;
use crate::sync::enrol::{PlaceWire, RecipientWire, WelcomeWire};
use crate::sync::fleet::{self, FleetClient};
use crate::sync::plan::Delays;
use crate::sync::server;

/// Keys and addresses, read before anything is started.
pub struct Line {
    catalogue: Option<Shelf>,
    peers: PeerBook,
    receipt_key: Option<SigningKey>,
    opening: Option<OpeningKey>,
    /// Who is asked for a newer catalogue, and to know our kiosks.
    above: Option<Above>,
    upstream: Option<Upstream>,
    /// Certificate of our own authority, where kiosks are answered in secret.
    authority: Option<String>,
    /// Versions of the appliance's system that are held here.
    systems: Vec<depot::Wanted>,
}

/// Reads what the line needs.
///
/// # Errors
/// When a key, a token or an address is not usable.
pub fn prepare(config: &OfficeConfig, clock: &Clock) -> Result<Line, StartError> {
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
            token: Some(token),
            ..Peer::with_key(&kiosk.id, &config.office.id, key)
        });
    }
    let receipt_key = config.receipt_key.as_deref().map(keyfile::signing).transpose()?;
    let opening = config.office_key.as_deref().map(keyfile::opening).transpose()?;
    let above = config
        .central
        .as_ref()
        .map(|central| above(config, central, clock))
        .transpose()?;
    let own = config
        .tls
        .as_ref()
        .map(|_| Authority::open(&config.data))
        .transpose()?;
    let catalogue = match &config.published {
        None => None,
        Some(published) => Some(Shelf::new(&config.data, published)?),
    };
    let upstream = match config.central.as_ref().zip(above.as_ref()) {
        None => None,
        Some((central, above)) => {
            let authority = authority(central)?;
            let client = Client::new(&central.url, above.credential.clone(), authority.as_deref())
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
        receipt_key,
        opening,
        above,
        upstream,
        authority: own.map(|authority| authority.pem),
        systems: systems(config)?,
    })
}

/// What is held for our kiosks, and for this machine itself where it is an appliance.
fn systems(config: &OfficeConfig) -> Result<Vec<depot::Wanted>, StartError> {
    let mut wanted = Vec::new();
    if let Some(systems) = &config.systems {
        let keys = systems
            .keys
            .iter()
            .map(|path| verifying(path))
            .collect::<Result<Vec<_>, _>>()?;
        wanted.extend(systems.hold.iter().map(|name| depot::Wanted {
            name: name.clone(),
            running: None,
            keys: keys.clone(),
        }));
    }
    wanted.extend(depot::of_this_machine());
    Ok(wanted)
}

/// Who we are at central, and how it is reached.
fn above(config: &OfficeConfig, central: &office::Upstream, clock: &Clock) -> Result<Above, StartError> {
    let credential = match (&central.token_file, &central.device_key) {
        (Some(token), _) => Credential::from(read(token)?.trim().to_owned()),
        (None, Some(key)) => Credential::device(&config.office.id, keyfile::signing(key)?, clock.clone()),
        (None, None) => {
            return Err(setup(
                "The line to central",
                "it needs token_file, or device_key with which central let this hub in",
            ));
        }
    };
    Ok(Above {
        http: crate::app::http_client(authority(central)?.as_deref())?,
        url: central.url.clone(),
        credential,
    })
}

fn authority(central: &office::Upstream) -> Result<Option<Vec<u8>>, StartError> {
    central
        .authority
        .as_deref()
        .map(|path| read(path).map(String::into_bytes))
        .transpose()
}

impl Line {
    /// Starts the sender, lets the counters open forms, and gives the routes where kiosks hand in.
    ///
    /// `lock` is held as long as these routes live.
    pub fn attach(self, office: &Arc<OfficeApp>, clock: Clock, stop: Stop, lock: backup::Lock) -> Router {
        let db = office.db().clone();
        let registry = self.registry(office, &clock);
        registry.follow(stop.clone());
        office.plug_devices(Arc::clone(&registry));
        let fleet = self.fleet(office, &clock);
        if let Some(above) = &self.above
            && !self.systems.is_empty()
        {
            let depot = Depot::new(&office.config().data);
            depot::follow(above.source(), depot, self.systems.clone(), stop.clone());
        }
        if let Some(key) = self.opening {
            office.plug_forms(opener(db.clone(), key, office.config().clone()));
        }
        let relay = Arc::new(Relay::default());
        let mut given = devices::routes(Arc::clone(&registry))
            .merge(depot::routes(Depot::new(&office.config().data), registry.gate()))
            .merge(fleet::router(relay.door(registry.gate(), clock.clone())));
        if let Some(shelf) = self.catalogue {
            given = given.merge(catalogue::routes(shelf.clone(), registry.gate()));
            if let Some(above) = self.above {
                // Kiosks are given what lies on the shelf, so a newer one is theirs at once.
                drop(catalogue::follow(
                    above.source(),
                    shelf,
                    clock.clone(),
                    stop.clone(),
                ));
            }
        }
        let Some(receipt_key) = self.receipt_key else {
            tell_above(relay, office, fleet, None, stop);
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
            let (started, _) = Sender::start(db.clone(), upstream, clock.clone(), stop.clone(), delays());
            let _ = sender.set(started);
        }
        tell_above(relay, office, fleet, sender.get().cloned(), stop);
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
        server::router(intake.door(registry.gate())).merge(given)
    }

    /// Who hears how we are, and whose orders we obey: nobody where there is no central, or no key of ours to sign.
    fn fleet(&self, office: &OfficeApp, clock: &Clock) -> Option<(FleetClient, Obedience)> {
        let (above, upstream) = (self.above.as_ref()?, self.upstream.as_ref()?);
        let config = office.config();
        let own = config.central.as_ref()?.device_key.as_deref();
        let key = match own.map(keyfile::signing) {
            Some(Ok(key)) => key,
            Some(Err(problem)) => {
                warn!(%problem, "central does not hear how this office is");
                return None;
            }
            None => self.receipt_key.clone()?,
        };
        let client = FleetClient {
            http: above.http.clone(),
            url: above.url.clone(),
            credential: above.credential.clone(),
        };
        let obedience = Obedience::new(
            office.db().clone(),
            &config.office.id,
            key,
            upstream.receipt_keys.clone(),
            clock.clone(),
            relay::act(),
        );
        Some((client, obedience))
    }

    fn registry(&self, office: &OfficeApp, clock: &Clock) -> Arc<Registry> {
        let config = office.config();
        let receipt_keys = self
            .receipt_key
            .iter()
            .map(|key| key.verifying().to_text())
            .collect();
        let recipients = self.opening.iter().map(|key| RecipientWire {
            role: "office".to_owned(),
            key: key.recipient(Role::Office).to_text(),
        });
        let order_keys = self.upstream.iter().flat_map(|upstream| &upstream.receipt_keys);
        let welcome = WelcomeWire {
            receipt_keys,
            order_keys: order_keys.map(VerifyingKey::to_text).collect(),
            recipients: recipients.collect(),
            place: Some(PlaceWire {
                id: config.office.id.clone(),
                name: config.office.name.clone(),
                kind: config.office.kind.clone(),
                zone: config.time_zone.clone(),
                day_cut_hour: config.day_cut_hour,
            }),
            authority: self.authority.clone(),
            verify_url: None,
        };
        let db = office.db().clone();
        let rows = db.look_at(rows::all).unwrap_or_else(|problem| {
            warn!(%problem, "the book of devices cannot be read; it is tried again");
            Vec::new()
        });
        let (settled, above) = (self.peers.clone(), self.above.clone());
        Registry::new(
            Municipal::Sqlite(db),
            &rows,
            settled,
            welcome,
            above,
            clock.clone(),
        )
    }
}

fn tell_above(
    relay: Arc<Relay>,
    office: &Arc<OfficeApp>,
    fleet: Option<(FleetClient, Obedience)>,
    sender: Option<Sender>,
    stop: Stop,
) {
    if let Some((above, obedience)) = fleet {
        tokio::spawn(relay.follow(Arc::clone(office), above, obedience, sender, stop));
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
        let mut attachments = content.attachments;
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
                    drawing: drawing_of(&answer.name, &mut attachments),
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

/// The picture of an answer, as the address of an image; taken, so that copies of a repeat get each their own.
fn drawing_of(question: &str, attachments: &mut Vec<Attachment>) -> Option<Redacted<String>> {
    let at = attachments.iter().position(|file| {
        file.media_type == "image/svg+xml"
            && file
                .name
                .rsplit_once('-')
                .is_some_and(|(name, _)| name == question)
    })?;
    // As an image it is only looked at: nothing in it is carried out.
    let picture = BASE64_STANDARD.encode(attachments.remove(at).text.reveal());
    Some(Redacted::new(format!("data:image/svg+xml;base64,{picture}")))
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
