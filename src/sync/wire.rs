//! What is said on the line: JSON, with sealed bytes in base64.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::id::SubmissionId;
use crate::domain::seal::{Signed, hex, unhex};
use crate::domain::submission::{Acknowledgement, Item, Reason, Verdict, micros};

/// Where batches are posted, below the server's address.
pub const PATH: &str = "/v1/sync/batches";
/// Most items in one batch.
pub const ITEMS_MAX: usize = 100;
/// Most bytes of one request.
pub const BODY_MAX: usize = 1024 * 1024;
/// Sealed bytes that fit into [`BODY_MAX`] with base64 and a generous frame around each item.
pub const SEALED_MAX: usize = (BODY_MAX - 1024 - ITEMS_MAX * ITEM_FRAME) / 4 * 3;
/// Most bytes of an answer that are read.
pub const ANSWER_MAX: usize = 4 * 1024 * 1024;

const ITEM_FRAME: usize = 320;

/// A batch of items; an empty one only asks how the server is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchWire {
    /// Version of the protocol: 1.
    pub v: u8,
    /// The server's own signed word with the highest place in its order, if the sender has one: a server that
    /// was set back without knowing learns it from this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_word: Option<Acknowledgement>,
    /// The items, in no promised order.
    pub items: Vec<ItemWire>,
}

/// One sealed item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ItemWire {
    /// Its id.
    pub id: SubmissionId,
    /// The sealed bytes in base64.
    pub envelope: String,
    /// The device's signature of their hash, hexadecimal.
    pub signature: String,
}

impl From<&Item> for ItemWire {
    fn from(item: &Item) -> Self {
        Self {
            id: item.id,
            envelope: BASE64_STANDARD.encode(&item.envelope),
            signature: hex(&item.signature),
        }
    }
}

impl ItemWire {
    /// The sealed bytes and the signature.
    pub fn decode(&self) -> Result<(Vec<u8>, [u8; 64]), Reason> {
        let envelope = BASE64_STANDARD
            .decode(&self.envelope)
            .map_err(|_| Reason::Malformed)?;
        let signature = unhex(&self.signature).ok_or(Reason::Malformed)?;
        Ok((envelope, signature))
    }
}

/// The answer to a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerWire {
    /// Version of the protocol: 1.
    pub v: u8,
    /// Life of the server's data file: another one means it was restored.
    pub server_epoch: String,
    /// The server's clock, so that a wrong one shows.
    #[serde(with = "micros")]
    pub server_time: Timestamp,
    /// How far the server's verified copies reach: a signed [`crate::domain::submission::durable::Mark`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durable: Option<Signed>,
    /// One for each item, in the order of the request.
    pub verdicts: Vec<VerdictWire>,
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictWire {
    /// The item.
    pub id: SubmissionId,
    /// `accepted`, `duplicate`, `conflict`, `rejected` or `retry_later`.
    pub verdict: String,
    /// With `accepted` and `duplicate`: the server's signed word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Acknowledgement>,
    /// With `rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl VerdictWire {
    /// Writes a verdict about `id`.
    pub fn new(id: SubmissionId, verdict: Verdict) -> Self {
        let (word, receipt, reason) = match verdict {
            Verdict::Accepted(ack) => ("accepted", Some(ack), None),
            Verdict::Duplicate(ack) => ("duplicate", Some(ack), None),
            Verdict::Conflict => ("conflict", None, None),
            Verdict::Rejected(reason) => ("rejected", None, Some(reason)),
            Verdict::RetryLater => ("retry_later", None, None),
        };
        Self {
            id,
            verdict: word.to_owned(),
            receipt,
            reason,
        }
    }

    /// Reads a verdict; a word of a later version counts as `retry_later`, which loses nothing.
    pub fn read(self) -> Verdict {
        match (self.verdict.as_str(), self.receipt, self.reason) {
            ("accepted", Some(ack), _) => Verdict::Accepted(ack),
            ("duplicate", Some(ack), _) => Verdict::Duplicate(ack),
            ("conflict", ..) => Verdict::Conflict,
            ("rejected", _, Some(reason)) => Verdict::Rejected(reason),
            _ => Verdict::RetryLater,
        }
    }
}

/// `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemWire {
    /// Says the kind, as a word.
    #[serde(rename = "type")]
    pub kind: String,
    /// For people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::submission::Hash;

    #[test]
    fn a_hundred_of_the_largest_share_fit() {
        let size = SEALED_MAX / ITEMS_MAX;
        let item = Item {
            id: crate::domain::submission::tests::header(1).submission_id,
            hash: Hash([0; 32]),
            signature: [0; 64],
            envelope: vec![0; size],
        };
        let batch = BatchWire {
            v: 1,
            last_word: None,
            items: vec![ItemWire::from(&item); ITEMS_MAX],
        };
        let body = serde_json::to_vec(&batch).expect("json").len();
        assert!(body <= BODY_MAX, "{body}");
        assert!(body > BODY_MAX / 10 * 9, "{body}");
        const { assert!(crate::domain::seal::ENVELOPE_MAX < SEALED_MAX) };
    }

    #[test]
    fn a_word_of_a_later_version_loses_nothing() {
        let text = r#"{"id":"018f0000-0000-7000-8000-000000000000","verdict":"needs_coffee"}"#;
        let verdict: VerdictWire = serde_json::from_str(text).expect("read");
        assert_eq!(verdict.read(), Verdict::RetryLater);
    }
}
