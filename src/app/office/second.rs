//! The second step of a login: a code of the telephone after the password.
//!
//! Between the two steps the office remembers who gave the right password, in memory and for a few minutes; a
//! restart forgets it and the login begins again. Wrong codes are counted like wrong passwords, and a right password
//! alone forgives nothing. Begin at [`OfficeApp::give_code`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use super::auth::{LogIn, Peer};
use super::hub::{OfficeApp, lock};
use crate::clock;
use crate::domain::audit::AuditEvent;
use crate::domain::seal::hex;
use crate::domain::staff::backoff::{Gate, LOCK_TRIES};
use crate::domain::staff::totp::{RECOVERY_CODES, Secret, recovery_code};
use crate::store::StoreError;
use crate::store::office::{self as store, Guarded, Proof, Session};

/// How long the second step may be awaited.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);
/// Logins between their two steps at the most; the oldest is forgotten first.
const WAITING_MAX: usize = 200;

/// Logins between their two steps, by the hash of what the browser was given.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<HashMap<[u8; 32], Half>>);

#[derive(Clone, Debug)]
struct Half {
    login: String,
    since: Timestamp,
    earlier: Option<String>,
}

fn key(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// How a person's second step stands, for their own page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecondState {
    /// Not asked for.
    Off,
    /// Asked for, with so many codes on paper left.
    On(u64),
}

impl OfficeApp {
    /// Remembers a right password until its code comes; returns what the browser shows in the form.
    pub(super) fn await_code(&self, login: &str, earlier: Option<String>) -> String {
        let (now, secret) = (self.now(), hex(&clock::random::<32>()));
        let mut waiting = lock(&self.waiting.0);
        waiting.retain(|_, half| now.duration_since(half.since).abs() < PATIENCE);
        while waiting.len() >= WAITING_MAX {
            let oldest = waiting
                .iter()
                .min_by_key(|(_, half)| half.since)
                .map(|(key, _)| *key);
            let Some(oldest) = oldest else { break };
            waiting.remove(&oldest);
        }
        let half = Half {
            login: login.to_owned(),
            since: now,
            earlier,
        };
        waiting.insert(key(&secret), half);
        secret
    }

    /// Checks the code that follows a right password, and begins the session.
    pub async fn give_code(
        self: &Arc<Self>,
        waiting: &str,
        code: String,
        peer: &Peer,
    ) -> Result<LogIn, StoreError> {
        let (now, waiting) = (self.now(), key(waiting));
        let half = lock(&self.waiting.0).get(&waiting).cloned();
        let Some(half) = half.filter(|half| now.duration_since(half.since).abs() < PATIENCE) else {
            return Ok(LogIn::Over);
        };
        let done = self
            .guess(&half.login.clone(), peer, move |c, peer, failures| {
                let login = half.login.as_str();
                let account = store::account(c, login)?;
                // Closed, or given another password, since the first step: that step is worth nothing any more.
                let account =
                    account.filter(|one| one.disabled_at.is_none() && one.password_at <= half.since);
                let proof = match &account {
                    Some(_) => store::prove_second_step(c, login, &code, now)?,
                    None => None,
                };
                let (Some(account), Some(proof)) = (account, proof) else {
                    return wrong(c, login, peer, failures, now);
                };
                store::forgive(c, Guarded::Account(login))?;
                store::forgive(c, Guarded::Address(peer))?;
                if let Some(earlier) = &half.earlier {
                    store::end_session(c, earlier)?;
                }
                let secret = store::open_session(c, login, Some(peer), now)?;
                let add = |event: &AuditEvent| store::append_audit(c, now, Some(login), Some(peer), event);
                if let Proof::Paper(left) = proof {
                    add(&AuditEvent::RecoveryCodeUsed { left })?;
                }
                add(&AuditEvent::LoggedIn {
                    role: account.staff.role,
                })?;
                info!(login, "logged in with a second step");
                Ok(LogIn::In(secret))
            })
            .await?;
        if matches!(done, LogIn::In(_) | LogIn::Locked) {
            lock(&self.waiting.0).remove(&waiting);
        }
        Ok(done)
    }

    /// How somebody's second step stands.
    pub fn second_state(&self, login: &str) -> Result<SecondState, StoreError> {
        let login = login.to_owned();
        self.db.read(move |c| {
            Ok(if store::asks_second_step(c, &login)? {
                SecondState::On(store::recovery_left(c, &login)?)
            } else {
                SecondState::Off
            })
        })
    }

    /// Begins a second step for somebody; none where one is asked for already.
    pub async fn begin_second(&self, session: &Session) -> Result<Option<Secret>, StoreError> {
        let (login, now, secret) = (
            session.staff.login.clone(),
            self.now(),
            Secret::new(clock::random()),
        );
        self.db
            .write(move |c| Ok(store::begin_second_step(c, &login, &secret, now)?.then_some(secret)))
            .await
    }

    /// The secret of a second step that is only begun, to show it again.
    pub fn begun_second(&self, session: &Session) -> Result<Option<Secret>, StoreError> {
        let login = session.staff.login.clone();
        let step = self.db.read(move |c| store::second_step(c, &login))?;
        Ok(step.filter(|step| !step.confirmed).map(|step| step.secret))
    }

    /// Asks for the second step from now on, once password and first code were given; returns the codes on paper.
    pub async fn confirm_second(
        self: &Arc<Self>,
        session: &Session,
        password: String,
        code: String,
        peer: &Peer,
    ) -> Result<Result<Vec<String>, LogIn>, StoreError> {
        let codes: Vec<String> = (0..RECOVERY_CODES)
            .map(|_| recovery_code(clock::random()))
            .collect();
        let kept = codes.clone();
        let done = self
            .with_both(session, password, code, peer, move |c, login, now| {
                store::confirm_second_step(c, login, &kept, now)?;
                Ok(AuditEvent::SecondStepAdded {
                    login: login.to_owned(),
                })
            })
            .await?;
        Ok(done.map(|()| codes))
    }

    /// Asks for no second step any more, once password and a code were given.
    pub async fn remove_second(
        self: &Arc<Self>,
        session: &Session,
        password: String,
        code: String,
        peer: &Peer,
    ) -> Result<Result<(), LogIn>, StoreError> {
        self.with_both(session, password, code, peer, |c, login, _| {
            store::drop_second_step(c, login)?;
            Ok(AuditEvent::SecondStepRemoved {
                login: login.to_owned(),
            })
        })
        .await
    }

    /// Does something to a person's own second step that needs their password and a code.
    async fn with_both(
        self: &Arc<Self>,
        session: &Session,
        password: String,
        code: String,
        peer: &Peer,
        act: impl FnOnce(&rusqlite::Connection, &str, Timestamp) -> Result<AuditEvent, StoreError>
        + Send
        + 'static,
    ) -> Result<Result<(), LogIn>, StoreError> {
        let (login, now) = (session.staff.login.clone(), self.now());
        let app = Arc::clone(self);
        let name = login.clone();
        let done = self
            .guess_after(
                &login,
                peer,
                async move { app.is_right(&name, password).await },
                {
                    let login = login.clone();
                    move |c, peer, failures, right| {
                        if !right || store::prove_second_step(c, &login, &code, now)?.is_none() {
                            return wrong(c, &login, peer, failures, now);
                        }
                        store::forgive(c, Guarded::Account(&login))?;
                        store::forgive(c, Guarded::Address(peer))?;
                        let event = act(c, &login, now)?;
                        store::append_audit(c, now, Some(&login), Some(peer), &event)?;
                        Ok(LogIn::In(String::new()))
                    }
                },
            )
            .await?;
        Ok(match done {
            LogIn::In(_) => Ok(()),
            not => Err(not),
        })
    }

    async fn guess(
        self: &Arc<Self>,
        login: &str,
        peer: &Peer,
        look: impl FnOnce(&rusqlite::Connection, &str, u32) -> Result<LogIn, StoreError> + Send + 'static,
    ) -> Result<LogIn, StoreError> {
        let nothing = async { Ok(true) };
        self.guess_after(login, peer, nothing, move |c, peer, failures, _| {
            look(c, peer, failures)
        })
        .await
    }

    /// One guess: counted before it is looked at, as for passwords.
    async fn guess_after(
        self: &Arc<Self>,
        login: &str,
        peer: &Peer,
        first: impl Future<Output = Result<bool, StoreError>>,
        look: impl FnOnce(&rusqlite::Connection, &str, u32, bool) -> Result<LogIn, StoreError> + Send + 'static,
    ) -> Result<LogIn, StoreError> {
        let (name, from, now) = (login.to_owned(), peer.0.clone(), self.now());
        let charged = self.db.write(move |c| {
            let guarded = [Guarded::Account(&name), Guarded::Address(&from)];
            store::charge(c, &guarded, now)
        });
        let failures = match charged.await? {
            (Gate::Open, failures) => failures,
            (Gate::Wait(until), _) => {
                warn!(peer = %peer.0, "code refused: too many wrong ones");
                return Ok(LogIn::Wait(until));
            }
            (Gate::Locked, _) => return Ok(LogIn::Locked),
        };
        let right = first.await?;
        let peer = peer.0.clone();
        self.db.write(move |c| look(c, &peer, failures, right)).await
    }
}

/// Puts a wrong guess on record.
fn wrong(
    c: &rusqlite::Connection,
    login: &str,
    peer: &str,
    failures: u32,
    now: Timestamp,
) -> Result<LogIn, StoreError> {
    let add = |event: &AuditEvent| store::append_audit(c, now, Some(login), Some(peer), event);
    add(&AuditEvent::LoginFailed { failures })?;
    if failures < LOCK_TRIES {
        return Ok(LogIn::Wrong);
    }
    add(&AuditEvent::LoginLocked)?;
    Ok(LogIn::Locked)
}
