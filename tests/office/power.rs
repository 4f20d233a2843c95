//! A power cut on a file system of our own: what was confirmed is there afterwards, and the check has teeth.
//!
//! A small ext4 in a file is mounted and shut down by its own ioctl, which drops all that is not on the block device.
//! With `synchronous=NORMAL` the same check must find losses. Skipped with a word where it cannot be done: it needs
//! root, `mkfs.ext4`, a loop device and `python3` (for the ioctl, which safe Rust does not have).

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ventanilla::clock::random;
use ventanilla::domain::seal::hex;
use ventanilla::store::{Db, Schema};

/// Tells the program to write into the folder after it, and how.
const WRITER: &str = "VENTANILLA_TEST_WRITER";
const CAREFUL: &str = "VENTANILLA_TEST_CAREFUL";
/// Cuts of each kind; one alone may be lucky for `NORMAL`.
const CUTS: u32 = 3;
/// How long it writes before the cut.
const WRITES: Duration = Duration::from_millis(400);

const NOTES: Schema = Schema {
    application_id: 41,
    migrations: &["CREATE TABLE note (id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;"],
};

/// Writes without end where it is started as the writer; otherwise there is nothing to test here.
#[test]
fn the_writer_itself() {
    let Some(folder) = std::env::var_os(WRITER).map(PathBuf::from) else {
        return;
    };
    let path = folder.join("notes.db");
    let end = Instant::now() + Duration::from_secs(30);
    if std::env::var_os(CAREFUL).is_some() {
        let db = Db::open(&path, NOTES).expect("a file").db;
        while Instant::now() < end {
            let id = hex(&random::<16>());
            let row = id.clone();
            let written = db.write_blocking(move |conn| insert(conn, &row));
            written.expect("written");
            say(&id);
        }
    } else {
        drop(Db::open(&path, NOTES).expect("a file"));
        let conn = rusqlite::Connection::open(&path).expect("a file");
        // NORMAL flushes at checkpoints only; rare ones make what a cut takes easy to see.
        conn.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=20000;",
        )
        .expect("set");
        while Instant::now() < end {
            let id = hex(&random::<16>());
            insert(&conn, &id).expect("written");
            say(&id);
        }
    }
}

fn insert(conn: &rusqlite::Connection, id: &str) -> Result<(), ventanilla::store::StoreError> {
    conn.execute("INSERT INTO note VALUES (?1, ?2)", [id, &"x".repeat(500)])?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the line is the acknowledgement")]
fn say(id: &str) {
    use std::io::Write;
    println!("acknowledged {id}");
    let _ = std::io::stdout().flush();
}

fn done(command: &mut Command) -> bool {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A file system in a file, mounted.
struct Disk {
    image: PathBuf,
    at: PathBuf,
}

impl Disk {
    fn new(folder: &Path) -> Option<Self> {
        let disk = Self {
            image: folder.join("disk.img"),
            at: folder.join("disk"),
        };
        std::fs::create_dir_all(&disk.at).ok()?;
        let image = std::fs::File::create(&disk.image).ok()?;
        // Mostly a hole. A full disk would flush what a cut must take.
        image.set_len(1024 * 1024 * 1024).ok()?;
        drop(image);
        let made = done(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&disk.image));
        (made && disk.mount()).then_some(disk)
    }

    fn mount(&self) -> bool {
        done(
            Command::new("mount")
                .args(["-o", "loop"])
                .arg(&self.image)
                .arg(&self.at),
        )
    }

    /// A hand on the plug: what it holds cuts the power at once when told so.
    fn hand(&self) -> Option<Child> {
        // EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH drops all that is not on the block device.
        let script = "import fcntl, os, struct, sys\n\
                      place = os.open(sys.argv[1], os.O_RDONLY)\n\
                      print('ready', flush=True)\n\
                      sys.stdin.readline()\n\
                      fcntl.ioctl(place, 0x8004587d, struct.pack('I', 2))";
        let mut hand = Command::new("python3")
            .args(["-c", script])
            .arg(&self.at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut ready = String::new();
        if let Some(said) = hand.stdout.take() {
            let _ = BufReader::new(said).read_line(&mut ready);
        }
        if ready.trim() == "ready" {
            return Some(hand);
        }
        let _ = hand.kill();
        let _ = hand.wait();
        None
    }

    fn unmount(&self) -> bool {
        done(Command::new("umount").arg(&self.at))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.unmount();
    }
}

/// Writes, cuts, looks; how many were acknowledged and how many of them are gone.
fn cut(disk: &Disk, careful: bool) -> Option<(usize, usize)> {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", "power::the_writer_itself", "--nocapture"])
        .env(WRITER, &disk.at)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if careful {
        command.env(CAREFUL, "1");
    }
    let mut child = command.spawn().expect("the writer starts");
    let lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some(id) = line.strip_prefix("acknowledged ").filter(|id| id.len() == 32) {
                let _ = tell.send(id.to_owned());
            }
        }
    });
    let first = told.recv_timeout(Duration::from_secs(60)).expect("it writes");
    std::thread::sleep(WRITES);
    // Said before the cut: a flush that is under way while the ioctl works may be told of as done, which no plug does.
    let hand = disk.hand();
    let acknowledged: HashSet<String> = told.try_iter().chain([first]).collect();
    let went = hand.is_some_and(|mut hand| {
        drop(hand.stdin.take());
        hand.wait().is_ok_and(|status| status.success())
    });
    let _ = child.kill();
    let _ = child.wait();
    if !went {
        return None;
    }
    if !(disk.unmount() && disk.mount()) {
        return None;
    }
    let opened = Db::open(&disk.at.join("notes.db"), NOTES).expect("opens");
    assert!(opened.quarantined.is_none(), "the file is damaged");
    let there = opened
        .db
        .read(|conn| {
            let mut select = conn.prepare("SELECT id FROM note")?;
            let rows = select.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<HashSet<String>, _>>()?)
        })
        .expect("read");
    drop(opened);
    std::fs::remove_file(disk.at.join("notes.db")).expect("removed");
    Some((acknowledged.len(), acknowledged.difference(&there).count()))
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn nothing_confirmed_is_lost_to_a_power_cut_and_normal_would_lose() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = rustix::process::geteuid().is_root();
    let Some(disk) = root.then(|| Disk::new(folder.path())).flatten() else {
        eprintln!("The power cut is not tried: it needs root, mkfs.ext4 and a loop device");
        return;
    };
    let mut lost_normal = 0;
    for _ in 0..CUTS {
        let (Some((acknowledged, lost)), Some((told, normal))) = (cut(&disk, true), cut(&disk, false)) else {
            eprintln!("The power cut is not tried: this file system cannot be shut down from here");
            return;
        };
        eprintln!("lost {lost} of {acknowledged}; with NORMAL {normal} of {told}");
        assert!(acknowledged > 0);
        assert_eq!(lost, 0, "of {acknowledged} acknowledged");
        lost_normal += normal;
    }
    assert!(lost_normal > 0, "the check finds nothing, so it proves nothing");
}
