//! Every address of the back office names the right it needs, where its route is written down.
//!
//! The list of [`Rule`]s is what the test of roles and routes goes through. Begin at [`Guarded`].

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::CentralApp;
use crate::app::office::{Problem, is_same_site};
use crate::domain::desk::{DeskRight, DeskRole, may};
use crate::domain::submission::peers::TokenHash;
use crate::store::desk;
use crate::sync::server::bearer;

/// What an address needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// The method.
    pub method: Method,
    /// The address, with `{names}`.
    pub path: &'static str,
    /// Who may use it.
    pub right: DeskRight,
}

/// Who asks: the name on the record, and from where.
#[derive(Clone, Debug)]
pub struct Clerk {
    /// Name of the token.
    pub name: String,
    /// What it may do.
    pub role: DeskRole,
    /// Address it came from.
    pub from: String,
}

impl FromRequestParts<Arc<CentralApp>> for Clerk {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<CentralApp>) -> Result<Self, Problem> {
        // The guard of the address has found out already.
        parts.extensions.get().cloned().ok_or_else(unknown)
    }
}

/// Whom routes are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// Programs, with a bearer token.
    Programs,
    /// Persons with a browser: it asks for the token as a password (Basic) and sends it to this address alone.
    Persons,
}

/// Routes, each with what it needs.
pub struct Guarded {
    central: Arc<CentralApp>,
    who: For,
    rules: Vec<Rule>,
    router: Router<Arc<CentralApp>>,
}

impl Guarded {
    /// No route yet, for programs.
    pub fn new(central: &Arc<CentralApp>) -> Self {
        Self::of(central, For::Programs)
    }

    /// No page yet, for persons with a browser.
    pub fn pages(central: &Arc<CentralApp>) -> Self {
        Self::of(central, For::Persons)
    }

    fn of(central: &Arc<CentralApp>, who: For) -> Self {
        Self {
            central: Arc::clone(central),
            who,
            rules: Vec::new(),
            router: Router::new(),
        }
    }

    /// A reading.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, right: DeskRight, handler: H) -> Self
    where
        H: Handler<T, Arc<CentralApp>>,
        T: 'static,
    {
        self.on(Method::GET, path, right, routing::get(handler))
    }

    /// A change.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, right: DeskRight, handler: H) -> Self
    where
        H: Handler<T, Arc<CentralApp>>,
        T: 'static,
    {
        self.on(Method::POST, path, right, routing::post(handler))
    }

    fn on(
        mut self,
        method: Method,
        path: &'static str,
        right: DeskRight,
        handler: routing::MethodRouter<Arc<CentralApp>>,
    ) -> Self {
        let gate = (Arc::clone(&self.central), right, self.who);
        self.router = self
            .router
            .route(path, handler.layer(from_fn_with_state(gate, check)));
        self.rules.push(Rule { method, path, right });
        self
    }

    /// What each address needs, in the order in which they were written down.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The routes.
    pub fn into_router(self) -> Router {
        self.router.with_state(self.central)
    }
}

async fn check(
    State((central, right, who)): State<(Arc<CentralApp>, DeskRight, For)>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let token = match who {
        For::Programs => bearer(headers).map(|token| Zeroizing::new(token.to_owned())),
        For::Persons => password(headers),
    };
    // A browser sends the password with whatever another site makes it post.
    if who == For::Persons && request.method() != Method::GET && !is_same_site(headers) {
        return Problem::forbidden("This request came from another site").into_response();
    }
    let from = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or_else(|| "unknown".to_owned(), |ConnectInfo(from)| from.ip().to_string());
    match admit(&central, right, token, from).await {
        Ok(clerk) => {
            request.extensions_mut().insert(clerk);
            next.run(request).await
        }
        Err(problem) => {
            let asks = who == For::Persons && problem.status() == StatusCode::UNAUTHORIZED;
            let mut response = problem.into_response();
            if asks {
                let basic = HeaderValue::from_static("Basic realm=\"Ventanilla\", charset=\"UTF-8\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
            }
            response
        }
    }
}

/// The password of `Authorization: Basic`; the user is only a name.
fn password(headers: &HeaderMap) -> Option<Zeroizing<String>> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let bytes = BASE64_STANDARD.decode(text.strip_prefix("Basic ")?.trim()).ok()?;
    let pair = Zeroizing::new(String::from_utf8(bytes).ok()?);
    let (_, secret) = pair.split_once(':')?;
    Some(Zeroizing::new(secret.trim().to_owned()))
}

async fn admit(
    central: &CentralApp,
    right: DeskRight,
    token: Option<Zeroizing<String>>,
    from: String,
) -> Result<Clerk, Problem> {
    let token = token.ok_or_else(unknown)?;
    let hash = TokenHash::of(&token);
    let (name, role) = match central.store.look(move |sql| desk::token_of(sql, hash)).await? {
        Some(token) => (token.name, token.role),
        None => {
            // Every entry is looked at, so the time says nothing about which one it was.
            let of_settings = central
                .staff
                .iter()
                .fold(false, |found, hash| found | hash.fits(&token));
            if !of_settings {
                return Err(unknown());
            }
            (format!("token {}", &hash.to_hex()[..12]), DeskRole::Reader)
        }
    };
    if !may(role, right) {
        return Err(Problem::forbidden(
            "The role of this token does not allow this; ask for one that does",
        ));
    }
    Ok(Clerk { name, role, from })
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "The token is missing or not known here; send Authorization: Bearer with one from `ventanilla central token`",
    )
}
