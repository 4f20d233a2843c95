//! One confirmed form on its way: what is said openly, what is sealed, and what the other side answers.
//!
//! The [`Header`] travels in the clear and holds no personal data; the [`Content`] is only ever sealed.
//! An item is known by its id and by the SHA-256 of its envelope; the device signs that hash.
//! Begin at [`Header`], then [`peers`] for who may hand in what.

pub mod durable;
pub mod peers;
pub mod request;
pub mod transit;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::id::SubmissionId;
use super::receipt::Code;
use super::redacted::Redacted;
use super::seal::{SigningKey, VerifyingKey, hex};

/// What a device's signature of a submission begins with.
pub const SUBMISSION_DOMAIN: &str = "VSP1//submission//";
/// What a server's signature of an acknowledgement begins with.
pub const ACKNOWLEDGEMENT_DOMAIN: &str = "VSP1//receipt//";

/// What anybody on the way may read. No personal data, ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of this header: 1.
    pub v: u8,
    /// Made when the form was opened; the confirm button reuses it, so two taps are one submission.
    pub submission_id: SubmissionId,
    /// Id of the office the device stands in.
    pub office: String,
    /// The device that sealed it.
    pub device_id: String,
    /// The device's own count, without gaps within an epoch.
    pub device_seq: u32,
    /// Life of the device's data file; a new one after a quarantine, and the count begins at 1 again.
    pub outbox_epoch: String,
    /// Id of the form.
    pub form_id: String,
    /// Version of the form the answers were given to.
    pub form_version: String,
    /// SHA-256 of the catalogue in force, hexadecimal.
    pub catalogue: String,
    /// Wall time of the device at confirming; shown, never used to order or to expire.
    #[serde(with = "micros")]
    pub created_at: Timestamp,
    /// Id of the procedure.
    pub procedure: String,
    /// Its name in Spanish, so that the receipt page can say it without the catalogue.
    pub procedure_name: String,
    /// The code on the citizen's paper.
    pub code: Code,
    /// Queue of the turn that goes with it, where a person continues the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Hash of the device's previous submission, hexadecimal: a removed one shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev_hash: Option<String>,
}

impl Header {
    /// The bytes that are sealed in: JSON with the fields in this order.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a header is plain data")
    }

    /// Reads a header of this version; unknown fields of a later one are passed over.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let header: Self = serde_json::from_slice(bytes).ok()?;
        let names = [&header.office, &header.device_id, &header.procedure];
        (header.v == 1 && names.iter().all(|name| is_name(name))).then_some(header)
    }
}

/// Whether `text` is an id as used in codes, addresses and file names: `a-z`, `0-9`, `-` and `_`, 1 to 64 of them.
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

/// What is sealed: the case as the citizen confirmed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Version of this shape: 1.
    pub v: u8,
    /// Id of the form.
    pub form_id: String,
    /// Version of the form.
    pub form_version: String,
    /// Name of the procedure in the citizen's language.
    pub procedure_name: String,
    /// Code of that language: `es`, `qu`, `en`.
    pub language: String,
    /// The XForms instance exactly as the engine wrote it.
    pub instance_xml: Redacted<String>,
    /// The answers as they stood on the screen, in its order.
    pub answers: Vec<Answer>,
    /// What the form concluded, where it concludes something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<FormResult>,
    /// What the citizen agreed to or not.
    #[serde(default)]
    pub consents: Vec<Consent>,
    /// Signatures that were drawn, by the name that the instance says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// A file of a submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The name that the instance says.
    pub name: String,
    /// `image/svg+xml` for a signature; what a collector said for its files.
    pub media_type: String,
    /// The file itself: as it is where it is text, else in base64.
    pub text: Redacted<String>,
    /// Whether `text` is base64.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub base64: bool,
}

impl Attachment {
    /// A file that is text, as a signature is.
    pub fn of_text(name: impl Into<String>, media_type: impl Into<String>, text: String) -> Self {
        Self {
            name: name.into(),
            media_type: media_type.into(),
            text: Redacted::new(text),
            base64: false,
        }
    }

    /// A file of any kind.
    pub fn of_bytes(name: impl Into<String>, media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self {
            name: name.into(),
            media_type: media_type.into(),
            text: Redacted::new(BASE64_STANDARD.encode(bytes)),
            base64: true,
        }
    }

    /// The file itself; nothing where the base64 is damaged.
    pub fn bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        let text = self.text.reveal().as_bytes();
        if !self.base64 {
            return Some(Zeroizing::new(text.to_vec()));
        }
        BASE64_STANDARD.decode(text).ok().map(Zeroizing::new)
    }
}

impl Content {
    /// The bytes to seal; wiped on drop.
    pub fn to_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        zeroize::Zeroizing::new(serde_json::to_vec(self).expect("a content is plain data"))
    }

    /// Reads what was sealed.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// One row of the summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Name of the question in the form.
    pub name: String,
    /// The question in the citizen's language.
    pub label: String,
    /// The answer as a person reads it.
    pub value: Redacted<String>,
    /// Whether a counter shows it covered until asked.
    #[serde(default)]
    pub masked: bool,
}

/// What a form concluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormResult {
    /// `good`, `info`, `warn` or `bad`.
    pub tone: String,
    /// One line.
    pub title: String,
    /// What it means for the citizen.
    pub text: Redacted<String>,
}

/// One question of consent and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Which consent.
    pub key: String,
    /// The words the citizen was shown.
    pub text: String,
    /// Whether the citizen agreed.
    pub accepted: bool,
}

/// SHA-256 of an envelope: what an item is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of `envelope`.
    pub fn of(envelope: &[u8]) -> Self {
        Self(Sha256::digest(envelope).into())
    }

    /// Hexadecimal, 64 digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0[..6]))
    }
}

/// An envelope with its device's signature, ready to be kept and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Id of the submission.
    pub id: SubmissionId,
    /// Hash of `envelope`.
    pub hash: Hash,
    /// The device's signature of the hash.
    pub signature: [u8; 64],
    /// The sealed bytes.
    pub envelope: Vec<u8>,
}

impl Item {
    /// Hashes and signs a sealed envelope.
    pub fn sign(id: SubmissionId, envelope: Vec<u8>, device: &SigningKey) -> Self {
        let hash = Hash::of(&envelope);
        Self {
            id,
            hash,
            signature: device.sign(SUBMISSION_DOMAIN, &hash.0),
            envelope,
        }
    }
}

/// What the server says about one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Kept now.
    Accepted(Acknowledgement),
    /// Kept before, with the same bytes.
    Duplicate(Acknowledgement),
    /// Another item has this id; the first one stays.
    Conflict,
    /// Cannot be kept.
    Rejected(Reason),
    /// Not now.
    RetryLater,
}

/// Why an item is refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The server does not know the device that sealed it, or it is not of the sender's office.
    UnknownDevice,
    /// The device's signature does not fit.
    BadSignature,
    /// Larger than what travels.
    TooLarge,
    /// Not an envelope of ours, or its parts disagree.
    Malformed,
}

impl Reason {
    /// The word on the wire and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::UnknownDevice => "unknown_device",
            Self::BadSignature => "bad_signature",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
        }
    }
}

/// The server's signed word that it keeps an item. Stored and given again byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// [`AckBody`] as JSON, exactly the bytes that were signed.
    pub body: String,
    /// The signature, hexadecimal.
    pub signature: String,
}

/// What an acknowledgement says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckBody {
    /// The item.
    pub submission_id: SubmissionId,
    /// Hash of the envelope that is kept, hexadecimal.
    pub hash: String,
    /// Place in the server's order.
    pub server_seq: i64,
    /// Life of the server's data file.
    pub server_epoch: String,
    /// When it was committed.
    #[serde(with = "micros")]
    pub received_at: Timestamp,
    /// The key that signed.
    pub kid: String,
}

impl Acknowledgement {
    /// Signs `body`.
    pub fn sign(body: &AckBody, key: &SigningKey) -> Self {
        let body = serde_json::to_string(body).expect("an acknowledgement is plain data");
        let signature = hex(&key.sign(ACKNOWLEDGEMENT_DOMAIN, body.as_bytes()));
        Self { body, signature }
    }

    /// What it says, whoever wrote it: only to find out whether it is worth a look at its signature.
    pub fn unproven(&self) -> Option<AckBody> {
        serde_json::from_str(&self.body).ok()
    }

    /// What it says, if one of `keys` signed it.
    pub fn read(&self, keys: &[VerifyingKey]) -> Option<AckBody> {
        let body: AckBody = serde_json::from_str(&self.body).ok()?;
        let signature = super::seal::unhex(&self.signature)?;
        let key = keys.iter().find(|key| key.kid() == body.kid)?;
        key.verify(ACKNOWLEDGEMENT_DOMAIN, self.body.as_bytes(), &signature)
            .then_some(body)
    }

    /// What it says, if one of `keys` signed it and it speaks of this item.
    pub fn check(&self, keys: &[VerifyingKey], id: SubmissionId, hash: Hash) -> Option<AckBody> {
        self.read(keys)
            .filter(|body| body.submission_id == id && body.hash == hash.to_hex())
    }
}

/// A time as integer microseconds since the Unix epoch.
pub mod micros {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the microseconds.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.as_microsecond())
    }

    /// Reads the microseconds.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let micros = i64::deserialize(deserializer)?;
        Timestamp::from_microsecond(micros).map_err(D::Error::custom)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::id::Moment;

    pub(crate) fn header(device_seq: u32) -> Header {
        let now = Timestamp::from_second(1_795_500_000).expect("time");
        let mut random = [5; 16];
        random[0] = u8::try_from(device_seq % 250).expect("small");
        Header {
            v: 1,
            submission_id: SubmissionId::new(Moment { now, random }),
            office: "centro".into(),
            device_id: "kiosk-1".into(),
            device_seq,
            outbox_epoch: "e1".into(),
            form_id: "residencia".into(),
            form_version: "3".into(),
            catalogue: "ab".repeat(32),
            created_at: now,
            procedure: "residencia".into(),
            procedure_name: "Certificado de residencia".into(),
            code: Code::from_random([5; 5]),
            queue: None,
            prev_hash: None,
        }
    }

    #[test]
    fn the_shape_of_the_header_is_fixed() {
        let mut header = header(7);
        header.queue = Some("avaluos".into());
        header.prev_hash = Some("00ff".into());
        let text = String::from_utf8(header.to_bytes()).expect("text");
        let shown = text
            .replace(&header.submission_id.to_string(), "ID")
            .replace(&"ab".repeat(32), "SHA");
        insta::assert_snapshot!(shown, @r#"{"v":1,"submission_id":"ID","office":"centro","device_id":"kiosk-1","device_seq":7,"outbox_epoch":"e1","form_id":"residencia","form_version":"3","catalogue":"SHA","created_at":1795500000000000,"procedure":"residencia","procedure_name":"Certificado de residencia","code":"0M2GA18N","queue":"avaluos","prev_hash":"00ff"}"#);
        assert_eq!(Header::from_bytes(text.as_bytes()), Some(header));
    }

    #[test]
    fn a_later_header_is_still_read() {
        let text = String::from_utf8(header(1).to_bytes()).expect("text");
        let later = text.replacen("{\"v\":1", "{\"v\":1,\"new\":[1]", 1);
        assert_eq!(Header::from_bytes(later.as_bytes()), Some(header(1)));
        let odd = text.replace("\"centro\"", "\"cen.tro\"");
        assert_eq!(Header::from_bytes(odd.as_bytes()), None);
    }

    #[test]
    fn an_acknowledgement_speaks_of_one_item_only() {
        let key = SigningKey::generate(&[4; 32]);
        let (id, hash) = (header(1).submission_id, Hash([8; 32]));
        let body = AckBody {
            submission_id: id,
            hash: hash.to_hex(),
            server_seq: 3,
            server_epoch: "s".into(),
            received_at: header(1).created_at,
            kid: key.kid().to_owned(),
        };
        let ack = Acknowledgement::sign(&body, &key);
        let keys = [key.verifying()];
        assert_eq!(ack.check(&keys, id, hash), Some(body));
        assert_eq!(ack.check(&keys, header(2).submission_id, hash), None);
        assert_eq!(ack.check(&keys, id, Hash([9; 32])), None);
        let other = SigningKey::generate(&[5; 32]).verifying();
        assert_eq!(ack.check(&[other], id, hash), None);
        let mut changed = ack.clone();
        changed.body = changed.body.replace("\"server_seq\":3", "\"server_seq\":4");
        assert_eq!(changed.check(&keys, id, hash), None);
    }

    #[test]
    fn content_does_not_print_what_it_holds() {
        let content = Content {
            v: 1,
            form_id: "f".into(),
            form_version: "1".into(),
            procedure_name: "P".into(),
            language: "es".into(),
            instance_xml: Redacted::new("<n>Ana</n>".into()),
            answers: vec![Answer {
                name: "n".into(),
                label: "Nombre".into(),
                value: Redacted::new("Ana".into()),
                masked: false,
            }],
            result: None,
            attachments: Vec::new(),
            consents: vec![],
        };
        assert!(!format!("{content:?}").contains("Ana"));
        assert_eq!(Content::from_bytes(&content.to_bytes()), Some(content));
    }
}
