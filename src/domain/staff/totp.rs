//! The second step of a login: codes of a telephone that knows the time (RFC 6238), and codes on paper.
//!
//! A code counts once: whoever looks over a shoulder has nothing. Time and secret are arguments.
//! Begin at [`verify`].

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a secret, as many as the hash has.
pub const SECRET_LEN: usize = 20;
/// Seconds in which a code counts.
const STEP_SECONDS: i64 = 30;
/// Steps by which the clock of a telephone may be wrong, either way.
const SKEW: u64 = 1;
/// Digits of a code.
pub const DIGITS: usize = 6;
/// Codes on paper that are given at once.
pub const RECOVERY_CODES: usize = 8;
/// Random bytes of a code on paper: enough that a stolen file does not tell it.
pub const RECOVERY_LEN: usize = 10;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What office and telephone both know.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; SECRET_LEN]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl Secret {
    /// A secret of these random bytes.
    pub fn new(bytes: [u8; SECRET_LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the store and nothing else.
    pub fn bytes(&self) -> &[u8; SECRET_LEN] {
        &self.0
    }

    /// As it is typed into a telephone that has no camera: base32 in groups of four.
    pub fn text(&self) -> String {
        grouped(&base32(&self.0))
    }

    /// The address in the QR code, as authenticator programs read it.
    pub fn address(&self, office: &str, login: &str) -> String {
        let (office, login) = (escaped(office), escaped(login));
        let secret = base32(&self.0);
        format!(
            "otpauth://totp/{office}:{login}?secret={secret}&issuer={office}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}"
        )
    }

    /// What the telephone shows at a moment.
    #[cfg(test)]
    pub(crate) fn shown(&self, now: Timestamp) -> String {
        format!("{:0width$}", self.code(step_of(now)), width = DIGITS)
    }

    /// The code of one step.
    fn code(&self, step: u64) -> u32 {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        // RFC 4226, 5.3: four bytes from where the last one points, without the sign.
        let at = usize::from(hash[hash.len() - 1] & 0x0f);
        let word = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]) & 0x7fff_ffff;
        word % 10_u32.pow(u32::try_from(DIGITS).unwrap_or(6))
    }
}

/// The step of a moment.
fn step_of(now: Timestamp) -> u64 {
    u64::try_from(now.as_second().div_euclid(STEP_SECONDS)).unwrap_or(0)
}

/// The step whose code was given, if it is right now and later than `last`, the newest that was taken.
///
/// Every step is looked at whatever the first says, so that the time tells nothing.
pub fn verify(secret: &Secret, given: &str, now: Timestamp, last: Option<u64>) -> Option<u64> {
    let digits: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let present = step_of(now);
    let mut found = None;
    for step in present.saturating_sub(SKEW)..=present + SKEW {
        let right = format!("{:0width$}", secret.code(step), width = DIGITS);
        let same: Choice = right.as_bytes().ct_eq(digits.as_bytes());
        if bool::from(same) && last.is_none_or(|last| step > last) {
            found = Some(step);
        }
    }
    found
}

/// A code on paper of these random bytes.
pub fn recovery_code(bytes: [u8; RECOVERY_LEN]) -> String {
    grouped(&base32(&bytes))
}

/// A code on paper as somebody typed it, as it is compared; none where it cannot be one.
pub fn typed_recovery(given: &str) -> Option<String> {
    let plain: String = given
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| c.to_ascii_uppercase())
        // Nobody tells these apart on paper, and only one of each is in the alphabet.
        .map(|c| match c {
            '0' => 'O',
            '1' => 'I',
            '8' => 'B',
            other => other,
        })
        .collect();
    let fits = plain.bytes().all(|b| ALPHABET.contains(&b)) && plain.len() == RECOVERY_LEN * 8 / 5;
    fits.then(|| grouped(&plain))
}

fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut word = [0_u8; 8];
        word[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(word);
        for at in 0..(chunk.len() * 8).div_ceil(5) {
            let index = usize::try_from((bits >> (35 - 5 * at)) & 31).unwrap_or(0);
            text.push(char::from(ALPHABET[index]));
        }
    }
    text
}

fn grouped(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    text.bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8; SECRET_LEN] = b"12345678901234567890";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1; the last six of its eight digits.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = step_of(at(second));
            assert_eq!(
                verify(&Secret::new(*SECRET), code, at(second), None),
                Some(step),
                "{second}"
            );
        }
    }

    #[test]
    fn a_code_counts_once_and_for_a_minute_and_a_half_at_the_most() {
        let secret = Secret::new(*SECRET);
        let code = "005924";
        let begun = 1_234_567_890;
        assert!(verify(&secret, " 005 924 ", at(begun), None).is_some());
        for near in [-30, 30] {
            assert!(verify(&secret, code, at(begun + near), None).is_some(), "{near}");
        }
        for far in [-60, 60, 3600] {
            assert_eq!(verify(&secret, code, at(begun + far), None), None, "{far}");
        }
        let step = verify(&secret, code, at(begun), None);
        assert_eq!(verify(&secret, code, at(begun), step), None, "taken already");
        for wrong in ["005925", "", "05924", "00592a", "0059240", "٠٠٥٩٢٤"] {
            assert_eq!(verify(&secret, wrong, at(begun), None), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_reads_as_authenticators_expect() {
        let secret = Secret::new(*SECRET);
        // RFC 4648 base32 of the RFC's own secret.
        assert_eq!(secret.text(), "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ");
        assert_eq!(
            secret.address("Quitumbe sur", "ana"),
            "otpauth://totp/Quitumbe%20sur:ana?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Quitumbe%20sur&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{secret:?}"), "Secret(***)");
    }

    #[test]
    fn a_code_on_paper_is_read_as_people_type_it() {
        let code = recovery_code(*b"0123456789");
        assert_eq!(code.len(), 19);
        let sloppy = code.to_lowercase().replace('-', " ");
        assert_eq!(typed_recovery(&sloppy).as_deref(), Some(code.as_str()));
        assert_eq!(typed_recovery("005924"), None);
    }
}
