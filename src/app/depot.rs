//! New versions of the appliance's system over the network: held at central and at offices, fetched by machines.
//!
//! A version is one signed file. Its list is believed or refused before the large rest is fetched, a fetch that was
//! cut goes on where it stopped, and a file counts only when every part of it is what was signed. Nothing here writes
//! into a slot: that is [`super::update`], at night. Begin at [`fetch`]; [`routes`] is the other end.

use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tracing::{info, warn};

use super::Stop;
use super::catalogue::Source;
use super::update::{self, Machine, UpdateError};
use crate::domain::release::{PREFIX, Release, ReleaseError, is_newer};
use crate::domain::seal::{VerifyingKey, hex};
use crate::sync::gate::Gate;
use crate::sync::server::problem;

/// Where versions are fetched, below the server's address.
pub const PATH: &str = "/v1/system/{name}";
/// Largest version that is fetched.
const BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// A line that brings nothing for this long is dead; what came stays.
const CHUNK_WITHIN: Duration = Duration::from_secs(60);
/// How often a machine asks whether there is a new version.
const ASK_EVERY: Duration = Duration::from_secs(3600);
/// How soon the first time after its start: not while everything else begins.
const ASK_FIRST: Duration = Duration::from_secs(120);
/// What is read from a file at once.
const CHUNK: usize = 256 * 1024;

/// A folder of versions, one a kind of machine.
#[derive(Clone, Debug)]
pub struct Depot {
    folder: PathBuf,
}

/// What one question brought.
#[derive(Debug)]
pub enum Fetched {
    /// There is nothing newer.
    Same,
    /// It is whole and lies in the depot.
    Whole(Box<Release>),
    /// It is refused; nothing of it stays.
    Refused(UpdateError),
    /// The line broke; what came stays, and the next attempt goes on from there.
    Cut,
}

/// What a machine asks for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Kind of machine, such as `kiosk-amd64`.
    pub name: String,
    /// The version that runs, where only a higher one is wanted.
    pub running: Option<String>,
    /// Who may sign.
    pub keys: Vec<VerifyingKey>,
}

/// What this machine itself wants; nothing where it is no appliance, or trusts nobody.
pub fn of_this_machine() -> Option<Wanted> {
    let machine = Machine::default();
    let (profile, version) = machine.identity()?;
    let keys = machine.trusted().ok().filter(|keys| !keys.is_empty())?;
    Some(Wanted {
        name: name_of(&profile, update::architecture()),
        running: Some(version),
        keys,
    })
}

/// Name of a kind of machine.
pub fn name_of(profile: &str, arch: &str) -> String {
    format!("{profile}-{arch}")
}

fn is_kind(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl Depot {
    /// The depot in a role's data folder.
    pub fn new(data: &Path) -> Self {
        Self {
            folder: data.join("systems"),
        }
    }

    /// Where the version for a kind of machine lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.vup"))
    }

    fn part(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.part"))
    }

    /// The version that lies here whole.
    ///
    /// # Errors
    /// When there is none, or it is not signed by one of `keys`.
    pub fn held(&self, name: &str, keys: &[VerifyingKey]) -> Result<Release, UpdateError> {
        update::read_head(&self.path(name), keys)
    }

    /// Takes a version in, after every part of it was checked; whole or not at all.
    ///
    /// # Errors
    /// When it is not what was signed, or the disk does not work.
    pub fn publish(&self, file: &Path, keys: &[VerifyingKey]) -> Result<Release, UpdateError> {
        let release = update::check(file, keys)?;
        let name = name_of(&release.profile, &release.arch);
        let (draft, path) = (self.part(&format!("{name}-published")), self.path(&name));
        let done = std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::copy(file, &draft))
            .and_then(|_| std::fs::File::open(&draft)?.sync_all())
            .and_then(|()| std::fs::rename(&draft, &path));
        done.map_err(|source| UpdateError::Io { path, source })?;
        Ok(release)
    }

    /// The mark of a version for those who have it already: it changes with the signed list, which names every byte.
    async fn tag(&self, path: &Path) -> Option<(String, u64)> {
        let mut file = tokio::fs::File::open(path).await.ok()?;
        let length = file.metadata().await.ok()?.len();
        let mut prefix = [0; PREFIX];
        file.read_exact(&mut prefix).await.ok()?;
        let mut list = vec![0; Release::list_length(&prefix).ok()?];
        file.read_exact(&mut list).await.ok()?;
        Some((format!("\"{}\"", hex(&Sha256::digest(&list))), length))
    }
}

/// Asks once for a version and fetches what is missing of it.
pub async fn fetch(source: &Source, depot: &Depot, wanted: &Wanted) -> Fetched {
    match try_fetch(source, depot, wanted).await {
        Ok(fetched) => fetched,
        Err(problem) => {
            warn!(%problem, "a version of the system cannot be kept");
            Fetched::Cut
        }
    }
}

async fn try_fetch(source: &Source, depot: &Depot, wanted: &Wanted) -> io::Result<Fetched> {
    tokio::fs::create_dir_all(&depot.folder).await?;
    let (part, path) = (depot.part(&wanted.name), depot.path(&wanted.name));
    let url = format!("{}/v1/system/{}", source.url.trim_end_matches('/'), wanted.name);
    let mut request = source.http.get(url);
    if let Some((tag, _)) = depot.tag(&path).await {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    let begun = match depot.tag(&part).await {
        Some((tag, length)) => {
            request = request
                .header(header::RANGE, format!("bytes={length}-"))
                .header(header::IF_RANGE, tag);
            length
        }
        // Less than its list is no beginning.
        None => 0,
    };
    let sent = tokio::time::timeout(CHUNK_WITHIN, source.credential.send(&source.http, request)).await;
    let Ok(Ok(mut response)) = sent else {
        return Ok(Fetched::Cut);
    };
    let goes_on = match response.status() {
        StatusCode::OK => false,
        StatusCode::PARTIAL_CONTENT if begun > 0 => true,
        StatusCode::NOT_MODIFIED | StatusCode::NOT_FOUND => return Ok(Fetched::Same),
        StatusCode::RANGE_NOT_SATISFIABLE => {
            tokio::fs::remove_file(&part).await?;
            return Ok(Fetched::Cut);
        }
        _ => return Ok(Fetched::Cut),
    };
    let mut options = tokio::fs::OpenOptions::new();
    let mut file = options
        .create(true)
        .write(true)
        .read(true)
        .truncate(!goes_on)
        .open(&part)
        .await?;
    let mut length = file.seek(SeekFrom::End(0)).await?;
    let mut whole: Option<u64> = None;
    loop {
        if whole.is_none() {
            match believed(&part, length, wanted) {
                Ok(Some(bytes)) => whole = Some(bytes),
                Ok(None) => {}
                Err(problem) => {
                    tokio::fs::remove_file(&part).await?;
                    return Ok(if is_old(&problem) {
                        Fetched::Same
                    } else {
                        Fetched::Refused(problem)
                    });
                }
            }
        }
        let limit = whole.unwrap_or(BYTES_MAX);
        let chunk = match tokio::time::timeout(CHUNK_WITHIN, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => break,
            Ok(Err(_)) | Err(_) => {
                file.sync_all().await?;
                return Ok(Fetched::Cut);
            }
        };
        length += chunk.len() as u64;
        if length > limit {
            tokio::fs::remove_file(&part).await?;
            return Ok(Fetched::Refused(ReleaseError::Malformed.into()));
        }
        file.write_all(&chunk).await?;
        file.flush().await?;
    }
    file.sync_all().await?;
    drop(file);
    if whole != Some(length) {
        return Ok(Fetched::Cut);
    }
    let (checked, keys) = (part.clone(), wanted.keys.clone());
    let release = tokio::task::spawn_blocking(move || update::check(&checked, &keys)).await?;
    match release {
        Ok(release) => {
            tokio::fs::rename(&part, &path).await?;
            Ok(Fetched::Whole(Box::new(release)))
        }
        Err(problem) => {
            tokio::fs::remove_file(&part).await?;
            Ok(Fetched::Refused(problem))
        }
    }
}

fn is_old(problem: &UpdateError) -> bool {
    matches!(problem, UpdateError::Release(ReleaseError::NotNewer { .. }))
}

/// How long the whole is, once its signed list is here and believed.
fn believed(part: &Path, length: u64, wanted: &Wanted) -> Result<Option<u64>, UpdateError> {
    use std::io::Read;
    let cannot = |source| UpdateError::Io {
        path: part.to_owned(),
        source,
    };
    if length < PREFIX as u64 {
        return Ok(None);
    }
    let mut file = std::fs::File::open(part).map_err(cannot)?;
    let mut prefix = [0; PREFIX];
    file.read_exact(&mut prefix).map_err(cannot)?;
    let list_bytes = Release::list_length(&prefix)?;
    if length < (PREFIX + list_bytes) as u64 {
        return Ok(None);
    }
    let mut list = vec![0; list_bytes];
    file.read_exact(&mut list).map_err(cannot)?;
    let release = Release::open(&list, &wanted.keys)?;
    if name_of(&release.profile, &release.arch) != wanted.name {
        return Err(ReleaseError::OtherMachine {
            found: name_of(&release.profile, &release.arch),
            here: wanted.name.clone(),
        }
        .into());
    }
    if let Some(running) = &wanted.running
        && !is_newer(&release.version, running)
    {
        return Err(ReleaseError::NotNewer {
            offered: release.version,
            running: running.clone(),
        }
        .into());
    }
    let parts: u64 = release.parts.iter().map(|part| part.bytes).sum();
    Ok(Some((PREFIX + list_bytes) as u64 + parts))
}

/// Keeps asking until told to stop.
pub fn follow(source: Source, depot: Depot, wanted: Vec<Wanted>, stop: Stop) {
    tokio::spawn(async move {
        let mut pause = ASK_FIRST;
        loop {
            tokio::select! {
                () = stop.stopped() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = ASK_EVERY;
            for one in &wanted {
                match fetch(&source, &depot, one).await {
                    Fetched::Same => {}
                    Fetched::Whole(release) => {
                        info!(version = %release.version, "a new version of the system is here; it waits for the night");
                    }
                    Fetched::Refused(problem) => warn!(%problem, "a version of the system is refused"),
                    Fetched::Cut => pause = ASK_FIRST,
                }
            }
        }
    });
}

/// The routes where those below fetch versions.
pub fn routes(depot: Depot, gate: Arc<Gate>) -> Router {
    Router::new().route(PATH, get(give)).with_state((depot, gate))
}

async fn give(
    State((depot, gate)): State<(Depot, Arc<Gate>)>,
    axum::extract::Path(name): axum::extract::Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = gate.admit(&method, &uri, &headers, &[]) {
        return refused.answer();
    }
    let path = depot.path(&name);
    let held = if is_kind(&name) {
        depot.tag(&path).await
    } else {
        None
    };
    let Some((tag, length)) = held else {
        return problem(
            StatusCode::NOT_FOUND,
            "no-system",
            "No version of the system for this kind of machine is published here",
        );
    };
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let tagged = [(header::ETAG, tag.clone())];
    if text(header::IF_NONE_MATCH).is_some_and(|known| known == tag) {
        return (StatusCode::NOT_MODIFIED, tagged).into_response();
    }
    let from = text(header::RANGE)
        .filter(|_| text(header::IF_RANGE).is_none_or(|known| known == tag))
        .and_then(|range| {
            range
                .strip_prefix("bytes=")?
                .strip_suffix('-')?
                .parse::<u64>()
                .ok()
        });
    if from.is_some_and(|from| from > length) {
        return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    }
    match stream(&path, from.unwrap_or(0)).await {
        Ok(body) => {
            let mut response = (tagged, body).into_response();
            let headers = response.headers_mut();
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/octet-stream"),
            );
            headers.insert(
                header::CONTENT_LENGTH,
                HeaderValue::from(length - from.unwrap_or(0)),
            );
            headers.insert(
                header::CACHE_CONTROL,
                HeaderValue::from_static("private, no-cache"),
            );
            if let Some(from) = from {
                let range = format!("bytes {from}-{}/{length}", length.saturating_sub(1));
                if let Ok(range) = HeaderValue::from_str(&range) {
                    headers.insert(header::CONTENT_RANGE, range);
                }
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            }
            response
        }
        Err(error) => {
            warn!(%error, "a version of the system cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn stream(path: &Path, from: u64) -> io::Result<Body> {
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(SeekFrom::Start(from)).await?;
    let chunks = futures_util::stream::try_unfold(file, async |mut file: tokio::fs::File| {
        let mut chunk = vec![0; CHUNK];
        let size = file.read(&mut chunk).await?;
        chunk.truncate(size);
        Ok::<_, io::Error>((size > 0).then_some((chunk, file)))
    });
    Ok(Body::from_stream(chunks))
}

#[cfg(test)]
mod tests;
