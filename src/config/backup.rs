//! Settings of the copies that a receiver makes of its file by itself.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where copies go and how often.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupConfig {
    /// Folder of the copies, on another disk than the data.
    pub folder: PathBuf,
    /// Minutes between two copies.
    #[serde(default = "every_minutes")]
    pub every_minutes: u32,
    /// How many copies are kept; never fewer than two.
    #[serde(default = "keep")]
    pub keep: usize,
    /// Whether a copy on the same disk as the data counts, so that senders let go of what it holds.
    /// Only for a demonstration: when that disk breaks, both are gone.
    #[serde(default)]
    pub same_disk: bool,
}

impl BackupConfig {
    /// Makes the folder absolute: it is meant from the folder of `settings`.
    pub fn resolve(&mut self, settings: &Path) {
        super::beside(settings, &mut self.folder);
    }
}

fn every_minutes() -> u32 {
    60
}

fn keep() -> usize {
    48
}
