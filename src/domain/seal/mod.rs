//! The sealed envelope of one submission.
//!
//! A fresh content key seals the compressed and padded content; HPKE (X25519, HKDF-SHA256, ChaCha20-Poly1305)
//! seals that key to each recipient. The plain [`Header`] is bound to both, and holds no personal data.
//! The private keys are never on the kiosk, so a stolen kiosk reveals nothing.
//! Begin at [`seal`] and [`open`].
//!
//! Layout, big-endian:
//! `VSE1 | u32 length, header JSON | u8 recipients | each: u8 role, u8 length, kid, 32 enc, 48 sealed key | u32 length, body`.
//! The header is authenticated as the bytes that stand there, so a later version may add fields.

mod keys;
pub mod locked;
pub mod shares;
mod signed;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::submission::Header;

pub use keys::{KeyError, OpeningKey, Recipient, Role, SigningKey, VerifyingKey, hex, kid_of, unhex};
pub use signed::Signed;

/// Largest envelope that travels, in bytes.
pub const ENVELOPE_MAX: usize = 256 * 1024;
/// Sealed bodies come in multiples of this, so that their length says little.
pub const BUCKET: usize = 256;

const MAGIC: &[u8; 4] = b"VSE1";
const INFO: &[u8] = b"ventanilla/submission/1";
/// More than any form gives; stops a small envelope from unpacking into a large memory.
const PLAIN_MAX: usize = 4 * 1024 * 1024;
const SEALED_KEY: usize = 32 + 16;

/// Why something could not be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Nobody could ever open it.
    #[error("Nothing can be sealed without a recipient; give the kiosk the municipality's public key")]
    NoRecipient,
    /// The key of a recipient is no key.
    #[error("The public key {kid} cannot be sealed to; publish it again")]
    BadRecipient {
        /// Which key.
        kid: String,
    },
    /// The form is larger than what travels.
    #[error("The sealed form has {bytes} bytes, more than the {max} that travel")]
    TooLarge {
        /// How large it came out.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The bytes are not an envelope of this version.
    #[error("The envelope is damaged or not one of ours")]
    Malformed,
    /// It was sealed to others.
    #[error("The envelope was not sealed to the key {kid}")]
    OtherRecipient {
        /// The key that was tried.
        kid: String,
    },
    /// Header, key or content were changed since sealing.
    #[error("The envelope was changed after it was sealed")]
    Changed,
}

/// What an envelope says once it is open.
#[derive(Debug)]
pub struct Opened {
    /// The plain header, authenticated.
    pub header: Header,
    /// The content; wiped on drop.
    pub plain: Zeroizing<Vec<u8>>,
    /// A secret of this envelope that only its recipients can know, and always the same: for what has to be
    /// encrypted to somebody else the same way at each try.
    pub seed: Zeroizing<[u8; 32]>,
}

/// Seals `plain` under `header` to every recipient.
///
/// `seed` is 32 fresh random bytes. Header and content are mixed into what is made of it, so that even a seed
/// used twice never puts two contents under one key.
pub fn seal(
    plain: &[u8],
    header: &Header,
    recipients: &[Recipient],
    seed: &[u8; 32],
) -> Result<Vec<u8>, SealError> {
    if recipients.is_empty() {
        return Err(SealError::NoRecipient);
    }
    let header = header.to_bytes();
    let header_hash = Sha256::digest(&header);
    let root = Zeroizing::new(derive(&[seed, &header_hash, &Sha256::digest(plain)]));
    let content_key = Zeroizing::new(derive(&[&*root, b"content"]));

    let mut out = Vec::with_capacity(plain.len() / 2 + 1024);
    out.extend_from_slice(MAGIC);
    put(&mut out, &header);
    out.push(u8::try_from(recipients.len()).map_err(|_| SealError::Malformed)?);
    for (index, recipient) in (0_u8..).zip(recipients) {
        let bad = || SealError::BadRecipient {
            kid: recipient.kid.clone(),
        };
        let public =
            <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&recipient.public).map_err(|_| bad())?;
        let mut random = Given::new(derive(&[&*root, b"recipient", &[index]]));
        let (enc, mut context) = hpke::setup_sender_with_rng::<
            hpke::aead::ChaCha20Poly1305,
            hpke::kdf::HkdfSha256,
            _,
        >(&OpModeS::<X25519HkdfSha256>::Base, &public, INFO, &mut random)
        .map_err(|_| bad())?;
        let sealed = context.seal(&*content_key, &header_hash).map_err(|_| bad())?;
        out.push(match recipient.role {
            Role::Municipality => 0,
            Role::Office => 1,
        });
        out.push(u8::try_from(recipient.kid.len()).map_err(|_| bad())?);
        out.extend_from_slice(recipient.kid.as_bytes());
        out.extend_from_slice(&enc.to_bytes());
        out.extend_from_slice(&sealed);
    }
    let body = cipher(&content_key)
        .encrypt(
            &Nonce::default(),
            Payload {
                msg: &pad(plain),
                aad: &header,
            },
        )
        .map_err(|_| SealError::Malformed)?;
    put(&mut out, &body);
    if out.len() > ENVELOPE_MAX {
        return Err(SealError::TooLarge {
            bytes: out.len(),
            max: ENVELOPE_MAX,
        });
    }
    Ok(out)
}

/// Opens an envelope with a private key.
pub fn open(envelope: &[u8], key: &OpeningKey) -> Result<Opened, SealError> {
    let parts = Parts::read(envelope)?;
    let slot = parts
        .slots
        .iter()
        .find(|slot| slot.kid == key.kid())
        .ok_or_else(|| SealError::OtherRecipient {
            kid: key.kid().to_owned(),
        })?;
    let secret =
        <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&*key.secret).map_err(|_| SealError::Changed)?;
    let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(slot.enc).map_err(|_| SealError::Changed)?;
    let mut context = hpke::setup_receiver::<
        hpke::aead::ChaCha20Poly1305,
        hpke::kdf::HkdfSha256,
        X25519HkdfSha256,
    >(&OpModeR::Base, &secret, &enc, INFO)
    .map_err(|_| SealError::Changed)?;
    let content_key = Zeroizing::new(
        context
            .open(slot.sealed, &Sha256::digest(parts.header))
            .map_err(|_| SealError::Changed)?,
    );
    let content_key =
        Zeroizing::new(<[u8; 32]>::try_from(content_key.as_slice()).map_err(|_| SealError::Changed)?);
    let body = Zeroizing::new(
        cipher(&content_key)
            .decrypt(
                &Nonce::default(),
                Payload {
                    msg: parts.body,
                    aad: parts.header,
                },
            )
            .map_err(|_| SealError::Changed)?,
    );
    Ok(Opened {
        header: Header::from_bytes(parts.header).ok_or(SealError::Malformed)?,
        plain: unpad(&body)?,
        seed: Zeroizing::new(derive(&[&*content_key, b"onward"])),
    })
}

/// Reads the plain header, without any key and so without proof.
pub fn header_of(envelope: &[u8]) -> Result<Header, SealError> {
    Header::from_bytes(Parts::read(envelope)?.header).ok_or(SealError::Malformed)
}

/// The names of the keys that can open it.
pub fn kids_of(envelope: &[u8]) -> Result<Vec<String>, SealError> {
    let parts = Parts::read(envelope)?;
    Ok(parts.slots.iter().map(|slot| slot.kid.to_owned()).collect())
}

pub(super) fn derive(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"ventanilla/seal/1");
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn cipher(key: &[u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(*key))
}

/// Compresses, then says the true length and fills up to the bucket.
fn pad(plain: &[u8]) -> Zeroizing<Vec<u8>> {
    let packed = Zeroizing::new(miniz_oxide::deflate::compress_to_vec(plain, 6));
    // Room for the whole bucket at once: growing would leave copies behind that nobody wipes.
    let size = (4 + packed.len()).next_multiple_of(BUCKET);
    let mut padded = Zeroizing::new(Vec::with_capacity(size));
    put(&mut padded, &packed);
    padded.resize(size, 0);
    padded
}

fn unpad(padded: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let mut rest = padded;
    let packed = take_long(&mut rest)?;
    miniz_oxide::inflate::decompress_to_vec_with_limit(packed, PLAIN_MAX)
        .map(Zeroizing::new)
        .map_err(|_| SealError::Malformed)
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("nothing sealed is four gigabytes long");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

struct Slot<'a> {
    kid: &'a str,
    enc: &'a [u8],
    sealed: &'a [u8],
}

struct Parts<'a> {
    header: &'a [u8],
    slots: Vec<Slot<'a>>,
    body: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(envelope: &'a [u8]) -> Result<Self, SealError> {
        let mut rest = envelope.strip_prefix(MAGIC).ok_or(SealError::Malformed)?;
        let header = take_long(&mut rest)?;
        let recipients = take(&mut rest, 1)?[0];
        let mut slots = Vec::with_capacity(usize::from(recipients));
        for _ in 0..recipients {
            let role = take(&mut rest, 1)?[0];
            if role > 1 {
                return Err(SealError::Malformed);
            }
            let length = usize::from(take(&mut rest, 1)?[0]);
            let kid = std::str::from_utf8(take(&mut rest, length)?).map_err(|_| SealError::Malformed)?;
            let enc = take(&mut rest, 32)?;
            let sealed = take(&mut rest, SEALED_KEY)?;
            slots.push(Slot { kid, enc, sealed });
        }
        let body = take_long(&mut rest)?;
        if !rest.is_empty() || slots.is_empty() {
            return Err(SealError::Malformed);
        }
        Ok(Self { header, slots, body })
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], SealError> {
    let (head, tail) = rest.split_at_checked(length).ok_or(SealError::Malformed)?;
    *rest = tail;
    Ok(head)
}

fn take_long<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], SealError> {
    let (length, tail) = rest.split_first_chunk::<4>().ok_or(SealError::Malformed)?;
    *rest = tail;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| SealError::Malformed)?;
    take(rest, length)
}

/// Hands a library the bytes the shell gave us: hpke asks for 32 bytes of an ephemeral key, RSA for a padding, once.
pub(super) struct Given(Zeroizing<[u8; 32]>);

impl Given {
    /// Gives bytes made of `seed`, always the same ones.
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }
}

impl TryRng for Given {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        // Should a later hpke ask more than once, it gets new bytes each time, never the same ones.
        for chunk in out.chunks_mut(32) {
            chunk.copy_from_slice(&derive(&[&*self.0, b"give"])[..chunk.len()]);
            self.0 = Zeroizing::new(derive(&[&*self.0, b"next"]));
        }
        Ok(())
    }
}

impl TryCryptoRng for Given {}

#[cfg(test)]
mod tests;
