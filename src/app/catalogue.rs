//! The published catalogue on a disk: taken from above, believed or refused, and given to those below.
//!
//! It lies there as the one signed file that came, exchanged whole by a rename; nothing of it is ever unpacked.
//! What was installed goes on serving without network and after its day. Begin at [`Shelf`]; [`follow`] is the
//! task of a kiosk or an office, [`routes`] the other end.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::{StartError, Stop};
use crate::clock::Clock;
use crate::config::published::PublishedConfig;
use crate::domain::procedure::Catalogue;
use crate::domain::procedure::bundle::{BUNDLE_MAX, Bundle, BundleError, Manifest, Trust};
use crate::domain::seal::{VerifyingKey, hex};
use crate::sync::credential::Credential;
use crate::sync::gate::Gate;
use crate::sync::server::problem;

/// Where a catalogue is fetched, below the server's address.
pub const PATH: &str = "/v1/catalogue";
/// How often somebody below asks whether there is a new one; an unchanged one costs a few hundred bytes.
const ASK_EVERY: Duration = Duration::from_secs(600);
/// A bundle over a slow mobile line.
const FETCH_WITHIN: Duration = Duration::from_secs(120);

/// Why a catalogue was not installed.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// It is not believed.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// It is signed, but nothing can be done with it.
    #[error("The catalogue of the bundle holds no procedure: {problem}")]
    Empty {
        /// The first thing that is wrong.
        problem: String,
    },
    /// The disk does not work.
    #[error("The catalogue cannot be kept in {path}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Where the one installed catalogue lies.
#[derive(Clone, Debug)]
pub struct Shelf {
    path: PathBuf,
    tenant: String,
    first_keys: Vec<VerifyingKey>,
}

impl Shelf {
    /// The shelf in a role's data folder.
    ///
    /// # Errors
    /// When a key file is not usable.
    pub fn new(data: &Path, config: &PublishedConfig) -> Result<Self, StartError> {
        let first_keys = config
            .keys
            .iter()
            .map(|path| {
                let unusable = |problem: String| StartError::Setup {
                    what: format!("Key file {}", path.display()),
                    problem,
                };
                let text = std::fs::read_to_string(path).map_err(|problem| unusable(problem.to_string()))?;
                VerifyingKey::parse(&text).map_err(|problem| unusable(problem.to_string()))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            path: data.join("catalogue.vcb"),
            tenant: config.tenant.clone(),
            first_keys,
        })
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        std::fs::read(&self.path).ok()
    }

    /// The installed catalogue; nothing where there is none or the disk changed it, and then a later one is taken.
    pub fn installed(&self) -> Option<Bundle> {
        let bytes = self.bytes()?;
        match Bundle::installed(&bytes, &self.first_keys) {
            Ok(bundle) => Some(bundle),
            Err(problem) => {
                warn!(%problem, file = %self.path.display(), "the installed catalogue is not used");
                None
            }
        }
    }

    /// Believes or refuses a bundle, and puts it in the place of the installed one whole or not at all.
    ///
    /// # Errors
    /// Says why it is refused; the installed one stays.
    pub fn install(&self, bytes: &[u8], now: Timestamp) -> Result<Bundle, ShelfError> {
        let installed = self
            .bytes()
            .and_then(|bytes| Bundle::list(&bytes, &self.first_keys).ok());
        let trust = Trust {
            tenant: self.tenant.clone(),
            keys: installed
                .as_ref()
                .map_or_else(|| self.first_keys.clone(), Manifest::publisher_keys),
            installed: installed.map_or(0, |list| list.version),
        };
        let bundle = Bundle::open(bytes, &trust, now)?;
        check(&bundle)?;
        let cannot = |source| ShelfError::Disk {
            path: self.path.clone(),
            source,
        };
        self.put(bytes).map_err(cannot)?;
        Ok(bundle)
    }

    /// [`Shelf::install`], and keeps the bundle for ever: its forms are needed as long as what was filled in with them.
    ///
    /// # Errors
    /// As there.
    pub fn publish(&self, bytes: &[u8], now: Timestamp) -> Result<Bundle, ShelfError> {
        let bundle = self.install(bytes, now)?;
        let path = self.archive().join(format!("{}.vcb", bundle.manifest.version));
        put(&path, bytes).map_err(|source| ShelfError::Disk { path, source })?;
        Ok(bundle)
    }

    /// Every bundle that was published here and is still what was signed.
    pub fn kept(&self) -> Vec<Bundle> {
        let entries = std::fs::read_dir(self.archive()).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| Bundle::installed(&std::fs::read(entry.path()).ok()?, &self.first_keys).ok())
            .collect()
    }

    fn archive(&self) -> PathBuf {
        self.path.with_file_name("catalogues")
    }

    fn put(&self, bytes: &[u8]) -> std::io::Result<()> {
        put(&self.path, bytes)
    }
}

/// Whole or not at all, and on the disk before it returns.
fn put(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let draft = path.with_extension("vcb-new");
    let mut file = std::fs::File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    std::fs::File::open(folder)?.sync_all()
}

/// Whether a kiosk could serve with it.
///
/// # Errors
/// When it holds no procedure.
pub fn check(bundle: &Bundle) -> Result<(), ShelfError> {
    let texts: Vec<(&str, &str)> = bundle
        .files
        .iter()
        .filter(|(name, _)| name.ends_with(".toml"))
        .filter_map(|(name, bytes)| Some((name.as_str(), std::str::from_utf8(bytes).ok()?)))
        .collect();
    let (catalogue, findings) = Catalogue::parse(&texts);
    if catalogue.procedures().is_empty() {
        let first = findings.first().map(ToString::to_string);
        return Err(ShelfError::Empty {
            problem: first.unwrap_or_else(|| "there is no file of procedures".into()),
        });
    }
    Ok(())
}

/// What one question brought.
#[derive(Debug)]
pub enum Fetched {
    /// There is nothing newer.
    Same,
    /// It was installed.
    Installed(Box<Bundle>),
    /// It was refused; the installed one stays.
    Refused(ShelfError),
    /// Nobody answered, or something else than a catalogue.
    NoAnswer,
}

/// Whom to ask.
#[derive(Clone, Debug)]
pub struct Source {
    /// The client.
    pub http: reqwest::Client,
    /// Address of the server above, without a path.
    pub url: String,
    /// Who this device is.
    pub credential: Credential,
}

/// Asks once and installs what is newer and holds.
pub async fn fetch(source: &Source, shelf: &Shelf, now: Timestamp) -> Fetched {
    let mut request = source
        .http
        .get(format!("{}{PATH}", source.url.trim_end_matches('/')))
        .timeout(FETCH_WITHIN);
    if let Some(bytes) = shelf.bytes() {
        request = request.header(header::IF_NONE_MATCH, etag(&bytes));
    }
    let Ok(mut response) = source.credential.send(&source.http, request).await else {
        return Fetched::NoAnswer;
    };
    match response.status() {
        StatusCode::NOT_MODIFIED => return Fetched::Same,
        StatusCode::OK => {}
        _ => return Fetched::NoAnswer,
    }
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= BUNDLE_MAX => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => return Fetched::Refused(BundleError::TooLarge.into()),
            Ok(None) => break,
            Err(_) => return Fetched::NoAnswer,
        }
    }
    match shelf.install(&bytes, now) {
        Ok(bundle) => Fetched::Installed(Box::new(bundle)),
        Err(problem) => Fetched::Refused(problem),
    }
}

/// Keeps asking until told to stop; what is installed comes out of the channel.
///
/// Whoever only gives it on need not listen: what lies on the shelf is what is given.
pub fn follow(source: Source, shelf: Shelf, clock: Clock, stop: Stop) -> mpsc::Receiver<Bundle> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut timer = tokio::time::interval(ASK_EVERY);
        loop {
            tokio::select! {
                () = stop.stopped() => return,
                _ = timer.tick() => {}
            }
            match fetch(&source, &shelf, clock.now()).await {
                Fetched::Same | Fetched::NoAnswer => {}
                Fetched::Installed(bundle) => {
                    info!(version = bundle.manifest.version, "a new catalogue is installed");
                    // Nobody listens where it is only given on.
                    let _ = sender.send(*bundle).await;
                }
                Fetched::Refused(problem) => warn!(%problem, "a catalogue was refused"),
            }
        }
    });
    receiver
}

/// The routes where those below fetch the catalogue.
pub fn routes(shelf: Shelf, gate: Arc<Gate>) -> Router {
    Router::new().route(PATH, get(give)).with_state((shelf, gate))
}

async fn give(
    State((shelf, gate)): State<(Shelf, Arc<Gate>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = gate.admit(&method, &uri, &headers, &[]) {
        return refused.answer();
    }
    let Some(bytes) = shelf.bytes() else {
        return problem(
            StatusCode::NOT_FOUND,
            "no-catalogue",
            "No catalogue is published here; kiosks serve with their own",
        );
    };
    let tag = etag(&bytes);
    let same = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|asked| asked.split(',').any(|one| one.trim() == tag));
    let tag = HeaderValue::from_str(&tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
    let headers = [
        (header::ETAG, tag),
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        ),
    ];
    if same {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, bytes).into_response()
    }
}

fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", hex(&Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests;
