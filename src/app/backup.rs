//! Copies of a receiver's file that can be proven, and the way back from one.
//!
//! The order is the promise: copy, flush, give it its name, read it back, check it, sign what it is, and only then
//! write down that it exists, so that senders may let go of what is in it.
//! A restore never deletes what it replaces, and begins a new life of the file, so that senders hand in again
//! what the copy lacks. Begin at [`make`] and [`restore`].

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tracing::{error, info, warn};

use super::Stop;
use crate::clock::{Clock, random};
use crate::config::backup::BackupConfig;
use crate::domain::seal::{Signed, SigningKey, VerifyingKey, hex};
use crate::domain::submission::durable::{MANIFEST_DOMAIN, Manifest};
use crate::store::backup::Copied;
use crate::store::{Db, Reserve, Schema, StoreError, backup, lives};

/// The ending of a manifest's name, after that of its copy.
pub const MANIFEST_ENDING: &str = "manifest.json";
/// Fewer copies are never left: the newest may be found damaged on the day it is needed.
const KEPT_MIN: usize = 2;
/// How often the task looks whether a copy is due, and notes how far the file reaches.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Why there is no copy, or no way back from it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder does not work.
    #[error("{path} cannot be used for a backup; check the disk and the permissions of its folder")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database or its copy does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not a manifest of ours.
    #[error(
        "{path} is not a manifest that this server's key signed; give the .{MANIFEST_ENDING} of one of its own copies"
    )]
    Manifest {
        /// The file.
        path: PathBuf,
    },
    /// The copy is not the one that the manifest is about.
    #[error("The copy {path} is not what its manifest says; use an older one")]
    Changed {
        /// The copy.
        path: PathBuf,
    },
    /// Somebody uses the file.
    #[error("The {role} runs on this data folder; stop it before restoring")]
    Running {
        /// `central` or `office`.
        role: &'static str,
    },
}

/// Whose file, and where it lies.
#[derive(Clone, Debug)]
pub struct Source {
    /// `central` or `office`; part of the copy's name.
    pub role: &'static str,
    /// The database.
    pub path: PathBuf,
    /// Its kind.
    pub schema: Schema,
    /// The small file outside it, see [`lives`].
    pub outside: PathBuf,
    /// Held while the role runs.
    pub lock: PathBuf,
}

impl Source {
    /// The file `<role>.db` of the data folder.
    pub fn new(role: &'static str, data: &Path, schema: Schema, outside: Option<&Path>) -> Self {
        let in_data = |ending: &str| data.join(format!("{role}.{ending}"));
        Self {
            role,
            path: in_data("db"),
            schema,
            outside: outside.map_or_else(|| in_data("epoch"), Path::to_owned),
            lock: in_data("lock"),
        }
    }
}

/// A copy that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its manifest.
    pub manifest: PathBuf,
    /// What is in it.
    pub copied: Copied,
    /// Whether senders may let go of what is in it.
    pub counts: bool,
}

/// Makes a copy of `source` in `folder`, checks it, signs what it is, and then lets it count.
///
/// `db` is the open database. With `same_disk` a copy on the disk of the data counts too. Blocks for seconds.
///
/// # Errors
/// When the copy cannot be written or does not check; then senders keep everything as before.
pub fn make(
    source: &Source,
    db: &Db,
    folder: &Path,
    key: &SigningKey,
    now: Timestamp,
    same_disk: bool,
) -> Result<Made, BackupError> {
    let in_folder = |e| file(folder, e);
    fs::create_dir_all(folder).map_err(in_folder)?;
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let draft = folder.join(format!("{}-{stamp}.partial", source.role));
    // What a copy that was interrupted left behind.
    if draft.exists() {
        fs::remove_file(&draft).map_err(|e| file(&draft, e))?;
    }
    backup::copy(&source.path, &draft)?;
    sync(&draft)?;
    let name = free_name(folder, &format!("{}-{stamp}", source.role));
    let copy = folder.join(&name);
    fs::rename(&draft, &copy).map_err(|e| file(&copy, e))?;
    sync(folder)?;

    let copied = backup::inspect(&copy, source.schema.application_id)?;
    let (sha256, bytes) = hash(&copy)?;
    let manifest = Manifest {
        v: 1,
        role: source.role.to_owned(),
        file: name.clone(),
        sha256: sha256.clone(),
        bytes,
        server_epoch: copied.epoch.clone(),
        server_seq: copied.server_seq,
        submissions: copied.submissions,
        made_at: now,
    };
    let signed = Signed::new(MANIFEST_DOMAIN, &manifest, key);
    let path = manifest_of(&copy);
    let text = serde_json::to_string_pretty(&signed).expect("plain data");
    fs::write(&path, text).map_err(|e| file(&path, e))?;
    sync(&path)?;
    sync(folder)?;

    let apart = same_disk || !on_one_disk(&source.path, &copy);
    if !apart {
        warn!(folder = %folder.display(), "the copy is on the disk of the data and does not count");
    }
    let counts = apart && {
        let copied = copied.clone();
        db.write_blocking(move |conn| backup::record(conn, &copied, &sha256, &name, now))?
    };
    Ok(Made {
        manifest: path,
        copied,
        counts,
    })
}

/// Lets go of the oldest copies of this role beyond `keep`, each with its manifest; never of `made`, the newest,
/// whatever the clock said when it was named. Returns how many went.
///
/// # Errors
/// When the folder cannot be read or a copy not removed.
pub fn thin_out(role: &str, folder: &Path, keep: usize, made: &Path) -> Result<usize, BackupError> {
    let mut copies: Vec<PathBuf> = fs::read_dir(folder)
        .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
        .map_err(|e| file(folder, e))?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let manifest = manifest_of(path);
            name.starts_with(&format!("{role}-"))
                && name.ends_with(".db")
                && manifest != made
                && manifest.exists()
        })
        .collect();
    // The name begins with the time in UTC.
    copies.sort();
    let extra = copies.len().saturating_sub(keep.max(KEPT_MIN) - 1);
    for copy in &copies[..extra] {
        fs::remove_file(copy).map_err(|e| file(copy, e))?;
        let manifest = manifest_of(copy);
        fs::remove_file(&manifest).map_err(|e| file(&manifest, e))?;
    }
    Ok(extra)
}

/// What a restore did.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What the copy says of itself.
    pub manifest: Manifest,
    /// Where the file that was there before lies now.
    pub replaced: Option<PathBuf>,
    /// The new life.
    pub epoch: String,
}

/// Puts the copy of `manifest` in the place of `source`'s file and begins a new life.
///
/// # Errors
/// When the role runs, the manifest is not signed by one of `keys`, or the copy is not what it says.
pub fn restore(
    source: &Source,
    manifest: &Path,
    keys: &[VerifyingKey],
    now: Timestamp,
) -> Result<Restored, BackupError> {
    let _alone = Lock::take(&source.lock, source.role)?;
    let not_ours = || BackupError::Manifest {
        path: manifest.to_owned(),
    };
    let bytes = fs::read(manifest).map_err(|e| file(manifest, e))?;
    let signed: Signed = serde_json::from_slice(&bytes).map_err(|_| not_ours())?;
    let said: Manifest = signed.read(MANIFEST_DOMAIN, keys).ok_or_else(not_ours)?;
    let plain_name = Path::new(&said.file).file_name() == Some(said.file.as_ref());
    if said.v != 1 || said.role != source.role || !plain_name {
        return Err(not_ours());
    }
    let copy = manifest.with_file_name(&said.file);
    let changed = || BackupError::Changed { path: copy.clone() };
    if hash(&copy)? != (said.sha256.clone(), said.bytes) {
        return Err(changed());
    }
    let found = backup::inspect(&copy, source.schema.application_id)?;
    if (&found.epoch, found.server_seq) != (&said.server_epoch, said.server_seq) {
        return Err(changed());
    }
    let data = source.path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(data).map_err(|e| file(data, e))?;
    let draft = source.path.with_extension("restoring");
    fs::copy(&copy, &draft).map_err(|e| file(&draft, e))?;
    sync(&draft)?;
    // A new life inside the draft: were it begun after the exchange, power lost in between would leave an old one.
    let epoch = {
        let db = Db::open_with(&draft, source.schema, |_| Reserve::beside(&source.path))?.db;
        db.write_blocking(move |conn| lives::begin_restored(conn, random(), now))?
    };
    let replaced = put_aside(&source.path, now)?;
    fs::rename(&draft, &source.path).map_err(|e| file(&source.path, e))?;
    // The copy is of an earlier run, and that is meant so.
    if source.outside.exists() {
        fs::remove_file(&source.outside).map_err(|e| file(&source.outside, e))?;
    }
    sync(data)?;
    Ok(Restored {
        manifest: said,
        replaced,
        epoch,
    })
}

/// Moves a database and its logs to `replaced/<time>/`; nothing where there is none.
fn put_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
    if !path.exists() {
        return Ok(None);
    }
    let data = path.parent().unwrap_or(Path::new("."));
    let aside = data.join("replaced").join(now.as_microsecond().to_string());
    fs::create_dir_all(&aside).map_err(|e| file(&aside, e))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // The log first: a database without its log is older, a log without its database is nothing.
    for ending in ["-wal", "-shm", ""] {
        let part = format!("{name}{ending}");
        let from = data.join(&part);
        if from.exists() {
            fs::rename(&from, aside.join(&part)).map_err(|e| file(&from, e))?;
        }
    }
    sync(&aside)?;
    Ok(Some(aside))
}

/// Held by whoever uses a role's data; let go of when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: fs::File,
}

impl Lock {
    /// Takes the lock, or says that the role runs.
    ///
    /// # Errors
    /// When another process holds it, or the file cannot be made.
    pub fn take(path: &Path, role: &'static str) -> Result<Self, BackupError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| file(folder, e))?;
        }
        let held = fs::File::create(path).map_err(|e| file(path, e))?;
        match held.try_lock() {
            Ok(()) => Ok(Self { _file: held }),
            Err(fs::TryLockError::WouldBlock) => Err(BackupError::Running { role }),
            Err(fs::TryLockError::Error(e)) => Err(file(path, e)),
        }
    }
}

/// At start: compares the file with what lies outside it; begins a new life where they disagree.
///
/// # Errors
/// When either cannot be written.
pub fn begin(source: &Source, db: &Db, now: Timestamp) -> Result<(), StoreError> {
    // The store's blocking calls are not for a thread of the runtime.
    std::thread::scope(|scope| {
        scope
            .spawn(|| lives::begin(db, &source.outside, random(), now))
            .join()
            .map_err(|_| StoreError::Closed)?
    })?;
    Ok(())
}

/// Keeps making copies until told to stop, and notes outside how far the file reaches.
pub fn start(
    source: Source,
    db: Db,
    config: Option<BackupConfig>,
    key: SigningKey,
    clock: Clock,
    stop: Stop,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let keeper = Arc::new(Keeper {
            source,
            db,
            config,
            key,
        });
        let mut timer = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = stop.stopped() => break,
                _ = timer.tick() => {}
            }
            let (keeper, now) = (Arc::clone(&keeper), clock.now());
            if tokio::task::spawn_blocking(move || keeper.look(now))
                .await
                .is_err()
            {
                error!("a look after the copies ended badly");
            }
        }
        let note = tokio::task::spawn_blocking(move || lives::note(&keeper.db, &keeper.source.outside));
        if !matches!(note.await, Ok(Ok(()))) {
            warn!("how far the data file reaches was not noted outside it");
        }
    })
}

struct Keeper {
    source: Source,
    db: Db,
    config: Option<BackupConfig>,
    key: SigningKey,
}

impl Keeper {
    fn look(&self, now: Timestamp) {
        if let Err(problem) = self.copy_if_due(now) {
            error!(error = %problem, "no copy was made; senders keep everything");
        }
        if let Err(problem) = lives::note(&self.db, &self.source.outside) {
            error!(error = %problem, "how far the data file reaches was not noted outside it");
        }
    }

    fn copy_if_due(&self, now: Timestamp) -> Result<(), BackupError> {
        let Some(config) = &self.config else { return Ok(()) };
        let every = SignedDuration::from_mins(i64::from(config.every_minutes.max(1)));
        let last = self.db.read(backup::last)?;
        // A copy from a time ahead was made by a wrong clock; it does not hold up the next one.
        let due = last.is_none_or(|(at, _)| at > now || now.duration_since(at) >= every);
        if !due {
            return Ok(());
        }
        let made = make(
            &self.source,
            &self.db,
            &config.folder,
            &self.key,
            now,
            config.same_disk,
        )?;
        thin_out(self.source.role, &config.folder, config.keep, &made.manifest)?;
        info!(
            submissions = made.copied.submissions,
            counts = made.counts,
            "a copy was made and checked"
        );
        Ok(())
    }
}

fn manifest_of(copy: &Path) -> PathBuf {
    copy.with_extension(MANIFEST_ENDING)
}

/// The next free name; two copies of one second stand in order.
fn free_name(folder: &Path, stem: &str) -> String {
    (1_u32..)
        .map(|n| format!("{stem}-{n:02}.db"))
        .find(|name| !folder.join(name).exists())
        .expect("there is always another number")
}

fn hash(path: &Path) -> Result<(String, u64), BackupError> {
    let cannot = |e| file(path, e);
    let mut input = fs::File::open(path).map_err(cannot)?;
    let (mut sha, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0_u8; 1 << 16]);
    loop {
        let read = input.read(&mut chunk).map_err(cannot)?;
        if read == 0 {
            return Ok((hex(&sha.finalize()), bytes));
        }
        sha.update(&chunk[..read]);
        bytes += read as u64;
    }
}

fn sync(path: &Path) -> Result<(), BackupError> {
    fs::File::open(path)
        .and_then(|opened| opened.sync_all())
        .map_err(|e| file(path, e))
}

#[cfg(unix)]
fn on_one_disk(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let disk = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
    disk(a) == disk(b)
}

#[cfg(not(unix))]
fn on_one_disk(_: &Path, _: &Path) -> bool {
    true
}

fn file(path: &Path, source: std::io::Error) -> BackupError {
    BackupError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
