//! Names of things that live longer than one process.
//!
//! Each is a UUIDv7 made from a moment and random bytes given by the shell, so that an id sorts by its birth
//! and nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The moment and the randomness that a decision may use.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Wall time of the decision.
    pub now: Timestamp,
    /// Sixteen fresh random bytes.
    pub random: [u8; 16],
}

/// A UUIDv7 (RFC 9562 §5.7) of `moment`.
pub fn uuid_v7(moment: Moment) -> Uuid {
    let millis = u64::try_from(moment.now.as_millisecond()).unwrap_or(0);
    let mut bytes = [0_u8; 10];
    bytes.copy_from_slice(&moment.random[..10]);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id of this moment.
            pub fn new(moment: Moment) -> Self {
                Self(uuid_v7(moment))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A turn ticket.
    TicketId
);
id!(
    /// One confirmed form, from the kiosk to the municipality.
    SubmissionId
);
id!(
    /// One job of the print journal.
    PrintJobId
);
