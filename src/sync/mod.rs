//! How committed rows travel: kiosk to office to municipality, one protocol.

pub mod client;
pub mod server;
pub mod wire;
