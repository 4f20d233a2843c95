//! A form half filled that waits sealed until its citizen comes back: its code, its keys, its seal.
//!
//! Code and digits never leave the machine on which they are typed. The office finds a draft by [`DraftId`], which is
//! as slow to make from a code as a guess is, and gives the sealed bytes for the right [`Keys::proof`] only; so a
//! stolen office tells nothing, and a stolen code alone neither. Salts and nonces follow from the code, which is used
//! once: no two seals share a key.
//! Begin at [`Keys::of`], [`seal`] and [`open`].

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::receipt::{self, CodeError};
use super::seal::hex;

/// What the weighted sum of a code of this kind is; that of a receipt is 0, so that neither is taken for the other.
const KIND: u8 = 0b1_0110;
/// 32 MiB and four passes: a third of a second on a small kiosk, twice for each try.
const MEMORY_KIB: u32 = 32 * 1024;
const PASSES: u32 = 4;
const STEM_DOMAIN: &[u8] = b"ventanilla-draft-1 ";
/// Sealed bodies are filled up to a multiple of this, so that their length tells little.
const STEP: usize = 2048;
/// Longest sealed body; a form with every answer and three signatures has a third of it.
pub const SEALED_MAX: usize = 128 * 1024;
/// How many digits open a draft together with its code.
pub const DIGITS: usize = 4;
/// Wrong tries until a draft is shut for an hour.
pub const TRIES: u32 = 5;
/// Wrong tries until it is shut for good.
pub const TRIES_IN_ALL: u32 = 20;

/// The eight characters on the paper: seven random ones and one that checks them and says what the code is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResumeCode([u8; 8]);

impl ResumeCode {
    /// A code of 35 random bits; the last five of the 40 are not used.
    pub fn from_random(random: [u8; 5]) -> Self {
        Self(receipt::checked(random, KIND))
    }

    /// Eight characters without the hyphen.
    pub fn plain(self) -> String {
        receipt::spelled(self.0)
    }
}

impl FromStr for ResumeCode {
    type Err = CodeError;

    /// Forgives what [`receipt::Code`] forgives.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let values = receipt::read(text)?;
        if receipt::sum(&values) == KIND {
            Ok(Self(values))
        } else {
            Err(CodeError::Check)
        }
    }
}

impl fmt::Display for ResumeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.plain();
        write!(f, "{}-{}", &plain[..4], &plain[4..])
    }
}

impl fmt::Debug for ResumeCode {
    /// With the digits it opens what somebody wrote: it is in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeCode(***)")
    }
}

/// How a draft is called where nobody knows its code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DraftId(pub [u8; 16]);

impl DraftId {
    /// Its beginning, for logs and records.
    pub fn short(self) -> String {
        hex(&self.0[..4])
    }
}

impl fmt::Display for DraftId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for DraftId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftId({})", self.short())
    }
}

/// A text that is no draft's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A draft is named by 32 hexadecimal digits")]
pub struct NoDraftId;

impl FromStr for DraftId {
    type Err = NoDraftId;
    fn from_str(text: &str) -> Result<Self, NoDraftId> {
        bytes(text).map(Self).ok_or(NoDraftId)
    }
}

impl TryFrom<String> for DraftId {
    type Error = NoDraftId;
    fn try_from(text: String) -> Result<Self, NoDraftId> {
        text.parse()
    }
}

impl From<DraftId> for String {
    fn from(id: DraftId) -> Self {
        id.to_string()
    }
}

/// Bytes of a text of hexadecimal digits, exactly as many.
pub fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut out = [0; N];
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(out)
}

/// What shows the office that somebody knows the digits, without telling it what they are.
#[derive(Clone, Zeroize)]
#[zeroize(drop)]
pub struct Proof([u8; 32]);

impl Proof {
    /// A proof as it travelled.
    pub fn parse(text: &str) -> Option<Self> {
        bytes(text).map(Self)
    }

    /// As it travels.
    pub fn to_text(&self) -> String {
        hex(&self.0)
    }

    /// What the office keeps: it checks a proof and is none.
    pub fn kept(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// Whether it is the one of which this was kept.
    pub fn fits(&self, kept: &[u8]) -> bool {
        self.kept().ct_eq(kept).into()
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(***)")
    }
}

/// How much work a guess costs.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    memory_kib: u32,
    passes: u32,
}

impl Work {
    /// What the product asks.
    pub const HOUSE: Self = Self {
        memory_kib: MEMORY_KIB,
        passes: PASSES,
    };

    /// As little as there is, for tests that are not about guessing.
    #[cfg(test)]
    pub const LEAST: Self = Self {
        memory_kib: 8,
        passes: 1,
    };
}

/// Everything that follows from a code and its digits.
#[derive(Clone)]
pub struct Keys {
    /// Under which name the office keeps it.
    pub id: DraftId,
    /// What the office asks for.
    pub proof: Proof,
    key: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.id.short())
    }
}

impl Keys {
    /// The keys of `code` and `digits` at `office`; slow on purpose, half a second on a kiosk.
    ///
    /// The name follows from the code alone, so that wrong digits are counted against the draft they are for.
    pub fn of(code: ResumeCode, digits: &str, office: &str, work: Work) -> Self {
        let code = Zeroizing::new(code.plain());
        let salt: [u8; 32] = Sha256::digest([STEM_DOMAIN, office.as_bytes()].concat()).into();
        let mut stem = Zeroizing::new([0_u8; 48]);
        stretch(code.as_bytes(), &salt, work, &mut *stem);
        let (id, secret) = stem.split_first_chunk::<16>().expect("48 bytes begin with 16");
        let mut word = Zeroizing::new(secret.to_vec());
        word.extend(digits.bytes());
        let mut out = Zeroizing::new([0_u8; 64]);
        stretch(&word, id, work, &mut *out);
        let (key, proof) = out.split_first_chunk::<32>().expect("64 bytes begin with 32");
        Self {
            id: DraftId(*id),
            proof: Proof(proof.try_into().expect("64 bytes less 32 are 32")),
            key: Zeroizing::new(*key),
        }
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(*self.key))
    }
}

fn stretch(word: &[u8], salt: &[u8], work: Work, out: &mut [u8]) {
    let params = Params::new(work.memory_kib, work.passes, 1, Some(out.len())).expect("sound parameters");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(word, salt, out)
        .expect("the salt is long enough and the output is what the parameters say");
}

/// Why a draft is not sealed or not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// More than an office keeps.
    #[error("The form has more than a draft may hold; finish it here")]
    TooLarge,
    /// Not what was sealed under these keys.
    #[error("The draft does not open: it was changed, or the keys are others")]
    Sealed,
}

/// Seals `content`; the same keys seal once only, because a code is made for one draft.
///
/// # Errors
/// When it is too large.
pub fn seal(keys: &Keys, content: &[u8]) -> Result<Vec<u8>, DraftError> {
    let length = u32::try_from(content.len()).map_err(|_| DraftError::TooLarge)?;
    let filled = (content.len() + 4).next_multiple_of(STEP);
    if filled + 16 > SEALED_MAX {
        return Err(DraftError::TooLarge);
    }
    let mut plain = Zeroizing::new(Vec::with_capacity(filled));
    plain.extend(length.to_be_bytes());
    plain.extend(content);
    plain.resize(filled, 0);
    keys.cipher()
        .encrypt(
            &Nonce::default(),
            Payload {
                msg: &plain,
                aad: &keys.id.0,
            },
        )
        .map_err(|_| DraftError::TooLarge)
}

/// Opens what [`seal`] made.
///
/// # Errors
/// When it was changed or the keys are others.
pub fn open(keys: &Keys, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DraftError> {
    let plain = keys
        .cipher()
        .decrypt(
            &Nonce::default(),
            Payload {
                msg: sealed,
                aad: &keys.id.0,
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| DraftError::Sealed)?;
    let (length, rest) = plain.split_first_chunk::<4>().ok_or(DraftError::Sealed)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| DraftError::Sealed)?;
    let content = rest.get(..length).ok_or(DraftError::Sealed)?;
    Ok(Zeroizing::new(content.to_vec()))
}

/// Tries that are left before it is shut, when `tries` were wrong; nothing where that shuts it.
pub fn tries_left(tries: u32) -> Option<u32> {
    match tries % TRIES {
        0 => None,
        used => Some(TRIES - used),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::receipt::Code;

    fn keys(code: u8, digits: &str) -> Keys {
        Keys::of(
            ResumeCode::from_random([code; 5]),
            digits,
            "quitumbe",
            Work::LEAST,
        )
    }

    #[test]
    fn a_draft_opens_with_its_code_and_digits_and_with_nothing_else() {
        let right = keys(7, "7103");
        let sealed = seal(&right, b"Rosa Chicaiza").expect("sealed");
        assert_eq!(&*open(&right, &sealed).expect("opens"), b"Rosa Chicaiza");
        assert!(!sealed.windows(4).any(|part| part == b"Rosa"));
        for wrong in [keys(7, "7104"), keys(8, "7103")] {
            assert_eq!(open(&wrong, &sealed).err(), Some(DraftError::Sealed));
            assert!(!wrong.proof.fits(&right.proof.kept()));
        }
        let elsewhere = Keys::of(ResumeCode::from_random([7; 5]), "7103", "calderon", Work::LEAST);
        assert_ne!(elsewhere.id, right.id);
        assert_eq!(
            keys(7, "0000").id,
            right.id,
            "wrong digits are tries at the same draft"
        );
        let mut changed = sealed.clone();
        changed[9] ^= 1;
        assert_eq!(open(&right, &changed).err(), Some(DraftError::Sealed));
    }

    #[test]
    fn its_length_tells_little_and_has_an_end() {
        let right = keys(7, "7103");
        let short = seal(&right, b"a").expect("sealed").len();
        assert_eq!(seal(&right, &[b'x'; 1900]).expect("sealed").len(), short);
        assert_eq!(
            seal(&right, &[b'x'; SEALED_MAX]).err(),
            Some(DraftError::TooLarge)
        );
        let empty = seal(&right, b"").expect("sealed");
        assert!(open(&right, &empty).expect("opens").is_empty());
    }

    #[test]
    fn neither_code_nor_proof_is_told_by_a_log() {
        let right = keys(7, "7103");
        let said = format!(
            "{right:?} {:?} {:?}",
            right.proof,
            ResumeCode::from_random([7; 5])
        );
        assert!(!said.contains(&ResumeCode::from_random([7; 5]).plain()), "{said}");
        assert!(!said.contains(&right.proof.to_text()), "{said}");
    }

    #[test]
    fn five_wrong_tries_shut_it() {
        let left = [1, 4, 5, 6].map(tries_left);
        assert_eq!(left, [Some(4), Some(1), None, Some(4)]);
    }

    proptest! {
        #[test]
        fn a_code_is_of_one_kind_only(random: [u8; 5]) {
            let code = ResumeCode::from_random(random);
            prop_assert_eq!(code.to_string().to_lowercase().parse(), Ok(code));
            prop_assert_eq!(code.plain().parse::<Code>(), Err(CodeError::Check));
            let receipt = Code::from_random(random);
            prop_assert_eq!(receipt.plain().parse::<ResumeCode>(), Err(CodeError::Check));
        }

        #[test]
        fn names_and_proofs_travel_as_text(name: [u8; 16]) {
            let id = DraftId(name);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn no_bytes_make_it_panic(sealed: Vec<u8>, text in ".{0,40}") {
            let _ = open(&keys(1, "1"), &sealed);
            let _ = text.parse::<ResumeCode>();
            let _ = text.parse::<DraftId>();
        }
    }
}
