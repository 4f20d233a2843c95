//! The states of a submission that waits to be sent, and the only ways between them.

use jiff::Timestamp;

use super::Acknowledgement;

/// Where a submission stands in an outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Committed and waiting.
    Queued,
    /// Handed to the network; nobody knows yet.
    Inflight,
    /// The server signed that it keeps it.
    Received,
    /// The server's copy is in a verified backup too.
    Durable,
    /// Refused for good; kept sealed until a person decides.
    Dead,
    /// Its bytes on this disk are no longer what was confirmed.
    Quarantined,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Inflight,
        Self::Received,
        Self::Durable,
        Self::Dead,
        Self::Quarantined,
    ];

    /// The word in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Inflight => "INFLIGHT",
            Self::Received => "RECEIVED",
            Self::Durable => "DURABLE",
            Self::Dead => "DEAD",
            Self::Quarantined => "QUARANTINED",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// What becomes of an item after one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server keeps it; its signed word was checked.
    Received {
        /// The signed word.
        ack: Acknowledgement,
        /// Life of the server's data file.
        server_epoch: String,
        /// Place in the server's order.
        server_seq: i64,
    },
    /// Waits again, not before `next_at`.
    Again {
        /// Earliest next try; nothing where only the line failed.
        next_at: Option<Timestamp>,
        /// Whether the item itself may be at fault; such a one travels alone from now on.
        suspect: bool,
        /// In one word, without personal data.
        why: String,
    },
    /// A person has to look.
    Dead {
        /// In one word, without personal data.
        why: String,
    },
}
