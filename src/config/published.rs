//! Settings of a catalogue that comes signed from the municipality.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Whose catalogue is taken, and whom to believe at first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedConfig {
    /// Whose catalogues are wanted, such as `quito`.
    pub tenant: String,
    /// Files with the publishers' public keys for the first one; each catalogue names those of the next.
    pub keys: Vec<PathBuf>,
}

impl PublishedConfig {
    /// Makes the paths absolute: they are meant from the folder of `settings`.
    pub fn resolve(&mut self, settings: &Path) {
        for key in &mut self.keys {
            super::beside(settings, key);
        }
    }
}
