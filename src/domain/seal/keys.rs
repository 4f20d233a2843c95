//! Keys for sealing and for signing, and their one-line text form.
//!
//! A key is named by its `kid`, a short hash of its public half, so that a file names itself.
//! Nothing here reads or writes a file and nothing here makes randomness: both come from the shell.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::Signer;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, Serializable};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Why a key was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not a key line of the wanted kind.
    #[error("This is not a key of the kind `{wanted}`; give the line that begins with that word")]
    Kind {
        /// The first word that was expected.
        wanted: &'static str,
    },
    /// The line is cut or was changed.
    #[error("The key after `{kind}` is damaged; copy the whole line again")]
    Damaged {
        /// The first word of the line.
        kind: &'static str,
    },
    /// The key does not have the name the line says.
    #[error("The key calls itself {said} but is {found}; copy the whole line again")]
    OtherKid {
        /// The name in the line.
        said: String,
        /// The name of the key that stands there.
        found: String,
    },
}

/// First twelve hexadecimal digits of the SHA-256 of a public key.
pub fn kid_of(public: &[u8]) -> String {
    hex(&Sha256::digest(public)[..6])
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads hexadecimal of exactly `N` bytes.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.as_bytes();
    if text.len() != N * 2 {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut bytes = [0_u8; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

const HPKE_PRIVATE: &str = "ventanilla-hpke-private-1";
const HPKE_PUBLIC: &str = "ventanilla-hpke-public-1";
const SIGN_PRIVATE: &str = "ventanilla-ed25519-private-1";
const SIGN_PUBLIC: &str = "ventanilla-ed25519-public-1";

fn line(kind: &str, kid: &str, bytes: &[u8; 32]) -> String {
    format!("{kind} {kid} {}\n", BASE64_STANDARD.encode(bytes))
}

fn read_line(kind: &'static str, text: &str) -> Result<(String, Zeroizing<[u8; 32]>), KeyError> {
    let mut words = text.split_whitespace();
    if words.next() != Some(kind) {
        return Err(KeyError::Kind { wanted: kind });
    }
    let damaged = KeyError::Damaged { kind };
    let (Some(kid), Some(body), None) = (words.next(), words.next(), words.next()) else {
        return Err(damaged);
    };
    let decoded = Zeroizing::new(BASE64_STANDARD.decode(body).map_err(|_| damaged.clone())?);
    let bytes = <[u8; 32]>::try_from(decoded.as_slice()).map_err(|_| damaged)?;
    Ok((kid.to_owned(), Zeroizing::new(bytes)))
}

fn same_kid(said: String, found: &str) -> Result<(), KeyError> {
    if said == found {
        return Ok(());
    }
    Err(KeyError::OtherKid {
        said,
        found: found.to_owned(),
    })
}

/// Who can open an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The municipality, always.
    Municipality,
    /// The office whose counter continues the case.
    Office,
}

/// The public half of a sealing key, on the kiosk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Name of the key.
    pub kid: String,
    /// Whose key it is.
    pub role: Role,
    pub(super) public: [u8; 32],
}

impl Recipient {
    /// Reads the line `ventanilla-hpke-public-1 <kid> <base64>`.
    pub fn parse(role: Role, text: &str) -> Result<Self, KeyError> {
        let (said, public) = read_line(HPKE_PUBLIC, text)?;
        let kid = kid_of(&*public);
        same_kid(said, &kid)?;
        <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&*public)
            .map_err(|_| KeyError::Damaged { kind: HPKE_PUBLIC })?;
        Ok(Self {
            kid,
            role,
            public: *public,
        })
    }

    /// The key's line, for a file or a configuration.
    pub fn to_text(&self) -> String {
        line(HPKE_PUBLIC, &self.kid, &self.public)
    }
}

/// The private half of a sealing key; never on a kiosk. Its memory is wiped on drop.
#[derive(Clone)]
pub struct OpeningKey {
    kid: String,
    public: [u8; 32],
    pub(super) secret: Zeroizing<[u8; 32]>,
}

impl OpeningKey {
    /// Makes a key of 32 fresh random bytes.
    pub fn generate(random: &[u8; 32]) -> Self {
        let (secret, _) = X25519HkdfSha256::derive_keypair(random);
        Self::from_secret(Zeroizing::new(secret.to_bytes().into()), HPKE_PRIVATE)
            .expect("a key made by the key generator is a key")
    }

    pub(super) fn of_secret(secret: Zeroizing<[u8; 32]>) -> Result<Self, KeyError> {
        Self::from_secret(secret, HPKE_PRIVATE)
    }

    fn from_secret(secret: Zeroizing<[u8; 32]>, kind: &'static str) -> Result<Self, KeyError> {
        let key = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&*secret)
            .map_err(|_| KeyError::Damaged { kind })?;
        let public: [u8; 32] = X25519HkdfSha256::sk_to_pk(&key).to_bytes().into();
        Ok(Self {
            kid: kid_of(&public),
            public,
            secret,
        })
    }

    /// Reads the line `ventanilla-hpke-private-1 <kid> <base64>`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (said, secret) = read_line(HPKE_PRIVATE, text)?;
        let key = Self::from_secret(secret, HPKE_PRIVATE)?;
        same_kid(said, &key.kid)?;
        Ok(key)
    }

    /// The key's line, for a file that only its owner reads.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(line(HPKE_PRIVATE, &self.kid, &self.secret))
    }

    /// Name of the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The half that a kiosk gets.
    pub fn recipient(&self, role: Role) -> Recipient {
        Recipient {
            kid: self.kid.clone(),
            role,
            public: self.public,
        }
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpeningKey({})", self.kid)
    }
}

/// An Ed25519 key that signs; wiped on drop.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// Makes a key of 32 fresh random bytes.
    pub fn generate(random: &[u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(random);
        Self {
            kid: kid_of(key.verifying_key().as_bytes()),
            key,
        }
    }

    /// Reads the line `ventanilla-ed25519-private-1 <kid> <base64>`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (said, secret) = read_line(SIGN_PRIVATE, text)?;
        let key = Self::generate(&secret);
        same_kid(said, &key.kid)?;
        Ok(key)
    }

    /// The key's line, for a file that only its owner reads.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(line(
            SIGN_PRIVATE,
            &self.kid,
            &Zeroizing::new(self.key.to_bytes()),
        ))
    }

    /// Name of the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.key.to_bytes())
    }

    /// The half that others check with.
    pub fn verifying(&self) -> VerifyingKey {
        VerifyingKey {
            kid: self.kid.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// Signs `domain` followed by `message`; the domain keeps a signature from meaning two things.
    pub fn sign(&self, domain: &str, message: &[u8]) -> [u8; 64] {
        self.key.sign(&[domain.as_bytes(), message].concat()).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

/// An Ed25519 key that checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    kid: String,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    /// Reads the line `ventanilla-ed25519-public-1 <kid> <base64>`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (said, public) = read_line(SIGN_PUBLIC, text)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&public)
            .map_err(|_| KeyError::Damaged { kind: SIGN_PUBLIC })?;
        let kid = kid_of(key.as_bytes());
        same_kid(said, &kid)?;
        Ok(Self { kid, key })
    }

    /// The key's line, for a configuration.
    pub fn to_text(&self) -> String {
        line(SIGN_PUBLIC, &self.kid, self.key.as_bytes())
    }

    /// Name of the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Whether `signature` is of this key over `domain` followed by `message`.
    pub fn verify(&self, domain: &str, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.key
            .verify_strict(&[domain.as_bytes(), message].concat(), &signature)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_key_reads_back_and_no_other_does() {
        let seal = OpeningKey::generate(&[1; 32]);
        let sign = SigningKey::generate(&[2; 32]);
        assert_eq!(
            OpeningKey::parse(&seal.to_text()).expect("read").kid(),
            seal.kid()
        );
        assert_eq!(
            SigningKey::parse(&sign.to_text()).expect("read").kid(),
            sign.kid()
        );
        let recipient = seal.recipient(Role::Office);
        assert_eq!(
            Recipient::parse(Role::Office, &recipient.to_text()).as_ref(),
            Ok(&recipient)
        );
        let public = sign.verifying();
        assert_eq!(VerifyingKey::parse(&public.to_text()).as_ref(), Ok(&public));
        assert!(matches!(
            OpeningKey::parse(&sign.to_text()),
            Err(KeyError::Kind { .. })
        ));
        assert!(matches!(
            SigningKey::parse(&public.to_text()),
            Err(KeyError::Kind { .. })
        ));
    }

    #[test]
    fn a_changed_line_is_refused() {
        let text = OpeningKey::generate(&[1; 32]).to_text().to_string();
        let kid = text.split(' ').nth(1).expect("kid").to_owned();
        let other = text.replace(&kid, "000000000000");
        assert!(matches!(
            OpeningKey::parse(&other),
            Err(KeyError::OtherKid { .. })
        ));
        assert!(matches!(
            OpeningKey::parse(&text[..60]),
            Err(KeyError::Damaged { .. })
        ));
    }

    #[test]
    fn a_private_key_does_not_print_itself() {
        let key = SigningKey::generate(&[7; 32]);
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.kid()));
    }
}
