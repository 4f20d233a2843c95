//! Who is asking: a person with a session, a program with a token, a kiosk, or anybody.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;
use tracing::{info, warn};

use super::OfficeApp;
use super::problem::Problem;
use crate::config::office::token_hash;
use crate::domain::ticket::{CounterNumber, KioskId};
use crate::store::StoreError;
use crate::store::office::{self as store, Role, SESSION_HOURS, Session, Staff};

/// Failed logins in a row that close a name for [`LOGIN_PAUSE`].
const LOGIN_TRIES: u32 = 5;
/// Long enough to make guessing useless, short enough for someone who mistyped.
const LOGIN_PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// Who sent a request.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A person with a living session.
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

    /// A supervisor.
    pub fn supervisor(&self) -> Result<&Staff, Problem> {
        let staff = self.staff()?;
        match staff.role {
            Role::Supervisor => Ok(staff),
            Role::Agent => Err(Problem::forbidden("Only a supervisor may do this")),
        }
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

    async fn from_request_parts(parts: &mut Parts, app: &Arc<OfficeApp>) -> Result<Self, Problem> {
        if let Some(token) = bearer(&parts.headers) {
            return app.caller_of_token(token);
        }
        let Some(secret) = session_cookie(&parts.headers, app) else {
            return Ok(Self::Anybody);
        };
        if parts.method != Method::GET && parts.method != Method::HEAD && !is_same_site(&parts.headers) {
            return Err(Problem::forbidden("This request came from another site"));
        }
        Ok(app.session(secret)?.map_or(Self::Anybody, Self::Person))
    }
}

impl OfficeApp {
    fn caller_of_token(&self, token: &str) -> Result<Caller, Problem> {
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
            .ok_or_else(Problem::unauthorized)
    }

    /// The living session behind a cookie.
    pub fn session(&self, secret: &str) -> Result<Option<Session>, StoreError> {
        let (secret, now) = (secret.to_owned(), self.now());
        self.db.read(move |c| store::session(c, &secret, now))
    }

    /// Checks a password and begins a session; `None` if the password is wrong or was wrong too often.
    pub async fn log_in(
        self: &Arc<Self>,
        login: &str,
        password: String,
    ) -> Result<Option<String>, StoreError> {
        let now = self.now();
        if self.is_login_closed(login, now) {
            warn!(login, "login refused: too many wrong passwords");
            return Ok(None);
        }
        let app = Arc::clone(self);
        let name = login.to_owned();
        let staff = tokio::task::spawn_blocking(move || {
            app.db.read(move |c| store::verify_password(c, &name, &password))
        })
        .await
        .map_err(|_| StoreError::Closed)??;
        if staff.is_none() {
            let mut logins = self.logins();
            // Names nobody has are remembered too, but never without end.
            if logins.len() > 1000 {
                logins.clear();
            }
            let tries = logins.entry(login.to_owned()).or_insert((0, now));
            *tries = (tries.0 + 1, now);
            return Ok(None);
        }
        self.logins().remove(login);
        let name = login.to_owned();
        let secret = self.db.write(move |c| store::open_session(c, &name, now)).await?;
        info!(login, "logged in");
        Ok(Some(secret))
    }

    fn is_login_closed(&self, login: &str, now: Timestamp) -> bool {
        self.logins()
            .get(login)
            .is_some_and(|(tries, last)| *tries >= LOGIN_TRIES && now.duration_since(*last) < LOGIN_PAUSE)
    }

    /// Ends a session.
    pub async fn log_out(&self, secret: &str) -> Result<(), StoreError> {
        let secret = secret.to_owned();
        self.db.write(move |c| store::end_session(c, &secret)).await
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
