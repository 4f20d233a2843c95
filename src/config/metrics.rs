//! Where a role without an address of its own says how it is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// `[metrics]` of a kiosk.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Where to answer `GET /metrics`, such as `127.0.0.1:9464`; another machine's Prometheus needs `token_file`.
    pub listen: SocketAddr,
    /// File with the token that Prometheus sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
}

impl MetricsConfig {
    /// Makes the path absolute: it is meant from the folder of `settings`.
    pub fn resolve(&mut self, settings: &Path) {
        self.token_file
            .iter_mut()
            .for_each(|path| super::beside(settings, path));
    }
}
