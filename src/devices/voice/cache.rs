//! The folder of kept sentences: bounded, and the oldest go first.

use std::path::Path;
use std::time::SystemTime;

/// About a day of tickets; a sentence is some 150 kB.
pub(super) const FILES_MAX: usize = 600;

/// A kept sound; a file that was cut short by a power cut is no sound.
pub(super) fn read(file: &Path) -> Option<Vec<u8>> {
    let bytes = std::fs::read(file).ok()?;
    bytes.starts_with(b"RIFF").then_some(bytes)
}

/// Takes the oldest files away until `most` are left.
pub(super) fn prune(folder: &Path, most: usize) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut files: Vec<_> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "wav"))
        .map(|entry| {
            let made = entry.metadata().and_then(|data| data.modified());
            (made.unwrap_or(SystemTime::UNIX_EPOCH), entry.path())
        })
        .collect();
    if files.len() <= most {
        return;
    }
    files.sort();
    let surplus = files.len() - most;
    for (_, path) in files.into_iter().take(surplus) {
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_stays_small_and_a_torn_file_is_no_sound() {
        let folder = tempfile::tempdir().expect("folder");
        for n in 0..8 {
            std::fs::write(folder.path().join(format!("{n}.wav")), b"RIFF").expect("written");
        }
        std::fs::write(folder.path().join("0.making"), b"").expect("written");
        prune(folder.path(), 5);
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 6);
        std::fs::write(folder.path().join("torn.wav"), b"").expect("written");
        assert!(read(&folder.path().join("torn.wav")).is_none());
    }
}
