//! Functions that make codes: digests, base 64, and what a form draws from its seed.

use super::eval::Scope;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{
    DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD as BASE64,
};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// The algorithms of `digest()`.
pub(super) const DIGESTS: &[&str] = &["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"];

/// Padding is often lost on the way through a sheet.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The text that base 64 hides; nothing where it is not base 64.
pub(super) fn decode(text: &str) -> String {
    let bytes = FORGIVING.decode(text.trim()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Bytes that only this citizen's form draws: a hash of its seed, its id and a counter.
pub(super) fn draw(s: &Scope<'_>) -> [u8; 32] {
    let n = s.draws.get();
    s.draws.set(n + 1);
    let mut hash = Sha256::new();
    hash.update(s.env.seed.to_le_bytes());
    hash.update(n.to_le_bytes());
    hash.update(s.env.instance_id.as_bytes());
    hash.finalize().into()
}

pub(super) fn uuid(s: &Scope<'_>, length: Option<f64>) -> String {
    let draw = draw(s);
    match length {
        Some(length) => {
            let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
            let length = if length >= 1.0 {
                length.min(32.0) as usize
            } else {
                0
            };
            draw.iter()
                .take(length)
                .map(|b| char::from(letters[usize::from(*b) % 36]))
                .collect()
        }
        None => {
            let mut bytes = [0_u8; 16];
            bytes.copy_from_slice(&draw[..16]);
            bytes[6] = bytes[6] & 0x0f | 0x40;
            bytes[8] = bytes[8] & 0x3f | 0x80;
            uuid::Uuid::from_bytes(bytes).to_string()
        }
    }
}

pub(super) fn digest(text: &str, algorithm: &str, encoding: &str) -> String {
    let bytes = match algorithm {
        "MD5" => md5::Md5::digest(text).to_vec(),
        "SHA-1" => sha1::Sha1::digest(text).to_vec(),
        "SHA-256" => Sha256::digest(text).to_vec(),
        "SHA-384" => Sha384::digest(text).to_vec(),
        "SHA-512" => Sha512::digest(text).to_vec(),
        _ => return String::new(),
    };
    match encoding {
        "hex" => bytes.iter().map(|b| format!("{b:02x}")).collect(),
        _ => BASE64.encode(bytes),
    }
}
