//! The one place that reads the clock and the system's randomness.
//!
//! Everything below the shell gets `now` and random bytes as arguments.
//! Tests use [`Clock::manual`], which only moves when told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Where the time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's wall clock.
    System,
    /// A clock moved by hand; microseconds since the Unix epoch.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.as_microsecond())))
    }

    /// The present moment, cut to microseconds, the resolution we store.
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
            Self::System => truncate(Timestamp::now()),
            Self::Manual(micros) => from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock by `by`; the system clock is left alone.
    pub fn advance(&self, by: SignedDuration) {
        if let Self::Manual(micros) = self {
            let by =
                i64::try_from(by.as_micros()).expect("a test moves its clock by less than 292,000 years");
            micros.fetch_add(by, Ordering::SeqCst);
        }
    }
}

/// Reads back a time stored as microseconds; out of range becomes the epoch.
pub fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn truncate(at: Timestamp) -> Timestamp {
    from_micros(at.as_microsecond())
}

/// Fresh random bytes from the operating system.
///
/// # Panics
/// When the system has no randomness to give: nothing safe can be done without it.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
