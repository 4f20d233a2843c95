//! New versions of the appliance's system that an office holds for its kiosks.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// `[systems]` of an office.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemsConfig {
    /// Files with the public keys of who may publish a version.
    pub keys: Vec<PathBuf>,
    /// What is held, such as `kiosk-amd64`; fetched from central once, however many kiosks there are.
    #[serde(default = "hold")]
    pub hold: Vec<String>,
}

impl SystemsConfig {
    /// Makes the paths absolute: they are meant from the folder of `settings`.
    pub fn resolve(&mut self, settings: &Path) {
        self.keys
            .iter_mut()
            .for_each(|path| super::beside(settings, path));
    }
}

fn hold() -> Vec<String> {
    vec!["kiosk-amd64".to_owned()]
}
