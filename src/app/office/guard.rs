//! Every address names the permission it needs, where its route is written down.
//!
//! A handler is only reached by a caller who holds it; handlers of addresses that do more than one thing ask again
//! with [`Caller::may`]. The list of [`Rule`]s is what the test of roles and routes goes through.
//! Begin at [`Guarded`].

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{self, MethodRouter};
use jiff::SignedDuration;
use subtle::ConstantTimeEq;

use super::OfficeApp;
use super::auth::{Caller, FORM_TOKEN, Peer, form_token, is_same_site};
use super::problem::Problem;
use crate::domain::staff::Permission;
use crate::domain::ticket::KioskId;
use crate::store::{StoreError, office as store};
use crate::sync::gate::{Gate as SyncGate, Refused, TIME_HEADER};

/// Largest form a page of ours sends.
const FORM_MAX: usize = 64 * 1024;
/// Largest body that a kiosk signs here; submissions have a way of their own.
const SIGNED_MAX: usize = 256 * 1024;
/// A session's last use is written at most this often.
const USE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What an address needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// The method.
    pub method: Method,
    /// The address, with `{names}`.
    pub path: &'static str,
    /// Who may use it.
    pub permission: Permission,
}

/// Why a request goes no further.
#[derive(Debug, thiserror::Error)]
pub enum No {
    /// Nobody we know.
    #[error("This needs a session or a token")]
    Unknown,
    /// Known, but the console has locked itself.
    #[error("The session is locked; give the password again")]
    Locked,
    /// Known, but not for this.
    #[error("Your role does not allow this; ask an administrator of the office")]
    Forbidden,
    /// A form of another site.
    #[error("This request came from another site")]
    Foreign,
    /// A form without the token of this session.
    #[error("The page is old or not ours; load it again")]
    Stale,
    /// A device whose signature does not count.
    #[error("{}", .0.title())]
    Device(Refused),
    /// It could not be found out, or not be put on record.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<No> for Problem {
    fn from(no: No) -> Self {
        match no {
            No::Unknown => Self::unauthorized(),
            No::Locked => Self::new(
                axum::http::StatusCode::UNAUTHORIZED,
                "locked",
                No::Locked.to_string(),
            ),
            No::Forbidden | No::Foreign | No::Stale => Self::forbidden(&no.to_string()),
            No::Device(refused) => Self::new(refused.status(), refused.code(), refused.title()),
            No::Store(error) => error.into(),
        }
    }
}

/// Turns a refusal into an answer.
pub type Refuse = fn(&OfficeApp, &Parts, No) -> Response;

fn refuse(_: &OfficeApp, _: &Parts, no: No) -> Response {
    let time = match &no {
        No::Device(refused) => refused.time(),
        No::Unknown | No::Locked | No::Forbidden | No::Foreign | No::Stale | No::Store(_) => None,
    };
    let mut response = Problem::from(no).into_response();
    if let Some(time) = time {
        response.headers_mut().insert(TIME_HEADER, time);
    }
    response
}

/// The token for the forms of a page, handed from the guard to whoever writes it into them.
#[derive(Clone, Debug)]
pub struct FormToken(pub String);

/// Routes, each with what it needs.
pub struct Guarded {
    office: Arc<OfficeApp>,
    refuse: Refuse,
    persons_only: bool,
    rules: Vec<Rule>,
    router: Router<Arc<OfficeApp>>,
}

impl Guarded {
    /// Routes for programs, kiosks and persons; refusals are problems.
    pub fn api(office: &Arc<OfficeApp>) -> Self {
        Self::new(office, refuse, false)
    }

    /// Routes for persons with a browser.
    pub fn pages(office: &Arc<OfficeApp>, refuse: Refuse) -> Self {
        Self::new(office, refuse, true)
    }

    fn new(office: &Arc<OfficeApp>, refuse: Refuse, persons_only: bool) -> Self {
        Self {
            office: Arc::clone(office),
            refuse,
            persons_only,
            rules: Vec::new(),
            router: Router::new(),
        }
    }

    /// A page or a reading.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, Arc<OfficeApp>>,
        T: 'static,
    {
        self.on(Method::GET, path, permission, routing::get(handler))
    }

    /// A change.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, Arc<OfficeApp>>,
        T: 'static,
    {
        self.on(Method::POST, path, permission, routing::post(handler))
    }

    fn on(
        mut self,
        method: Method,
        path: &'static str,
        permission: Permission,
        handler: MethodRouter<Arc<OfficeApp>>,
    ) -> Self {
        let gate = Gate {
            office: Arc::clone(&self.office),
            refuse: self.refuse,
            persons_only: self.persons_only,
            permission,
        };
        self.router = self
            .router
            .route(path, handler.layer(from_fn_with_state(gate, check)));
        self.rules.push(Rule {
            method,
            path,
            permission,
        });
        self
    }

    /// What each address needs, in the order in which they were written down.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The routes.
    pub fn into_router(self) -> Router {
        self.router.with_state(self.office)
    }
}

#[derive(Clone)]
struct Gate {
    office: Arc<OfficeApp>,
    refuse: Refuse,
    persons_only: bool,
    permission: Permission,
}

async fn check(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match gate.admit(&mut parts, body).await {
        Ok((caller, token, body)) => {
            parts.extensions.insert(caller);
            let mut response = next.run(Request::from_parts(parts, body)).await;
            if let Some(token) = token {
                response.extensions_mut().insert(FormToken(token));
            }
            response
        }
        Err(no) => (gate.refuse)(&gate.office, &parts, no),
    }
}

impl Gate {
    async fn admit(&self, parts: &mut Parts, body: Body) -> Result<(Caller, Option<String>, Body), No> {
        // A browser has no bearer token; whoever sends one to a page is a program in the wrong place.
        if self.persons_only && parts.headers.contains_key(header::AUTHORIZATION) {
            return Err(No::Forbidden);
        }
        let mut body = body;
        let known = if SyncGate::is_signed(&parts.headers) {
            let bytes = to_bytes(body, SIGNED_MAX).await.map_err(|_| No::Unknown)?;
            body = Body::from(bytes.clone());
            self.device(parts, &bytes).map(|kiosk| (kiosk, None))
        } else {
            self.office.who(&parts.headers)
        };
        let (caller, secret) = match known {
            Err(No::Unknown | No::Locked) if self.permission.is_public() => (Caller::Anybody, None),
            known => known?,
        };
        let open = self.office.config.open_tickets
            && matches!(caller, Caller::Anybody)
            && matches!(self.permission, Permission::IssueTickets | Permission::SeeTickets);
        if !open {
            caller.may(self.permission)?;
        }
        let reads = parts.method == Method::GET || parts.method == Method::HEAD;
        let token = secret.as_deref().map(form_token);
        let body = match &token {
            Some(token) if !reads && !self.permission.is_public() => {
                if !is_same_site(&parts.headers) {
                    return Err(No::Foreign);
                }
                hold_against(token, &parts.headers, body).await?
            }
            _ => body,
        };
        if let Caller::Person(session) = &caller {
            self.note_use(session, reads, &parts.headers).await?;
        }
        if reads && self.permission.is_recorded() {
            let peer = Peer::of(&parts.extensions, &parts.headers, self.office.config.behind_https);
            self.office
                .record_reading(&caller, &peer, self.permission, &parts.uri)
                .await?;
        }
        Ok((caller, token, body))
    }

    /// The kiosk that signed this.
    fn device(&self, parts: &Parts, body: &[u8]) -> Result<Caller, No> {
        let devices = self.office.devices.get().ok_or(No::Unknown)?;
        let peer = devices
            .gate()
            .admit(&parts.method, &parts.uri, &parts.headers, body)
            .map_err(|refused| match refused {
                Refused::Unknown => No::Unknown,
                other => No::Device(other),
            })?;
        let kiosk = KioskId(peer.id);
        self.office.saw_kiosk(&kiosk);
        Ok(Caller::Kiosk(kiosk))
    }

    /// A page that renews itself, or listens, is not a person who works.
    async fn note_use(&self, session: &store::Session, reads: bool, headers: &HeaderMap) -> Result<(), No> {
        let by_itself = headers.contains_key("x-live")
            || headers
                .get(header::ACCEPT)
                .is_some_and(|accept| accept.as_bytes().starts_with(b"text/event-stream"));
        let used = !reads || !by_itself || headers.contains_key("x-used");
        let (id, now) = (session.id, self.office.now());
        if used && now.duration_since(session.used_at) >= USE_EVERY {
            self.office
                .db
                .write(move |c| store::use_session(c, id, now))
                .await?;
        }
        Ok(())
    }
}

/// Looks for the form's token in a header or in the form itself; the body is handed on as it was.
async fn hold_against(token: &str, headers: &HeaderMap, body: Body) -> Result<Body, No> {
    let fits = |given: &[u8]| bool::from(given.ct_eq(token.as_bytes()));
    if let Some(given) = headers.get(FORM_TOKEN) {
        return if fits(given.as_bytes()) {
            Ok(body)
        } else {
            Err(No::Stale)
        };
    }
    let bytes: Bytes = to_bytes(body, FORM_MAX).await.map_err(|_| No::Stale)?;
    // The token has only characters that a form does not escape.
    let given = bytes.split(|byte| *byte == b'&').find_map(|pair| {
        let (name, value) = pair.split_at_checked(FORM_TOKEN.len())?;
        (name == FORM_TOKEN.as_bytes()).then(|| value.strip_prefix(b"="))?
    });
    match given {
        Some(given) if fits(given) => Ok(Body::from(bytes)),
        _ => Err(No::Stale),
    }
}
