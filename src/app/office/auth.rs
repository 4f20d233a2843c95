//! Who is asking: a person with a session, a program with a token, a kiosk, or anybody.
//!
//! Which of them may do what is [`super::guard`]'s business; how a person gets a session is here.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tracing::{info, warn};

use super::OfficeApp;
use super::guard::No;
use super::problem::Problem;
use crate::config::office::token_hash;
use crate::domain::audit::AuditEvent;
use crate::domain::staff::backoff::{Gate, LOCK_TRIES};
use crate::domain::staff::secret::{SECRET_MAX, Weak};
use crate::domain::staff::{Permission, is_login, may};
use crate::domain::ticket::{CounterNumber, KioskId};
use crate::store::StoreError;
use crate::store::office::{self as store, Guarded, SESSION_HOURS, Session, Staff};

/// Name of the field, and of the header, that carries a form's token.
pub const FORM_TOKEN: &str = "form-token";

/// Who sent a request.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A person with a session that is not locked.
    Person(Session),
    /// A program with a staff token.
    Program(Staff),
    /// One of our kiosks.
    Kiosk(KioskId),
    /// Anybody.
    Anybody,
}

impl Caller {
    /// Whoever works here.
    pub fn staff(&self) -> Result<&Staff, Problem> {
        match self {
            Self::Person(session) => Ok(&session.staff),
            Self::Program(staff) => Ok(staff),
            Self::Kiosk(_) => Err(Problem::forbidden("A kiosk may not do this; use a staff token")),
            Self::Anybody => Err(Problem::unauthorized()),
        }
    }

    /// Whether this caller holds `permission`.
    ///
    /// # Errors
    /// 401 for whom nobody knows, 403 for everybody else.
    pub fn may(&self, permission: Permission) -> Result<(), No> {
        let allowed = match self {
            Self::Person(Session { staff, .. }) | Self::Program(staff) => may(staff.role, permission),
            Self::Kiosk(_) => permission.is_for_kiosks(),
            Self::Anybody if permission.is_public() => true,
            Self::Anybody => return Err(No::Unknown),
        };
        if allowed { Ok(()) } else { Err(No::Forbidden) }
    }

    /// The name under which an act is recorded.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Person(session) => Some(session.staff.login.clone()),
            Self::Program(staff) => Some(staff.login.clone()),
            Self::Kiosk(kiosk) => Some(kiosk.to_string()),
            Self::Anybody => None,
        }
    }
}

impl FromRequestParts<Arc<OfficeApp>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<OfficeApp>) -> Result<Self, Problem> {
        // The guard of the address has found out already; an address without one knows nobody.
        Ok(parts.extensions.get().cloned().unwrap_or(Self::Anybody))
    }
}

/// Where a request comes from, for the record and against guessing.
#[derive(Clone, Debug)]
pub struct Peer(pub String);

impl Peer {
    pub(super) fn of(extensions: &Extensions, headers: &HeaderMap, behind_proxy: bool) -> Self {
        // The last address was written by our proxy; those before it by whoever asked.
        let forwarded = headers
            .get_all("x-forwarded-for")
            .iter()
            .next_back()
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.rsplit(',').next())
            .map(|text| text.trim().chars().take(64).collect::<String>())
            .filter(|text| behind_proxy && !text.is_empty());
        Self(forwarded.unwrap_or_else(|| {
            extensions.get::<ConnectInfo<SocketAddr>>().map_or_else(
                || "unknown".to_owned(),
                |ConnectInfo(address)| address.ip().to_string(),
            )
        }))
    }
}

impl FromRequestParts<Arc<OfficeApp>> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<OfficeApp>) -> Result<Self, Self::Rejection> {
        Ok(Self::of(
            &parts.extensions,
            &parts.headers,
            app.config.behind_https,
        ))
    }
}

/// What came of a login.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogIn {
    /// The secret of the new session, for its cookie.
    In(String),
    /// The password is right; this goes with the code of the telephone, which is asked now.
    Code(String),
    /// The second step took too long; the login begins again.
    Over,
    /// Login, password or code is wrong.
    Wrong,
    /// Too many wrong tries; not before this moment.
    Wait(Timestamp),
    /// Far too many; somebody has to unlock the account.
    Locked,
}

impl OfficeApp {
    /// Who sends these headers, and the secret of the session if there is one that is not locked.
    pub(super) fn who(&self, headers: &HeaderMap) -> Result<(Caller, Option<String>), No> {
        if let Some(token) = bearer(headers) {
            return Ok((self.caller_of_token(token)?, None));
        }
        let Some(secret) = session_cookie(headers, self) else {
            return Ok((Caller::Anybody, None));
        };
        match self.session(secret)? {
            None => Ok((Caller::Anybody, None)),
            Some(session) if session.locked => Err(No::Locked),
            Some(session) => Ok((Caller::Person(session), Some(secret.to_owned()))),
        }
    }

    fn caller_of_token(&self, token: &str) -> Result<Caller, No> {
        let hash = token_hash(token);
        for kiosk in &self.config.kiosks {
            if bool::from(
                kiosk
                    .token_hash
                    .to_ascii_lowercase()
                    .as_bytes()
                    .ct_eq(hash.as_bytes()),
            ) {
                let kiosk = KioskId(kiosk.id.clone());
                self.saw_kiosk(&kiosk);
                return Ok(Caller::Kiosk(kiosk));
            }
        }
        let token = token.to_owned();
        self.db
            .read(move |c| store::staff_of_token(c, &token))?
            .map(Caller::Program)
            .ok_or(No::Unknown)
    }

    /// The session behind a cookie, locked or not.
    pub fn session(&self, secret: &str) -> Result<Option<Session>, StoreError> {
        let (secret, now) = (secret.to_owned(), self.now());
        self.db.read(move |c| store::session(c, &secret, now))
    }

    /// Checks a password and begins a session; the one of `earlier` ends.
    pub async fn log_in(
        self: &Arc<Self>,
        login: &str,
        password: String,
        peer: &Peer,
        earlier: Option<&str>,
    ) -> Result<LogIn, StoreError> {
        let earlier = earlier.map(str::to_owned);
        let begin = Begin {
            earlier,
            asks_code: true,
            ..Begin::default()
        };
        self.prove(login, password, peer, begin).await
    }

    /// Checks the password of whoever locked a console, and goes on at the same counter with a new session.
    pub async fn resume(
        self: &Arc<Self>,
        secret: &str,
        password: String,
        peer: &Peer,
    ) -> Result<LogIn, StoreError> {
        let Some(session) = self.session(secret)? else {
            return Ok(LogIn::Wrong);
        };
        let begin = Begin {
            earlier: Some(secret.to_owned()),
            counter: session.counter,
            event: Some(AuditEvent::SessionResumed),
            ..Begin::default()
        };
        self.prove(&session.staff.login, password, peer, begin).await
    }

    /// Sets a person's own new password once the present one was given; their other sessions end.
    pub async fn change_own_password(
        self: &Arc<Self>,
        secret: &str,
        present: String,
        new: String,
        peer: &Peer,
    ) -> Result<Result<LogIn, Weak>, StoreError> {
        let Some(session) = self.session(secret)? else {
            return Ok(Ok(LogIn::Wrong));
        };
        let staff = session.staff;
        let password = match self.new_password(staff.role, &staff.login, new).await? {
            Ok(password) => password,
            Err(weak) => return Ok(Err(weak)),
        };
        let begin = Begin {
            earlier: Some(secret.to_owned()),
            counter: session.counter,
            event: Some(AuditEvent::PasswordChanged {
                login: staff.login.clone(),
            }),
            password: Some(password),
            ..Begin::default()
        };
        self.prove(&staff.login, present, peer, begin).await.map(Ok)
    }

    async fn prove(
        self: &Arc<Self>,
        login: &str,
        password: String,
        peer: &Peer,
        begin: Begin,
    ) -> Result<LogIn, StoreError> {
        let now = self.now();
        // Whatever cannot be a login is counted under one name, so that long texts are not kept.
        let login = if is_login(login) {
            login.to_owned()
        } else {
            String::new()
        };
        let (name, from) = (login.clone(), peer.0.clone());
        let (gate, failures) = self
            .db
            .write(move |c| {
                let guarded = [Guarded::Account(&name), Guarded::Address(&from)];
                store::charge(c, &guarded, now)
            })
            .await?;
        match gate {
            Gate::Open => {}
            Gate::Wait(until) => {
                warn!(peer = %peer.0, "login refused: too many wrong passwords");
                return Ok(LogIn::Wait(until));
            }
            Gate::Locked => {
                warn!(peer = %peer.0, "login refused: the account is locked");
                return Ok(LogIn::Locked);
            }
        }
        let right = self.is_right(&login, password).await?;
        let peer = peer.0.clone();
        let earlier = begin.earlier.clone();
        let done = self
            .db
            .write(move |c| {
                let account = store::account(c, &login)?;
                let who = account.as_ref().map(|account| account.staff.login.as_str());
                // The account may have been closed while the password was looked at.
                let Some(account) = account.as_ref().filter(|one| right && one.disabled_at.is_none()) else {
                    let failed = AuditEvent::LoginFailed { failures };
                    store::append_audit(c, now, who, Some(&peer), &failed)?;
                    if failures >= LOCK_TRIES {
                        store::append_audit(c, now, who, Some(&peer), &AuditEvent::LoginLocked)?;
                    }
                    return Ok(if failures >= LOCK_TRIES {
                        LogIn::Locked
                    } else {
                        LogIn::Wrong
                    });
                };
                if begin.asks_code && store::asks_second_step(c, &login)? {
                    // Half a login forgives nothing: a stolen password is no way to guess codes for ever.
                    return Ok(LogIn::Code(login));
                }
                store::forgive(c, Guarded::Account(&login))?;
                store::forgive(c, Guarded::Address(&peer))?;
                if let Some(earlier) = &begin.earlier {
                    store::end_session(c, earlier)?;
                }
                if let Some(password) = &begin.password {
                    store::set_password(c, &login, password, now)?;
                }
                let secret = store::open_session(c, &login, Some(&peer), now)?;
                if begin.counter.is_some() {
                    store::set_session_counter(c, &secret, begin.counter)?;
                }
                let event = begin.event.unwrap_or(AuditEvent::LoggedIn {
                    role: account.staff.role,
                });
                store::append_audit(c, now, who, Some(&peer), &event)?;
                info!(login, "logged in");
                Ok(LogIn::In(secret))
            })
            .await?;
        Ok(match done {
            LogIn::Code(login) => LogIn::Code(self.await_code(&login, earlier)),
            other => other,
        })
    }

    /// Hashes at most two passwords at once, so that logins cannot take every core from the queue.
    pub(super) async fn is_right(
        self: &Arc<Self>,
        login: &str,
        password: String,
    ) -> Result<bool, StoreError> {
        if password.chars().count() > SECRET_MAX {
            return Ok(false);
        }
        let _permit = self.hashing.acquire().await.map_err(|_| StoreError::Closed)?;
        let (app, login) = (Arc::clone(self), login.to_owned());
        tokio::task::spawn_blocking(move || {
            let hashed = app.db.read(move |c| store::password_of(c, &login))?;
            store::is_password(hashed.as_ref(), &password)
        })
        .await
        .map_err(|_| StoreError::Closed)?
    }

    /// Hashes a new password off the async threads, two at once at the most.
    pub(super) async fn hash(self: &Arc<Self>, password: String) -> Result<store::Hashed, StoreError> {
        let _permit = self.hashing.acquire().await.map_err(|_| StoreError::Closed)?;
        tokio::task::spawn_blocking(move || store::hash_password(&password))
            .await
            .map_err(|_| StoreError::Closed)?
    }

    /// Ends a session.
    pub async fn log_out(&self, secret: &str, peer: &Peer) -> Result<(), StoreError> {
        let (secret, peer, now) = (secret.to_owned(), peer.0.clone(), self.now());
        self.db
            .write(move |c| {
                let Some(session) = store::session(c, &secret, now)? else {
                    return Ok(());
                };
                store::end_session(c, &secret)?;
                let who = Some(session.staff.login.as_str());
                store::append_audit(c, now, who, Some(&peer), &AuditEvent::LoggedOut)?;
                Ok(())
            })
            .await
    }

    /// Notes the counter a session works at.
    pub async fn choose_counter(
        &self,
        secret: &str,
        counter: Option<CounterNumber>,
    ) -> Result<(), StoreError> {
        let secret = secret.to_owned();
        self.db
            .write(move |c| store::set_session_counter(c, &secret, counter))
            .await
    }

    /// Name of the session's cookie; with HTTPS it is bound to this host.
    pub fn cookie_name(&self) -> &'static str {
        if self.config.behind_https {
            "__Host-ventanilla"
        } else {
            "ventanilla"
        }
    }

    /// The `Set-Cookie` that begins a session, or ends it when there is no secret.
    pub fn cookie(&self, secret: Option<&str>) -> String {
        let secure = if self.config.behind_https { "; Secure" } else { "" };
        let age = if secret.is_some() { SESSION_HOURS * 3600 } else { 0 };
        format!(
            "{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}",
            self.cookie_name(),
            secret.unwrap_or_default()
        )
    }
}

/// How a session begins.
#[derive(Default)]
struct Begin {
    /// Secret of the session it takes the place of.
    earlier: Option<String>,
    /// Whether the second step is asked, where the account has one.
    asks_code: bool,
    /// The counter it goes on at.
    counter: Option<CounterNumber>,
    /// What is put on record, where it is not a plain login.
    event: Option<AuditEvent>,
    /// The password that takes the place of the one that was given.
    password: Option<store::Hashed>,
}

/// The token that each form of a session carries: another site can send a form, but not know this.
///
/// It is made from the session's secret, so it needs no place in the store and ends with the session.
pub fn form_token(secret: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"ventanilla-form-token-1\n");
    hash.update(secret.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The secret in the session's cookie.
pub fn session_cookie<'a>(headers: &'a HeaderMap, app: &OfficeApp) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == app.cookie_name())
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}

/// Whether a changing request comes from our own pages.
pub fn is_same_site(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers
        .get("sec-fetch-site")
        .and_then(|value| value.to_str().ok())
    {
        return site == "same-origin" || site == "none";
    }
    // Browsers of before 2020 send Origin on every POST.
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, origin)| origin == host),
        (None, _) => true,
        (Some(_), None) => false,
    }
}
