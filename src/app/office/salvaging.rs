//! How numbers go on after a data file was damaged and put aside.

use crate::domain::office::{Command, QueueSetup};
use crate::store::office::Salvaged;

/// Distance kept above what a damaged file still said: its last pages may be the lost ones.
const MARGIN: u32 = 50;
/// Where numbers go on when the file said nothing: above any number of a busy day, and plainly not one of them.
const UNKNOWN_FROM: u32 = 1001;
/// First leased number then.
const UNKNOWN_LEASE_FROM: u32 = 2001;

/// The command that moves a series out of the way of numbers that may be on paper already.
pub(super) fn go_on(
    queue: &QueueSetup,
    known: Option<&Salvaged>,
    file_was_readable: bool,
    lease_from: u32,
) -> Command {
    let (from, lease_from, reason) = match known {
        Some(known) => (
            known.online + MARGIN + 1,
            lease_from.max(known.leased + MARGIN + 1),
            "damaged file, numbers read from it",
        ),
        None if file_was_readable => (
            MARGIN + 1,
            lease_from + MARGIN,
            "damaged file without numbers of this series",
        ),
        None => (
            UNKNOWN_FROM,
            UNKNOWN_LEASE_FROM,
            "damaged file, nothing could be read",
        ),
    };
    Command::Continue {
        series: queue.series.clone(),
        from,
        lease_from,
        reason: reason.to_owned(),
    }
}
