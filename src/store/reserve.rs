//! Room that is kept for the moment when the disk is full.
//!
//! On a full disk SQLite can neither delete nor move its log into the database (measured), so nothing could ever
//! be let go of again. A file of some MiB beside the database is given up then, and what is under way can be
//! brought to its end. New submissions are refused earlier, while there is still room to say so.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{error, info, warn};

/// A file that only takes room.
#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
    bytes: u64,
    room_min: u64,
    held: AtomicBool,
}

/// Enough for a full log of 4 MiB, its checkpoint, and a thousand rows.
const BYTES: u64 = 16 * 1024 * 1024;
/// Less free room than this, and nobody new is let in: a day's submissions of a kiosk take a tenth of it.
const ROOM_MIN: u64 = 64 * 1024 * 1024;

impl Reserve {
    /// Keeps room beside the database at `database`.
    pub fn beside(database: &Path) -> Self {
        Self::new(database, BYTES, ROOM_MIN)
    }

    /// [`Reserve::beside`] with sizes of one's own, in bytes.
    pub fn new(database: &Path, bytes: u64, room_min: u64) -> Self {
        let reserve = Self {
            path: database.with_extension("reserve"),
            bytes,
            room_min,
            held: AtomicBool::new(false),
        };
        if let Err(problem) = reserve.hold() {
            warn!(file = %reserve.path.display(), %problem, "no room is kept for a full disk");
        }
        reserve
    }

    fn hold(&self) -> std::io::Result<()> {
        if std::fs::metadata(&self.path).is_ok_and(|found| found.len() == self.bytes) {
            self.held.store(true, Ordering::SeqCst);
            return Ok(());
        }
        let file = std::fs::File::create(&self.path)?;
        let taken = take_room(&file, self.bytes).and_then(|()| file.sync_all());
        if taken.is_err() {
            let _ = std::fs::remove_file(&self.path);
        }
        self.held.store(taken.is_ok(), Ordering::SeqCst);
        taken
    }

    /// Gives the room up. Returns whether there was any.
    pub fn release(&self) -> bool {
        if !self.held.swap(false, Ordering::SeqCst) {
            return false;
        }
        let gone = std::fs::remove_file(&self.path);
        error!(file = %self.path.display(), ok = gone.is_ok(), "the disk is full: the room kept for this is given up");
        gone.is_ok()
    }

    /// Takes the room again once there is plenty.
    pub fn restore(&self) {
        if self.held.load(Ordering::SeqCst) || self.free() < self.room_min.saturating_add(self.bytes) {
            return;
        }
        if self.hold().is_ok() {
            info!("the disk has room again");
        }
    }

    /// Whether something new may be begun.
    pub fn has_room(&self) -> bool {
        self.held.load(Ordering::SeqCst) && self.free() >= self.room_min
    }

    /// Free bytes on its disk; a disk that does not say is not held against anybody.
    fn free(&self) -> u64 {
        free_bytes(self.path.parent().unwrap_or(Path::new(".")))
    }
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> u64 {
    u64::MAX
}

#[cfg(target_os = "linux")]
fn take_room(file: &std::fs::File, bytes: u64) -> std::io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
        Err(rustix::io::Errno::OPNOTSUPP) => fill(file, bytes),
        taken => Ok(taken?),
    }
}

#[cfg(not(target_os = "linux"))]
fn take_room(file: &std::fs::File, bytes: u64) -> std::io::Result<()> {
    fill(file, bytes)
}

fn fill(mut file: &std::fs::File, bytes: u64) -> std::io::Result<()> {
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), bytes), &mut file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_up_once_and_taken_again() {
        let folder = tempfile::tempdir().expect("folder");
        let database = folder.path().join("x.db");
        let reserve = Reserve::new(&database, 1 << 20, 1);
        let file = folder.path().join("x.reserve");
        assert!(reserve.has_room());
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let blocks = file.metadata().expect("there").blocks();
            assert!(blocks * 512 >= 1 << 20, "{blocks} blocks are really taken");
        }
        assert!(reserve.release() && !reserve.release());
        assert!(!file.exists() && !reserve.has_room());
        reserve.restore();
        assert!(file.exists() && reserve.has_room());
        let greedy = Reserve::new(&folder.path().join("y.db"), 1 << 20, u64::MAX);
        assert!(!greedy.has_room(), "a nearly full disk lets nobody new in");
    }
}
