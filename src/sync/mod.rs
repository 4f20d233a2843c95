//! How committed rows travel: kiosk to office to municipality, one protocol.
//!
//! `POST /v1/sync/batches` carries up to a hundred sealed items; the answer has one verdict for each, in order.
//! The server answers after its commit, so a lost answer is only ever followed by `duplicate`.
//! Begin at [`wire`] for what is said and at [`plan`] for what is done about it.

pub mod board;
pub mod client;
pub mod credential;
pub mod drafts;
pub mod enrol;
pub mod fleet;
pub mod gate;
pub mod http;
pub mod office;
pub mod openrosa;
pub mod plan;
pub mod server;
pub mod wire;

#[cfg(test)]
mod model;
