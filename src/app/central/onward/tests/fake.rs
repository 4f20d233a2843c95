//! An OpenRosa server that keeps what it gets, and misbehaves when told to.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Multipart, Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use md5::{Digest, Md5};

use crate::clock::Clock;
use crate::domain::redacted::Redacted;
use crate::domain::seal::hex;
use crate::sync::openrosa::{Access, Server};

/// What it does at its next turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// What it should.
    Keep,
    /// A status and nothing more.
    Say(u16),
    /// Keeps it and says something else.
    KeepAndSay(u16),
    /// A page of the network, with status 200.
    Login,
    /// Leads elsewhere.
    Redirect,
    /// 503 with `Retry-After`.
    Busy(u32),
    /// Begins a good answer and hangs up.
    Cut,
    /// The same, after it kept it.
    KeepAndCut,
    /// 201 with the digest of something else.
    OtherDigest,
    /// 409 as our own server says it.
    OwnConflict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    Nothing,
    Basic,
    Digest,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) xml: String,
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// One post as it came.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) xml: String,
    pub(super) files: Vec<String>,
    pub(super) incomplete: bool,
    pub(super) length: usize,
}

struct Inner {
    forms: Vec<String>,
    form_key: Option<String>,
    length: usize,
    asks: Asks,
    password: String,
    lookup: bool,
    turns: VecDeque<Turn>,
    heads: VecDeque<Turn>,
    lists: VecDeque<Turn>,
    kept: HashMap<String, Kept>,
    /// Rows that a server would have made, by id and bytes.
    rows: Vec<(String, String)>,
    log: Vec<Post>,
}

#[derive(Clone)]
pub(super) struct Fake {
    address: std::net::SocketAddr,
    inner: Arc<Mutex<Inner>>,
    pub(super) posts: Arc<AtomicUsize>,
    pub(super) requests: Arc<AtomicUsize>,
}

const PASSWORD: &str = "clave secreta";

impl Fake {
    pub(super) async fn start(forms: &[&str]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let fake = Self {
            address: listener.local_addr().expect("an address"),
            inner: Arc::new(Mutex::new(Inner {
                forms: forms.iter().map(|form| (*form).to_owned()).collect(),
                form_key: None,
                length: 1_000_000,
                asks: Asks::Nothing,
                password: PASSWORD.to_owned(),
                lookup: true,
                turns: VecDeque::new(),
                heads: VecDeque::new(),
                lists: VecDeque::new(),
                kept: HashMap::new(),
                rows: Vec::new(),
                log: Vec::new(),
            })),
            posts: Arc::default(),
            requests: Arc::default(),
        };
        let app = Router::new()
            .route("/v1/projects/1/formList", get(list))
            .route("/v1/projects/1/forms/{form}", get(form))
            .route("/v1/projects/1/forms/{form}/submissions/{id}", get(one))
            .route("/v1/projects/1/submission", axum::routing::head(head).post(post))
            .route("/any/formList", get(list))
            .route("/any/submission", axum::routing::head(head).post(post))
            .layer(axum::middleware::from_fn_with_state(fake.clone(), guard))
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    pub(super) fn server(&self, clock: &Clock) -> Server {
        // Under another path it is like any server that is not ODK Central, which cannot be asked.
        let path = if self.with(|inner| inner.lookup) {
            "v1/projects/1"
        } else {
            "any"
        };
        let access = Access {
            url: Redacted::new(format!("http://{}/{path}", self.address)),
            user: Some(("ana".into(), Redacted::new(PASSWORD.to_owned()))),
            authority: None,
            lookup: None,
        };
        Server::new(access, clock.clone()).expect("a server")
    }

    fn with<T>(&self, what: impl FnOnce(&mut Inner) -> T) -> T {
        what(&mut self.inner.lock().expect("not poisoned"))
    }

    pub(super) fn next<const N: usize>(&self, turns: [Turn; N]) {
        self.with(|inner| inner.turns.extend(turns));
    }

    pub(super) fn next_head<const N: usize>(&self, turns: [Turn; N]) {
        self.with(|inner| inner.heads.extend(turns));
    }

    pub(super) fn next_list<const N: usize>(&self, turns: [Turn; N]) {
        self.with(|inner| inner.lists.extend(turns));
    }

    pub(super) fn lists(&self, forms: &[&str]) {
        self.with(|inner| inner.forms = forms.iter().map(|form| (*form).to_owned()).collect());
    }

    pub(super) fn takes(&self, length: usize) {
        self.with(|inner| inner.length = length);
    }

    pub(super) fn asks(&self, asks: Asks) {
        self.with(|inner| inner.asks = asks);
    }

    pub(super) fn changes_password(&self) {
        self.with(|inner| inner.password = "otra".to_owned());
    }

    pub(super) fn encrypts(&self, key: &str) {
        self.with(|inner| inner.form_key = Some(key.to_owned()));
    }

    pub(super) fn cannot_be_asked(&self) {
        self.with(|inner| inner.lookup = false);
    }

    pub(super) fn put(&self, id: &str, xml: &str) {
        let kept = Kept {
            xml: xml.to_owned(),
            files: BTreeMap::new(),
        };
        self.with(|inner| inner.kept.insert(id.to_owned(), kept));
    }

    pub(super) fn kept(&self, id: &str) -> Option<Kept> {
        self.with(|inner| inner.kept.get(id).cloned())
    }

    /// How many rows a server would have made: one for each id and bytes.
    pub(super) fn rows(&self) -> usize {
        self.with(|inner| inner.rows.len())
    }

    pub(super) fn log(&self) -> Vec<Post> {
        self.with(|inner| inner.log.clone())
    }
}

type App = State<Fake>;

async fn guard(State(fake): App, request: Request, next: axum::middleware::Next) -> Response {
    fake.requests.fetch_add(1, Ordering::SeqCst);
    let (asks, password) = fake.with(|inner| (inner.asks, inner.password.clone()));
    let given = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let known = match asks {
        Asks::Nothing => true,
        Asks::Basic => {
            use base64::Engine;
            let text = base64::prelude::BASE64_STANDARD.encode(format!("ana:{password}"));
            given == format!("Basic {text}")
        }
        Asks::Digest => is_digest(given, request.method(), path, &password),
    };
    if known {
        return next.run(request).await;
    }
    let challenge = match asks {
        Asks::Digest => "Digest realm=\"odk\", nonce=\"abc\", qop=\"auth\", algorithm=MD5",
        Asks::Nothing | Asks::Basic => "Basic realm=\"odk\"",
    };
    (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)]).into_response()
}

/// RFC 7616 by hand, so that the client's library is held against something else.
fn is_digest(given: &str, method: &Method, path: &str, password: &str) -> bool {
    let field = |name: &str| {
        given.trim_start_matches("Digest ").split(", ").find_map(|part| {
            let (key, value) = part.split_once('=')?;
            (key.trim() == name).then(|| value.trim_matches('"').to_owned())
        })
    };
    let md5 = |text: String| hex(&Md5::digest(text));
    let (Some(uri), Some(nc), Some(cnonce), Some(response)) =
        (field("uri"), field("nc"), field("cnonce"), field("response"))
    else {
        return false;
    };
    let who = md5(format!("ana:odk:{password}"));
    let what = md5(format!("{method}:{uri}"));
    uri == path && response == md5(format!("{who}:abc:{nc}:{cnonce}:auth:{what}"))
}

/// What it says instead of the right answer; nothing where it says that.
fn instead(turn: Turn) -> Option<Response> {
    Some(match turn {
        Turn::Keep | Turn::KeepAndSay(_) | Turn::KeepAndCut | Turn::OtherDigest => return None,
        Turn::Say(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Turn::Login => (StatusCode::OK, "<html><body>Bienvenido a la red</body></html>").into_response(),
        Turn::Redirect => (StatusCode::FOUND, [("location", "http://portal.example/login")]).into_response(),
        Turn::Busy(seconds) => (
            StatusCode::SERVICE_UNAVAILABLE,
            [("retry-after", seconds.to_string())],
        )
            .into_response(),
        Turn::Cut => cut(),
        Turn::OwnConflict => (StatusCode::CONFLICT, [("x-ventanilla-receipt", "conflict")]).into_response(),
    })
}

/// A good answer that never ends.
fn cut() -> Response {
    let parts: [Result<&str, std::io::Error>; 2] =
        [Ok("<OpenRosa"), Err(std::io::ErrorKind::ConnectionReset.into())];
    (
        StatusCode::CREATED,
        Body::from_stream(futures_util::stream::iter(parts)),
    )
        .into_response()
}

async fn list(State(fake): App) -> Response {
    if let Some(other) = fake.with(|inner| inner.lists.pop_front()).and_then(instead) {
        return other;
    }
    let mut text = String::from("<xforms xmlns='http://openrosa.org/xforms/xformsList'>");
    for form in fake.with(|inner| inner.forms.clone()) {
        let hash = hex(&Md5::digest(xform(&fake, &form)));
        // The address is another one's, as behind a proxy.
        text.push_str(&format!(
            "<xform><formID>{form}</formID><version>3</version><hash>md5:{hash}</hash>\
             <downloadUrl>https://public.example/v1/projects/1/forms/{form}.xml</downloadUrl></xform>"
        ));
    }
    (StatusCode::OK, text + "</xforms>").into_response()
}

fn xform(fake: &Fake, form: &str) -> String {
    let key = fake.with(|inner| inner.form_key.clone());
    let key = key
        .map(|key| format!("<submission base64RsaPublicKey=\"{key}\"/>"))
        .unwrap_or_default();
    format!(
        "<h:html xmlns:h='http://www.w3.org/1999/xhtml'><h:head><model id='{form}'>{key}</model></h:head></h:html>"
    )
}

async fn form(State(fake): App, Path(name): Path<String>) -> String {
    xform(&fake, name.trim_end_matches(".xml"))
}

async fn one(State(fake): App, Path((_, id)): Path<(String, String)>) -> Response {
    match fake.kept(id.trim_end_matches(".xml")) {
        Some(kept) => (StatusCode::OK, kept.xml).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn head(State(fake): App) -> Response {
    if let Some(other) = fake.with(|inner| inner.heads.pop_front()).and_then(instead) {
        return other;
    }
    let length = fake.with(|inner| inner.length);
    (
        StatusCode::NO_CONTENT,
        [("x-openrosa-accept-content-length", length.to_string())],
    )
        .into_response()
}

async fn post(State(fake): App, headers: HeaderMap, mut parts: Multipart) -> Response {
    fake.posts.fetch_add(1, Ordering::SeqCst);
    let (mut xml, mut files, mut incomplete) = (String::new(), BTreeMap::new(), false);
    while let Ok(Some(part)) = parts.next_field().await {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.expect("a part").to_vec();
        match name.as_str() {
            "xml_submission_file" => xml = String::from_utf8(bytes).expect("text"),
            "*isIncomplete*" => incomplete = true,
            _ => {
                files.insert(name, bytes);
            }
        }
    }
    let length = headers
        .get("content-length")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let turn = fake.with(|inner| {
        inner.log.push(Post {
            xml: xml.clone(),
            files: files.keys().cloned().collect(),
            incomplete,
            length: length.unwrap_or(usize::MAX),
        });
        inner.turns.pop_front().unwrap_or(Turn::Keep)
    });
    if let Some(other) = instead(turn) {
        return other;
    }
    let id = xml
        .split("instanceID>")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("an id")
        .to_owned();
    fake.with(|inner| {
        let row = (id.clone(), xml.clone());
        if !inner.rows.contains(&row) {
            inner.rows.push(row);
        }
        let kept = inner.kept.entry(id).or_default();
        kept.xml = xml;
        kept.files.extend(files);
    });
    match turn {
        Turn::KeepAndCut => cut(),
        Turn::KeepAndSay(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Turn::OtherDigest => {
            (StatusCode::CREATED, [("x-ventanilla-receipt", "sha256=00;seq=1")]).into_response()
        }
        _ => (StatusCode::CREATED, "<OpenRosaResponse/>").into_response(),
    }
}
