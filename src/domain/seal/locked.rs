//! A private key that only opens with a passphrase: how the municipality's key lies on a disk.
//!
//! Argon2id makes a key of the passphrase, ChaCha20-Poly1305 locks the key's line under it. The passphrase is never
//! kept. Salt and nonce are arguments. Begin at [`lock`] and [`unlock`].

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use zeroize::Zeroizing;

use super::OpeningKey;

const WORD: &str = "ventanilla-locked-1";
/// 64 MiB and three passes: half a second here, years for a list of passphrases.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// Shorter ones are guessed.
pub const PASSPHRASE_MIN: usize = 12;

/// Why a locked key stays locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Not such a line, or cut.
    #[error("This is no locked key; give the line that begins with {WORD}")]
    Malformed,
    /// It does not open.
    #[error("The passphrase is wrong, or the locked key was changed")]
    Wrong,
    /// It is too short.
    #[error("The passphrase has fewer than {PASSPHRASE_MIN} characters; four words are a good one")]
    Short,
}

/// Locks a key; `salt` and `nonce` are fresh.
///
/// # Errors
/// When the passphrase is too short.
pub fn lock(
    key: &OpeningKey,
    passphrase: &str,
    salt: [u8; 16],
    nonce: [u8; 12],
) -> Result<String, LockError> {
    if passphrase.chars().count() < PASSPHRASE_MIN {
        return Err(LockError::Short);
    }
    let text = key.to_text();
    let sealed = cipher(passphrase, &salt)?
        .encrypt(
            &Nonce::from(nonce),
            Payload {
                msg: text.as_bytes(),
                aad: key.kid().as_bytes(),
            },
        )
        .map_err(|_| LockError::Malformed)?;
    let body = [&salt[..], &nonce[..], &sealed[..]].concat();
    Ok(format!("{WORD} {} {}\n", key.kid(), BASE64_STANDARD.encode(body)))
}

/// Whether a text is meant as a locked key.
pub fn is_locked(text: &str) -> bool {
    text.trim_start().starts_with(WORD)
}

/// Opens a locked key.
///
/// # Errors
/// When it is none, or the passphrase is wrong.
pub fn unlock(text: &str, passphrase: &str) -> Result<OpeningKey, LockError> {
    let mut words = text.split_whitespace();
    let (Some(WORD), Some(kid), Some(body), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(LockError::Malformed);
    };
    let body = BASE64_STANDARD.decode(body).map_err(|_| LockError::Malformed)?;
    let (salt, rest) = body.split_first_chunk::<16>().ok_or(LockError::Malformed)?;
    let (nonce, sealed) = rest.split_first_chunk::<12>().ok_or(LockError::Malformed)?;
    let line = cipher(passphrase, salt)?
        .decrypt(
            &Nonce::from(*nonce),
            Payload {
                msg: sealed,
                aad: kid.as_bytes(),
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| LockError::Wrong)?;
    let line = std::str::from_utf8(&line).map_err(|_| LockError::Malformed)?;
    OpeningKey::parse(line).map_err(|_| LockError::Malformed)
}

fn cipher(passphrase: &str, salt: &[u8; 16]) -> Result<ChaCha20Poly1305, LockError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|_| LockError::Malformed)?;
    let mut key = Zeroizing::new([0_u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|_| LockError::Malformed)?;
    Ok(ChaCha20Poly1305::new(&Key::from(*key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_key_opens_with_its_passphrase_only() {
        let key = OpeningKey::generate(&[3; 32]);
        let text = lock(&key, "cuatro palabras bien largas", [1; 16], [2; 12]).expect("locked");
        assert!(is_locked(&text) && !text.contains(&*key.to_text()));
        let opened = unlock(&text, "cuatro palabras bien largas").expect("opens");
        assert_eq!(opened.kid(), key.kid());
        assert_eq!(
            unlock(&text, "cuatro palabras bien larga").err(),
            Some(LockError::Wrong)
        );
        let other = text.replace(key.kid(), "000000000000");
        let renamed = unlock(&other, "cuatro palabras bien largas").err();
        assert_eq!(renamed, Some(LockError::Wrong));
        assert_eq!(unlock(&text[..40], "x").err(), Some(LockError::Malformed));
        assert_eq!(
            lock(&key, "corta", [1; 16], [2; 12]).err(),
            Some(LockError::Short)
        );
    }
}
