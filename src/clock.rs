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
    /// A clock moved by hand.
    Manual(Arc<Hands>),
}

/// Where the hands of a manual clock stand, in microseconds.
#[derive(Debug)]
pub struct Hands {
    /// Since the Unix epoch.
    wall: AtomicI64,
    /// Since the machine started.
    boot: AtomicI64,
}

impl Clock {
    /// A clock that stands still at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(Hands {
            wall: AtomicI64::new(start.as_microsecond()),
            boot: AtomicI64::new(0),
        }))
    }

    /// The present moment, cut to microseconds, the resolution we store.
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
            Self::System => truncate(Timestamp::now()),
            Self::Manual(hands) => from_micros(hands.wall.load(Ordering::SeqCst)),
        }
    }

    /// Time since the machine started, sleep included: nobody can set it, and it means nothing on another machine.
    ///
    /// Cut to microseconds like [`Clock::now`], so that a time worked out with it is the one that is read back.
    pub fn boot(&self) -> SignedDuration {
        match self {
            Self::System => SignedDuration::from_micros(micros(since_boot())),
            Self::Manual(hands) => SignedDuration::from_micros(hands.boot.load(Ordering::SeqCst)),
        }
    }

    /// Lets `by` pass on a manual clock; the system clock is left alone.
    pub fn advance(&self, by: SignedDuration) {
        if let Self::Manual(hands) = self {
            hands.wall.fetch_add(micros(by), Ordering::SeqCst);
            hands.boot.fetch_add(micros(by), Ordering::SeqCst);
        }
    }

    /// Sets a manual wall clock wrong, or right, by `by`, as a dead battery or the network does; no time passes.
    pub fn jump(&self, by: SignedDuration) {
        if let Self::Manual(hands) = self {
            hands.wall.fetch_add(micros(by), Ordering::SeqCst);
        }
    }
}

fn micros(by: SignedDuration) -> i64 {
    i64::try_from(by.as_micros()).expect("no clock is moved, and no machine runs, for 292,000 years")
}

#[cfg(target_os = "linux")]
fn since_boot() -> SignedDuration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    SignedDuration::new(time.tv_sec, i32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Since this was first asked; only differences are ever looked at.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> SignedDuration {
    static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let passed = BEGUN.get_or_init(std::time::Instant::now).elapsed();
    SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX)
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
