//! A line of our own that nobody can listen to or pretend to be: TLS with the set-up's own authority.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// `[tls]` of an office or of central: a second address for devices, beside `listen`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// Where to listen, such as `0.0.0.0:7443`.
    pub listen: SocketAddr,
    /// Names and addresses by which devices reach this machine, such as `10.0.0.5` or `oficina.local`; without any,
    /// the address of `listen`.
    #[serde(default)]
    pub names: Vec<String>,
}
