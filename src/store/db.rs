//! One SQLite file with one writer thread that commits in groups.
//!
//! A write is a closure over an open transaction. The writer takes all that wait, runs each in a savepoint of
//! one `BEGIN IMMEDIATE`, commits once, and only then answers each caller.
//! Readers have a connection of their own and never block the writer.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::sync::oneshot;
use tracing::{error, warn};

use super::{Reserve, StoreError};

/// The tables of one kind of file, as a list of migrations that only ever grows.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// SQLite's `application_id`, so that a kiosk never opens an office's file.
    pub application_id: i32,
    /// SQL of each step; step `n` brings `user_version` from `n` to `n + 1`.
    pub migrations: &'static [&'static str],
}

/// A file that was opened, and what had to be done for it.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub db: Db,
    /// Where a damaged predecessor was put aside, never deleted.
    pub quarantined: Option<PathBuf>,
    /// Random name of this file's life; a new one after a quarantine.
    pub epoch: String,
}

/// A handle to the writer and the reader; cheap to clone.
///
/// The last one to go waits for the writer to finish what was given to it.
#[derive(Clone, Debug)]
pub struct Db {
    writer: Arc<Writer>,
    reader: Option<Arc<Mutex<Connection>>>,
    reserve: Option<Arc<Reserve>>,
}

#[derive(Debug)]
struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

type Finish = Box<dyn FnOnce(Result<(), Fate>) + Send>;
type Job = Box<dyn FnOnce(&Connection) -> (bool, Finish) + Send>;

#[derive(Clone, Copy)]
enum Fate {
    Full,
    Broken,
}

/// How many waiting writes share one commit.
const GROUP_MAX: usize = 256;

/// Statements that a connection keeps read.
const STATEMENTS: usize = 64;

impl Db {
    /// Opens the file at `path`, creating it if it is not there.
    ///
    /// A file that fails its check is moved to `quarantine/` beside it and a new one is begun.
    pub fn open(path: &Path, schema: Schema) -> Result<Opened, StoreError> {
        Self::open_with(path, schema, Reserve::beside)
    }

    /// [`Db::open`] with another reserve for a full disk.
    pub fn open_with(
        path: &Path,
        schema: Schema,
        reserve: impl FnOnce(&Path) -> Reserve,
    ) -> Result<Opened, StoreError> {
        let cannot = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|e| cannot(e.into()))?;
        let mut quarantined = None;
        let connection = match connect(path, schema) {
            Ok(connection) => connection,
            Err(Unusable::Damaged(why)) => {
                let aside = quarantine(path).map_err(|e| cannot(e.into()))?;
                error!(file = %path.display(), aside = %aside.display(), why, "damaged data file put aside");
                quarantined = Some(aside);
                connect(path, schema).map_err(|e| e.into_store(path))?
            }
            Err(other) => return Err(other.into_store(path)),
        };
        sync_folder(folder).map_err(|e| cannot(e.into()))?;
        let epoch = epoch(&connection)?;
        let reader = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        reader.execute_batch("PRAGMA busy_timeout=5000; PRAGMA trusted_schema=OFF;")?;
        let db = Self::start(connection, Some(reader), Some(Arc::new(reserve(path))));
        Ok(Opened {
            db,
            quarantined,
            epoch,
        })
    }

    /// [`Db::open`] for a file that must be there already.
    ///
    /// # Errors
    /// When there is none, or it is damaged: then nothing is moved and nothing begun.
    pub fn open_existing(path: &Path, schema: Schema) -> Result<Self, StoreError> {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .and_then(|found| found.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)));
        match connection {
            Ok(verdict) if verdict == "ok" => Ok(Self::open(path, schema)?.db),
            Ok(verdict) => Err(Unusable::Damaged(verdict).into_store(path)),
            Err(e) => Err(StoreError::Open {
                path: path.to_owned(),
                source: e.into(),
            }),
        }
    }

    /// A store in memory, for tests of what is above it.
    pub fn memory(schema: Schema) -> Result<Opened, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        migrate(&mut connection, Path::new(":memory:"), schema)?;
        let epoch = epoch(&connection)?;
        Ok(Opened {
            db: Self::start(connection, None, None),
            quarantined: None,
            epoch,
        })
    }

    fn start(connection: Connection, reader: Option<Connection>, reserve: Option<Arc<Reserve>>) -> Self {
        let (jobs, waiting) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("store-writer".into())
            .spawn({
                let reserve = reserve.clone();
                move || write_loop(connection, &waiting, reserve.as_deref())
            })
            .expect("a thread can be started at start-up");
        let writer = Arc::new(Writer {
            jobs: Some(jobs),
            thread: Some(thread),
        });
        Self {
            writer,
            reader: reader.map(|c| Arc::new(Mutex::new(c))),
            reserve,
        }
    }

    /// Whether the disk has room for something new; what is under way may go on all the same.
    pub fn has_room(&self) -> bool {
        self.reserve.as_ref().is_none_or(|reserve| reserve.has_room())
    }

    /// Runs `work` in a transaction and returns once it is on the disk.
    ///
    /// When `work` fails, nothing of it stays. `Full` means nothing was saved; `Broken` means nobody knows.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.write_then(work, |_| ()).await
    }

    /// [`Db::write`], with `then` as soon as it is on the disk and before the answer, also when nobody waits for one.
    ///
    /// The writer itself runs it, in the order of the writes; so it must be short and must not wait for a write.
    pub async fn write_then<T, F, N>(&self, work: F, then: N) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        N: FnOnce(&T) + Send + 'static,
    {
        self.submit(work, then)?.await.map_err(|_| StoreError::Closed)?
    }

    /// [`Db::write`] for a thread that is not part of the async runtime.
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.submit(work, |_| ())?
            .blocking_recv()
            .map_err(|_| StoreError::Closed)?
    }

    fn submit<T, F, N>(
        &self,
        work: F,
        then: N,
    ) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        N: FnOnce(&T) + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = work(connection);
            let keep = result.is_ok();
            let finish: Finish = Box::new(move |fate| {
                let result = match (result, fate) {
                    (Ok(_), Err(Fate::Full)) => Err(StoreError::Full),
                    (Ok(_), Err(Fate::Broken)) => Err(StoreError::Broken),
                    (result, _) => result,
                };
                if let Ok(value) = &result {
                    then(value);
                }
                // The caller may have gone away; the commit stands all the same.
                let _ = answer.send(result);
            });
            (keep, finish)
        });
        let jobs = self.writer.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(job).map_err(|_| StoreError::Closed)?;
        Ok(answered)
    }

    /// Reads with a connection of its own; keep it short, a long reader lets the write-ahead log grow.
    pub fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        match &self.reader {
            Some(reader) => work(&reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner)),
            None => {
                let answered = self.submit(work, |_| ())?;
                thread::scope(|scope| scope.spawn(|| answered.blocking_recv()).join())
                    .map_err(|_| StoreError::Closed)?
                    .map_err(|_| StoreError::Closed)?
            }
        }
    }
}

fn write_loop(mut connection: Connection, jobs: &mpsc::Receiver<Job>, reserve: Option<&Reserve>) {
    let mut broken = false;
    let mut waiting: VecDeque<Job> = VecDeque::new();
    while let Some(first) = waiting.pop_front().or_else(|| jobs.recv().ok()) {
        waiting.push_front(first);
        let room = GROUP_MAX.saturating_sub(waiting.len());
        waiting.extend(jobs.try_iter().take(room));
        let mut finishes: Vec<Finish> = Vec::with_capacity(waiting.len());
        let outcome = if broken {
            waiting.clear();
            Err(None)
        } else {
            run_group(&mut connection, &mut waiting, &mut finishes)
        };
        let fate = match outcome {
            Ok(Committed::Yes) => Ok(()),
            Ok(Committed::RolledBack) => {
                warn!("disk full: a group of writes was rolled back");
                Err(Fate::Full)
            }
            Err(Some(e)) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => {
                warn!("disk full: a commit was refused and rolled back");
                Err(Fate::Full)
            }
            Err(problem) => {
                // After a failed fsync the page cache may lie: never retry the same commit on this connection.
                if let Some(e) = problem {
                    error!(error = %e, "the disk refused a commit; the store is closed until a restart");
                }
                broken = true;
                Err(Fate::Broken)
            }
        };
        if let Some(reserve) = reserve {
            match fate {
                Ok(()) => reserve.restore(),
                // With the room given up, the log can be moved into the database and things let go of.
                Err(Fate::Full) if reserve.release() => {
                    let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);");
                }
                Err(Fate::Full | Fate::Broken) => {}
            }
        }
        for finish in finishes {
            finish(fate);
        }
    }
    let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);");
}

enum Committed {
    Yes,
    /// SQLite gave the whole transaction up by itself, as it may when the disk is full.
    RolledBack,
}

/// Runs what waits in one transaction; what was not begun when it was given up still waits.
fn run_group(
    connection: &mut Connection,
    waiting: &mut VecDeque<Job>,
    finishes: &mut Vec<Finish>,
) -> Result<Committed, Option<rusqlite::Error>> {
    let mut tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    while let Some(job) = waiting.pop_front() {
        let savepoint = tx.savepoint()?;
        let (keep, finish) = job(&savepoint);
        finishes.push(finish);
        if savepoint.is_autocommit() {
            return Ok(Committed::RolledBack);
        }
        // A dropped savepoint is rolled back.
        if keep {
            savepoint.commit()?;
        }
    }
    tx.commit()?;
    Ok(Committed::Yes)
}

enum Unusable {
    Damaged(String),
    Store(StoreError),
}

impl Unusable {
    fn into_store(self, path: &Path) -> StoreError {
        match self {
            Self::Damaged(why) => StoreError::Open {
                path: path.to_owned(),
                source: why.into(),
            },
            Self::Store(e) => e,
        }
    }
}

impl From<StoreError> for Unusable {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

fn connect(path: &Path, schema: Schema) -> Result<Connection, Unusable> {
    let opened = |e: rusqlite::Error| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            Unusable::Damaged(e.to_string())
        }
        _ => Unusable::Store(StoreError::Open {
            path: path.to_owned(),
            source: e.into(),
        }),
    };
    let mut connection = Connection::open(path).map_err(opened)?;
    // A batch goes through more statements than the library keeps by itself, and each would be read anew.
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    settle(&connection, path).map_err(|e| match e {
        StoreError::Sqlite(e) => opened(e),
        other => Unusable::Store(other),
    })?;
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(opened)?;
    if verdict != "ok" {
        return Err(Unusable::Damaged(verdict));
    }
    let found: i32 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(opened)?;
    if found != 0 && found != schema.application_id {
        let source = format!("it belongs to another part of Ventanilla (application_id {found})").into();
        return Err(Unusable::Store(StoreError::Open {
            path: path.to_owned(),
            source,
        }));
    }
    migrate(&mut connection, path, schema)?;
    Ok(connection)
}

/// Sets the durability pragmas and reads them back.
///
/// The log may grow to 4,000 pages (16 MB) before it is moved into the database, and keeps its length afterwards:
/// a commit into room that is there already is flushed without a change of the file's size.
fn settle(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    connection.execute_batch(
        "PRAGMA busy_timeout=5000;
         PRAGMA journal_mode=WAL;
         PRAGMA synchronous=FULL;
         PRAGMA foreign_keys=ON;
         PRAGMA trusted_schema=OFF;
         PRAGMA cell_size_check=ON;
         PRAGMA secure_delete=ON;
         PRAGMA temp_store=MEMORY;
         PRAGMA wal_autocheckpoint=4000;
         PRAGMA journal_size_limit=33554432;",
    )?;
    for (pragma, wanted) in [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("foreign_keys", "1"),
        ("secure_delete", "1"),
    ] {
        let found = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| {
            row.get::<_, rusqlite::types::Value>(0).map(|value| match value {
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Integer(n) => n.to_string(),
                other => format!("{other:?}"),
            })
        })?;
        if found != wanted {
            return Err(StoreError::Pragma {
                path: path.to_owned(),
                pragma,
                wanted,
                found,
            });
        }
    }
    Ok(())
}

/// Brings the tables to the newest form in one transaction, after a copy of what was there.
fn migrate(connection: &mut Connection, path: &Path, schema: Schema) -> Result<(), StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(schema.migrations.len()).expect("there are few migrations");
    if found > known {
        return Err(StoreError::TooNew {
            path: path.to_owned(),
            found,
            known,
        });
    }
    if found == known {
        return Ok(());
    }
    if found > 0 {
        let copy = path.with_extension(format!("before-{known}.db"));
        if !copy.exists() {
            connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
        }
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if found == 0 {
        tx.execute_batch(&format!(
            "PRAGMA application_id={};
             CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;",
            schema.application_id
        ))?;
        let epoch: String = crate::clock::random::<16>()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        tx.execute("INSERT INTO meta (key, value) VALUES ('epoch', ?1)", [epoch])?;
    }
    let done = usize::try_from(found).unwrap_or(0);
    for step in &schema.migrations[done..] {
        tx.execute_batch(step)?;
    }
    tx.execute_batch(&format!("PRAGMA user_version={known}"))?;
    tx.commit()?;
    Ok(())
}

fn epoch(connection: &Connection) -> Result<String, StoreError> {
    Ok(connection.query_row("SELECT value FROM meta WHERE key='epoch'", [], |row| row.get(0))?)
}

fn quarantine(path: &Path) -> std::io::Result<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let stamp = crate::clock::Clock::System.now().as_microsecond();
    let aside = folder.join("quarantine").join(stamp.to_string());
    std::fs::create_dir_all(&aside)?;
    let name = path.file_name().unwrap_or_default();
    for suffix in ["", "-wal", "-shm"] {
        let mut part = name.to_owned();
        part.push(suffix);
        let from = folder.join(&part);
        if from.exists() {
            std::fs::rename(from, aside.join(&part))?;
        }
    }
    sync_folder(folder)?;
    Ok(aside)
}

/// Makes a new file's name durable too.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTES: Schema = Schema {
        application_id: 7,
        migrations: &["CREATE TABLE note (text TEXT NOT NULL UNIQUE) STRICT;"],
    };

    fn add(db: &Db, text: &'static str) -> Result<(), StoreError> {
        db.write_blocking(move |c| {
            c.execute("INSERT INTO note VALUES (?1)", [text])?;
            Ok(())
        })
    }

    fn notes(db: &Db) -> i64 {
        db.read(|c| Ok(c.query_row("SELECT count(*) FROM note", [], |row| row.get(0))?))
            .expect("count")
    }

    #[test]
    fn a_failed_write_leaves_nothing_and_the_next_one_works() {
        let opened = Db::memory(NOTES).expect("open");
        add(&opened.db, "uno").expect("first");
        assert!(matches!(add(&opened.db, "uno"), Err(StoreError::Conflict(_))));
        add(&opened.db, "dos").expect("second");
        assert_eq!(notes(&opened.db), 2);
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_a_new_epoch_begins() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("notes.db");
        let first = Db::open(&path, NOTES).expect("open").epoch;
        // The writer thread of the first handle has let go once its channel closed.
        std::fs::write(
            &path,
            b"this is no database, though it is long enough to be looked at closely",
        )
        .expect("damage");
        let _ = std::fs::remove_file(folder.path().join("notes.db-wal"));
        let opened = Db::open(&path, NOTES).expect("open again");
        let aside = opened.quarantined.expect("put aside");
        assert!(aside.join("notes.db").exists());
        assert_ne!(opened.epoch, first);
    }

    #[test]
    fn a_full_disk_refuses_and_leaves_nothing_half_saved() {
        let folder = tempfile::tempdir().expect("folder");
        let db = Db::open(&folder.path().join("notes.db"), NOTES).expect("open").db;
        add(&db, "before").expect("room");
        let limit = |pages: u32| {
            db.write_blocking(move |c| {
                c.query_row(&format!("PRAGMA max_page_count={pages}"), [], |_| Ok(()))?;
                Ok(())
            })
            .expect("a limit");
        };
        // SQLite answers a file that may not grow as it answers a disk that has no room.
        limit(1);
        let refused = db.write_blocking(|c| {
            c.execute("INSERT INTO note VALUES ('small')", [])?;
            c.execute("INSERT INTO note VALUES (?1)", ["x".repeat(100_000)])?;
            Ok(())
        });
        assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
        assert_eq!(notes(&db), 1, "nothing of the refused write stays");
        limit(100_000);
        add(&db, "after").expect("room again");
        assert_eq!(notes(&db), 2);
    }

    #[test]
    fn another_roles_file_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("notes.db");
        drop(Db::open(&path, NOTES).expect("open"));
        let other = Schema {
            application_id: 8,
            ..NOTES
        };
        let error = Db::open(&path, other).expect_err("refused");
        assert!(error.to_string().contains("notes.db"), "{error}");
    }
}
