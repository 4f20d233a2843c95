//! How far a server's verified copies reach, and what such a copy says of itself.
//!
//! A sender lets go of a sealed body only when a signed [`Mark`] covers it; a mark only moves after a copy was
//! written, flushed, read back and checked. Begin at [`Mark`]; [`Manifest`] lies beside each copy.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::micros;

/// What a server's signature of a mark begins with.
pub const MARK_DOMAIN: &str = "VSP1//durable//";
/// What a server's signature of a copy's manifest begins with.
pub const MANIFEST_DOMAIN: &str = "VSP1//backup//";

/// Everything up to a place in the server's order is in a verified copy; true only within one life of its file.
///
/// A place in the server's own order and not a count of each device: one refused item would stop such a count
/// for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Life of the server's data file.
    pub server_epoch: String,
    /// The last place that is covered.
    pub server_seq: i64,
}

/// What a copy of a data file is: signed, so that a copy that was changed or exchanged is not restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this shape: 1.
    pub v: u8,
    /// `central` or `office`.
    pub role: String,
    /// Name of the copy, in the same folder.
    pub file: String,
    /// SHA-256 of the copy, hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Life of the file that was copied.
    pub server_epoch: String,
    /// The last place in the server's order that is in it.
    pub server_seq: i64,
    /// How many submissions are in it.
    pub submissions: i64,
    /// When it was made.
    #[serde(with = "micros")]
    pub made_at: Timestamp,
}
