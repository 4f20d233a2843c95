//! The audit log: what staff did, in a chain that shows a change.
//!
//! Each entry's hash covers the entry and the hash before it, so an edited, missing or moved entry is found. Whoever
//! rewrites the whole rest of the chain, or cuts its end off, is found by the signed [`Checkpoint`]s, which are also
//! kept outside the data file. Nothing a citizen said is ever in it, and no password, not even a wrong one.
//! Begin at [`AuditEvent`] for what is recorded, [`link`] for the chain and [`Verifier`] for the check.

mod chain;
mod event;

pub use chain::{Checkpoint, CheckpointError, Entry, Fault, Findings, Note, Verifier, begin, link};
pub use event::{AuditEvent, Done};

#[cfg(test)]
mod tests;
