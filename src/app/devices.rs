//! Lets devices in by one-time code and keeps the book of those who are in; in an office and at the municipality.
//!
//! A code is made by somebody with the right to, told to a technician, and redeemed once within a quarter of an
//! hour with the device's public key; its private key never leaves it. An office vouches for its kiosks at the
//! municipality before it lets them in, so that nothing of theirs is refused there.
//! Begin at [`Registry`]; [`invite`] and [`revoke`] are what the command line does.

mod routes;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::Stop;
use crate::clock::{Clock, random};
use crate::domain::audit::AuditEvent;
use crate::domain::receipt::Code;
use crate::domain::seal::VerifyingKey;
use crate::domain::submission::is_name;
use crate::domain::submission::peers::{Peer, PeerBook, TokenHash};
use crate::store::both::Sql;
use crate::store::devices::{self as store, DeviceKeyRow, Place};
use crate::store::municipal::Municipal;
use crate::store::{StoreError, chain};
use crate::sync::credential::Credential;
use crate::sync::enrol::{EnrolWire, EnrolledWire, UNVOUCH_PATH, VOUCH_PATH, VouchWire, WelcomeWire};
use crate::sync::gate::Gate;

pub use routes::routes;

/// How long a code may be redeemed: time to walk to the kiosk and type it.
pub const CODE_LASTS: SignedDuration = SignedDuration::from_mins(15);
/// Wrong codes that one address may try in that time.
const TRIES_MAX: u32 = 5;
/// Addresses remembered at most.
const ADDRESSES_MAX: usize = 10_000;
/// How soon a device that somebody let in or took out elsewhere is known here.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Somebody stands at the kiosk and waits.
const VOUCH_WITHIN: Duration = Duration::from_secs(10);

/// Why a device was not let in.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The code is wrong, over, or was used.
    #[error("The code is wrong, was used, or is older than 15 minutes; ask for a new one")]
    Code,
    /// Too many wrong codes.
    #[error("Too many wrong codes; wait 15 minutes")]
    TooMany,
    /// What was sent is no key.
    #[error("The public key is not readable; send the line that begins with ventanilla-ed25519-public-1")]
    Key,
    /// The name cannot be one, or somebody else has it.
    #[error("The name {0} cannot be given: use a-z, 0-9, - and _, and one that no other device has")]
    Name(String),
    /// Not for this office.
    #[error("A hub speaks for the devices of its own office only")]
    OtherOffice,
    /// The municipality did not take it, or was not reached.
    #[error("The municipality must know a device before it is let in, and it did not answer; try again")]
    Above,
    /// The municipality said no.
    #[error("The municipality does not take this device: {0}")]
    AboveRefused(String),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who is asked to know a device before it is let in.
#[derive(Clone, Debug)]
pub struct Above {
    /// The client.
    pub http: reqwest::Client,
    /// Its address.
    pub url: String,
    /// Who we are there.
    pub credential: Credential,
}

impl Above {
    /// The same server, to fetch from.
    pub fn source(&self) -> super::catalogue::Source {
        super::catalogue::Source {
            http: self.http.clone(),
            url: self.url.clone(),
            credential: self.credential.clone(),
        }
    }
}

/// The book of those who are let in, and the way into it.
#[derive(Debug)]
pub struct Registry {
    store: Municipal,
    clock: Clock,
    /// Those of the settings.
    settled: PeerBook,
    book: Arc<RwLock<PeerBook>>,
    gate: Arc<Gate>,
    welcome: WelcomeWire,
    above: Option<Above>,
    tries: Mutex<HashMap<IpAddr, (Timestamp, u32)>>,
    /// Keys that the municipality knows to be out of service; told again after a restart, which costs little.
    told: Mutex<HashSet<String>>,
}

impl Registry {
    /// A registry over the devices of the settings and those that were read from the store.
    pub fn new(
        store: Municipal,
        rows: &[DeviceKeyRow],
        settled: PeerBook,
        welcome: WelcomeWire,
        above: Option<Above>,
        clock: Clock,
    ) -> Arc<Self> {
        let book = Arc::new(RwLock::new(book_of(&settled, rows)));
        Arc::new(Self {
            gate: Gate::new(Arc::clone(&book), clock.clone()),
            store,
            clock,
            settled,
            book,
            welcome,
            above,
            tries: Mutex::default(),
            told: Mutex::default(),
        })
    }

    /// Lets those in the book in, and nobody else.
    pub fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    /// Keeps the book as the store is until told to stop.
    pub fn follow(self: &Arc<Self>, stop: Stop) -> tokio::task::JoinHandle<()> {
        let registry = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = stop.stopped() => return,
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
                if let Err(problem) = registry.refresh().await {
                    warn!(%problem, "the book of devices stays as it was");
                }
                registry.tell_above().await;
            }
        })
    }

    /// Reads the book from the store.
    ///
    /// # Errors
    /// When it does not answer; the book stays as it was.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let rows = self.store.look(store::all).await?;
        let book = book_of(&self.settled, &rows);
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = book;
        Ok(())
    }

    /// Ids of the devices of the store that are in service.
    pub fn enrolled(&self) -> Vec<String> {
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        let own = |peer: &&Peer| self.settled.by_id(&peer.id).is_none() && !peer.revoked;
        book.peers()
            .iter()
            .filter(own)
            .map(|peer| peer.id.clone())
            .collect()
    }

    /// Makes a code for a device; it is told once and only its hash is kept.
    ///
    /// # Errors
    /// When the name cannot be given.
    pub async fn invite(&self, place: Place, who: &str) -> Result<(Code, Timestamp), EnrolError> {
        if self.settled.by_id(&place.device).is_some() {
            return Err(EnrolError::Name(place.device));
        }
        let (now, who) = (self.clock.now(), who.to_owned());
        let code = Code::from_random(random());
        check(&place)?;
        self.store
            .change(move |sql| invite(sql, &place, code, &who, now))
            .await
            .map(|until| (code, until))
            .map_err(Into::into)
    }

    /// Takes a device out of service; its next request is refused.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn revoke(&self, id: &str, who: &str) -> Result<bool, StoreError> {
        let (id, who, now) = (id.to_owned(), who.to_owned(), self.clock.now());
        let done = self.store.change(move |sql| revoke(sql, &id, &who, now)).await?;
        self.refresh().await?;
        Ok(done)
    }

    /// Redeems a code that came from `address`.
    ///
    /// # Errors
    /// Says why the device stays out.
    pub async fn enrol(&self, wire: EnrolWire, address: IpAddr) -> Result<EnrolledWire, EnrolError> {
        let now = self.clock.now();
        if self.is_closed(address, now) {
            return Err(EnrolError::TooMany);
        }
        let key = VerifyingKey::parse(&wire.public_key).map_err(|_| EnrolError::Key)?;
        let hash = match wire.code.parse::<Code>() {
            Ok(code) => hash_of(code),
            Err(_) => return Err(self.wrong(address, now)),
        };
        let kid = key.kid().to_owned();
        let place = self
            .store
            .look(move |sql| store::place_of_code(sql, hash, &kid, now))
            .await?;
        let Some(place) = place else {
            return Err(self.wrong(address, now));
        };
        let mut welcome = self.welcome.clone();
        if let Some(above) = &self.above {
            let told = vouch(above, &place, &key).await?;
            welcome.recipients.extend(told.recipients);
            welcome.verify_url = welcome.verify_url.or(told.verify_url);
        }
        let peer = address.to_string();
        let let_in = self
            .store
            .change(move |sql| {
                let Some(place) = store::redeem(sql, hash, &key, now)? else {
                    return Ok(None);
                };
                let event = AuditEvent::DeviceEnrolled {
                    device: place.device.clone(),
                    kid: key.kid().to_owned(),
                };
                chain::append(sql, now, Some(&place.device), Some(&peer), &event)?;
                Ok(Some(place))
            })
            .await?;
        let place = let_in.ok_or(EnrolError::Code)?;
        self.refresh().await?;
        info!(device = %place.device, office = %place.office, "a device was let in");
        Ok(EnrolledWire {
            v: 1,
            device: place.device,
            office: place.office,
            welcome,
        })
    }

    /// A hub says that a device is one of its office.
    ///
    /// # Errors
    /// When it is not the hub's to say.
    pub async fn vouched(&self, hub: &Peer, wire: VouchWire) -> Result<WelcomeWire, EnrolError> {
        let key = VerifyingKey::parse(&wire.public_key).map_err(|_| EnrolError::Key)?;
        let place = Place {
            device: wire.device,
            office: wire.office,
        };
        check(&place)?;
        if place.office != hub.office || place.device == hub.id {
            return Err(EnrolError::OtherOffice);
        }
        let known = self.gate.book();
        let taken = known
            .by_id(&place.device)
            .is_some_and(|known| known.office != hub.office);
        if taken || self.settled.by_id(&place.device).is_some() {
            return Err(EnrolError::Name(place.device));
        }
        let (now, by) = (self.clock.now(), hub.id.clone());
        self.store
            .change(move |sql| {
                let known = store::all(sql)?;
                let same = known
                    .iter()
                    .any(|row| row.id == place.device && row.key == key && row.revoked_at.is_none());
                if !same {
                    store::put(sql, &place, &key, Some(&by), now)?;
                    let event = AuditEvent::DeviceEnrolled {
                        device: place.device.clone(),
                        kid: key.kid().to_owned(),
                    };
                    chain::append(sql, now, Some(&by), None, &event)?;
                }
                Ok(())
            })
            .await?;
        self.refresh().await?;
        Ok(self.welcome.clone())
    }

    /// A hub says that a device of its office is out of service; whoever else knows the name keeps it.
    ///
    /// # Errors
    /// When it is not the hub's to say.
    pub async fn unvouched(&self, hub: &Peer, wire: VouchWire) -> Result<(), EnrolError> {
        let key = VerifyingKey::parse(&wire.public_key).map_err(|_| EnrolError::Key)?;
        if wire.office != hub.office || wire.device == hub.id {
            return Err(EnrolError::OtherOffice);
        }
        let (now, by) = (self.clock.now(), hub.id.clone());
        let done = self
            .store
            .change(move |sql| {
                // Only the machine that is meant: under its name another may serve by now.
                let rows = store::all(sql)?;
                let newest = rows.iter().rfind(|row| row.id == wire.device);
                let is_it = newest.is_some_and(|row| row.key == key && row.office == wire.office);
                if is_it {
                    revoke(sql, &wire.device, &by, now)
                } else {
                    Ok(false)
                }
            })
            .await?;
        if done {
            self.refresh().await?;
        }
        Ok(())
    }

    /// Tells the municipality of devices that were taken out of service here, until it has heard of each.
    async fn tell_above(&self) {
        let Some(above) = &self.above else { return };
        let rows = match self.store.look(store::all).await {
            Ok(rows) => rows,
            Err(problem) => return warn!(%problem, "the book of devices cannot be read"),
        };
        let newest = rows
            .chunk_by(|one, next| one.id == next.id)
            .filter_map(<[_]>::last);
        for row in newest.filter(|row| row.revoked_at.is_some()) {
            let kid = row.key.kid();
            let known = self
                .told
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(kid);
            if known {
                continue;
            }
            if !unvouch(above, row).await {
                // It is out of reach: the others wait too.
                return;
            }
            info!(device = %row.id, "the municipality knows that a device is out of service");
            self.told
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(kid.to_owned());
        }
    }

    fn wrong(&self, address: IpAddr, now: Timestamp) -> EnrolError {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= ADDRESSES_MAX {
            tries.clear();
        }
        let entry = tries.entry(address).or_insert((now, 0));
        if !is_recent(entry.0, now) {
            *entry = (now, 0);
        }
        entry.1 += 1;
        EnrolError::Code
    }

    fn is_closed(&self, address: IpAddr, now: Timestamp) -> bool {
        let tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries
            .get(&address)
            .is_some_and(|(since, number)| *number >= TRIES_MAX && is_recent(*since, now))
    }
}

fn is_recent(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since).abs() < CODE_LASTS
}

fn check(place: &Place) -> Result<(), EnrolError> {
    for name in [&place.device, &place.office] {
        if !is_name(name) {
            return Err(EnrolError::Name(name.clone()));
        }
    }
    Ok(())
}

fn hash_of(code: Code) -> TokenHash {
    TokenHash::of(&code.plain())
}

/// Keeps a code for a device and puts it on record; until when it may be redeemed.
///
/// # Errors
/// When the store does not take it.
pub fn invite(
    sql: &mut dyn Sql,
    place: &Place,
    code: Code,
    who: &str,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let until = now.checked_add(CODE_LASTS).unwrap_or(now);
    store::keep_code(sql, hash_of(code), place, who, until)?;
    let event = AuditEvent::DeviceInvited {
        device: place.device.clone(),
    };
    chain::append(sql, now, Some(who), None, &event)?;
    Ok(until)
}

/// Takes a device out of service and puts it on record; whether there was one.
///
/// # Errors
/// When the store does not take it.
pub fn revoke(sql: &mut dyn Sql, id: &str, who: &str, now: Timestamp) -> Result<bool, StoreError> {
    let done = store::revoke(sql, id, now)?;
    if done {
        let event = AuditEvent::DeviceRevoked {
            device: id.to_owned(),
        };
        chain::append(sql, now, Some(who), None, &event)?;
    }
    Ok(done)
}

/// The book of the settings and of the store; who stands in the settings is not changed by the store.
fn book_of(settled: &PeerBook, rows: &[DeviceKeyRow]) -> PeerBook {
    let mut book = settled.clone();
    // The keys of a device come one after the other, the newest last.
    for keys in rows.chunk_by(|one, next| one.id == next.id) {
        let [former @ .., newest] = keys else { continue };
        if settled.by_id(&newest.id).is_some() {
            continue;
        }
        book.put(Peer {
            former: former.iter().map(|row| row.key.clone()).collect(),
            revoked: newest.revoked_at.is_some(),
            ..Peer::with_key(&newest.id, &newest.office, newest.key.clone())
        });
    }
    book
}

/// Whether the municipality heard it; one that does not know the address is of an earlier version, and never will.
async fn unvouch(above: &Above, row: &DeviceKeyRow) -> bool {
    let wire = VouchWire {
        v: 1,
        device: row.id.clone(),
        office: row.office.clone(),
        public_key: row.key.to_text(),
    };
    let request = above
        .http
        .post(format!("{}{UNVOUCH_PATH}", above.url.trim_end_matches('/')))
        .timeout(VOUCH_WITHIN)
        .json(&wire);
    match above.credential.send(&above.http, request).await {
        Ok(response) => response.status().is_success() || response.status().as_u16() == 404,
        Err(_) => false,
    }
}

async fn vouch(above: &Above, place: &Place, key: &VerifyingKey) -> Result<WelcomeWire, EnrolError> {
    let wire = VouchWire {
        v: 1,
        device: place.device.clone(),
        office: place.office.clone(),
        public_key: key.to_text(),
    };
    let request = above
        .http
        .post(format!("{}{VOUCH_PATH}", above.url.trim_end_matches('/')))
        .timeout(VOUCH_WITHIN)
        .json(&wire);
    let response = above
        .credential
        .send(&above.http, request)
        .await
        .map_err(|_| EnrolError::Above)?;
    let status = response.status();
    if status.is_success() {
        return response.json().await.map_err(|_| EnrolError::Above);
    }
    if status.is_server_error() {
        return Err(EnrolError::Above);
    }
    let text = response.text().await.unwrap_or_default();
    let problem: crate::sync::wire::ProblemWire =
        serde_json::from_str(&text).map_err(|_| EnrolError::Above)?;
    Err(EnrolError::AboveRefused(problem.title))
}

#[cfg(test)]
mod tests;
