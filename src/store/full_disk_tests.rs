//! A disk that is really full: a small file system of its own. Needs root and is skipped with a word otherwise.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

const NOTES: Schema = Schema {
    application_id: 7,
    migrations: &["CREATE TABLE note (n INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"],
};
const DISK: u64 = 64 << 20;

/// A mounted ext4 of [`DISK`] bytes, taken away again at the end.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn new() -> Option<Self> {
        let disk = Self {
            folder: tempfile::tempdir().expect("folder"),
        };
        let image = disk.folder.path().join("image");
        std::fs::File::create(&image)
            .and_then(|file| file.set_len(DISK))
            .expect("an image");
        std::fs::create_dir(disk.path()).expect("a folder");
        let run = |program: &str, arguments: &[&std::ffi::OsStr]| {
            Command::new(program)
                .args(arguments)
                .output()
                .is_ok_and(|done| done.status.success())
        };
        let made = run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), image.as_os_str()])
            && run(
                "mount",
                &[
                    "-o".as_ref(),
                    "loop".as_ref(),
                    image.as_os_str(),
                    disk.path().as_os_str(),
                ],
            );
        if !made {
            eprintln!("the full disk is not tried: no root, or no loop devices");
            return None;
        }
        Some(disk)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).output();
    }
}

fn add(db: &Db) -> Result<(), StoreError> {
    db.write_blocking(|conn| {
        conn.execute("INSERT INTO note (body) VALUES (randomblob(65536))", [])?;
        Ok(())
    })
}

fn count(db: &Db) -> i64 {
    db.read(|conn| Ok(conn.query_row("SELECT count(*) FROM note", [], |row| row.get(0))?))
        .expect("a count")
}

fn open(folder: &Path) -> Db {
    Db::open_with(&folder.join("x.db"), NOTES, |path| {
        Reserve::new(path, 16 << 20, 1 << 20)
    })
    .expect("opens")
    .db
}

#[test]
fn a_full_disk_loses_nothing_and_things_can_be_let_go_of() {
    let Some(disk) = SmallDisk::new() else { return };
    let db = open(&disk.path());
    assert!(db.has_room());
    let mut acknowledged = 0;
    let refused = loop {
        match add(&db) {
            Ok(()) => acknowledged += 1,
            Err(problem) => break problem,
        }
        assert!(acknowledged < 2000, "the disk is never full");
    };
    assert!(matches!(refused, StoreError::Full), "{refused}");
    assert!(!db.has_room(), "nobody new is let in");
    assert_eq!(
        count(&db),
        acknowledged,
        "what was acknowledged is there, and nothing else"
    );
    let gone = db
        .write_blocking(|conn| Ok(conn.execute("DELETE FROM note WHERE n % 2 = 0", [])?))
        .expect("on a full disk things can be let go of");
    assert!(gone > 0);
    add(&db).expect("and what is under way comes to its end");
    let left = count(&db);
    drop(db);
    let db = open(&disk.path());
    assert_eq!(count(&db), left);
}

#[test]
fn a_disk_that_became_read_only_refuses_and_keeps_what_it_has() {
    let Some(disk) = SmallDisk::new() else { return };
    let db = open(&disk.path());
    add(&db).expect("room");
    let remounted = Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(disk.path())
        .output()
        .is_ok_and(|done| done.status.success());
    if !remounted {
        return;
    }
    assert!(
        add(&db).is_err(),
        "nothing is acknowledged that is not on the disk"
    );
    drop(db);
    let opened = Db::open_with(&disk.path().join("x.db"), NOTES, |path| Reserve::new(path, 0, 0));
    assert!(opened.is_err(), "and nothing is put aside or begun anew");
    let writable = Command::new("mount")
        .args(["-o", "remount,rw"])
        .arg(disk.path())
        .output();
    assert!(writable.is_ok_and(|done| done.status.success()));
    assert_eq!(count(&open(&disk.path())), 1);
}
