//! What the citizen takes home: a short code a person can read aloud and a signed token for the QR.
//!
//! The code finds the submission at the municipality. The token needs no network: any counter that knows the
//! devices' public keys can check it. Neither says who the citizen is.
//! Begin at [`Code`] and [`Token`].

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::seal::{SigningKey, VerifyingKey, hex};
use super::submission::{Hash, Header, is_name};

/// Crockford's base 32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TOKEN_DOMAIN: &str = "VT1//receipt//";
const HASH_DIGITS: usize = 24;

/// The eight characters on the paper: seven random ones and one that checks them.
///
/// Any single wrong character is caught, and any two that changed places.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code([u8; 8]);

/// Why a typed code is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Not eight letters and digits.
    #[error("A receipt code has 8 letters and digits; this has {found}")]
    Length {
        /// How many there were.
        found: usize,
    },
    /// A character that no code has.
    #[error("A receipt code has no character `{found}`")]
    Character {
        /// The character.
        found: char,
    },
    /// A character is wrong or two changed places.
    #[error("A character of the code is wrong or two changed places; read it from the paper again")]
    Check,
}

impl Code {
    /// A code of 35 random bits; the last five of the 40 are not used.
    pub fn from_random(random: [u8; 5]) -> Self {
        Self(checked(random, 0))
    }

    /// Eight characters without the hyphen, as they travel.
    pub fn plain(self) -> String {
        spelled(self.0)
    }
}

/// Seven values of 35 random bits, and an eighth that makes the weighted sum what it is for this kind of code.
pub(super) fn checked(random: [u8; 5], kind: u8) -> [u8; 8] {
    let bits = random
        .iter()
        .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte))
        >> 5;
    let mut values = [0_u8; 8];
    for (place, value) in values.iter_mut().take(7).enumerate() {
        *value = u8::try_from(bits >> (30 - 5 * place) & 31).unwrap_or(0);
    }
    values[7] = sum(&values) ^ kind;
    values
}

/// The characters of eight values.
pub(super) fn spelled(values: [u8; 8]) -> String {
    values
        .iter()
        .map(|value| char::from(ALPHABET[usize::from(*value)]))
        .collect()
}

/// The weighted sum over GF(32), each place with another power of x; the last value counts as it is.
pub(super) fn sum(values: &[u8; 8]) -> u8 {
    let sum = (0_u32..8).fold(0, |sum, place| sum ^ times_x(values[place as usize], 7 - place));
    sum & 31
}

/// Multiplies by x to the power `times` in GF(32) with x⁵ = x² + 1, whose x has order 31.
fn times_x(value: u8, times: u32) -> u8 {
    (0..times).fold(value, |value, _| {
        let doubled = value << 1;
        if doubled & 32 == 0 {
            doubled
        } else {
            doubled ^ 0b10_0101
        }
    })
}

impl FromStr for Code {
    type Err = CodeError;

    /// Forgives case, spaces, hyphens and dots; reads O as 0, I and L as 1.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let values = read(text)?;
        if sum(&values) != 0 {
            return Err(CodeError::Check);
        }
        Ok(Self(values))
    }
}

/// The eight values of a code as people write it, whatever kind it is.
pub(super) fn read(text: &str) -> Result<[u8; 8], CodeError> {
    let mut values = Vec::with_capacity(8);
    for found in text.chars() {
        let upper = match found.to_ascii_uppercase() {
            ' ' | '-' | '.' | '\u{2010}'..='\u{2015}' | '\u{a0}' => continue,
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let value = ALPHABET
            .iter()
            .position(|c| char::from(*c) == upper)
            .ok_or(CodeError::Character { found })?;
        values.push(u8::try_from(value).unwrap_or(0));
    }
    let found = values.len();
    values.try_into().map_err(|_| CodeError::Length { found })
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.plain();
        write!(f, "{}-{}", &plain[..4], &plain[4..])
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({self})")
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.plain()
    }
}

impl TryFrom<String> for Code {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        text.parse()
    }
}

/// `9F3A 61C0 44D2 0B7E`: the beginning of a hash, short enough to compare by eye.
pub fn fingerprint(hash: Hash) -> String {
    hex(&hash.0[..8])
        .to_uppercase()
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a signed receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The code beside it.
    pub code: Code,
    /// The office.
    pub office: String,
    /// The procedure.
    pub procedure: String,
    /// When it was confirmed, to the second, by the device's clock.
    pub at: Timestamp,
    /// First 24 hexadecimal digits of the envelope's hash.
    pub hash: String,
    /// The key of the device that signed.
    pub kid: String,
}

impl Claims {
    /// Whether the receipt speaks of an envelope of this hash.
    pub fn is_of(&self, hash: Hash) -> bool {
        hash.to_hex().starts_with(&self.hash)
    }
}

/// Why a token is not a receipt of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It does not begin like ours or has not all its parts.
    #[error("This is not a receipt of Ventanilla, or it was cut: {problem}")]
    Shape {
        /// Which part is missing or wrong.
        problem: &'static str,
    },
    /// The code in it is wrong.
    #[error("The code in the receipt is wrong")]
    Code(#[source] CodeError),
    /// We do not know the device's key.
    #[error("The receipt was signed with the key {kid}, which is not known here")]
    UnknownKey {
        /// The key.
        kid: String,
    },
    /// Something was changed.
    #[error("The signature does not fit: the receipt was changed or forged")]
    Forged,
}

/// Signs the receipt of a sealed submission: `VT1.<code>.<office>.<procedure>.<time>.<hash>.<kid>.<signature>`.
pub fn issue(header: &Header, hash: Hash, device: &SigningKey) -> String {
    let said = format!(
        "VT1.{}.{}.{}.{}.{}.{}",
        header.code.plain(),
        header.office,
        header.procedure,
        header.created_at.strftime("%Y%m%dT%H%M%SZ"),
        &hash.to_hex()[..HASH_DIGITS],
        device.kid(),
    );
    let signature = device.sign(TOKEN_DOMAIN, said.as_bytes());
    format!("{said}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

/// Whether a text is meant as a token rather than as a code.
pub fn is_token(text: &str) -> bool {
    text.starts_with("VT1.")
}

/// Checks a token against the devices' keys, without any network.
pub fn verify(token: &str, keys: &[VerifyingKey]) -> Result<Claims, TokenError> {
    let shape = |problem| TokenError::Shape { problem };
    let (said, signature) = token.rsplit_once('.').ok_or(shape("it has no signature"))?;
    let parts: Vec<&str> = said.split('.').collect();
    let [version, code, office, procedure, at, hash, kid] = parts[..] else {
        return Err(shape("it does not have eight parts"));
    };
    if version != "VT1" {
        return Err(shape("it does not begin with VT1"));
    }
    let signature: [u8; 64] = BASE64_URL_SAFE_NO_PAD
        .decode(signature)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(shape("its signature is cut"))?;
    let key = keys
        .iter()
        .find(|key| key.kid() == kid)
        .ok_or_else(|| TokenError::UnknownKey { kid: kid.to_owned() })?;
    if !key.verify(TOKEN_DOMAIN, said.as_bytes(), &signature) {
        return Err(TokenError::Forged);
    }
    if !is_name(office) || !is_name(procedure) {
        return Err(shape("its office or procedure is no name"));
    }
    if hash.len() != HASH_DIGITS || !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(shape("its fingerprint is cut"));
    }
    Ok(Claims {
        code: code.parse().map_err(TokenError::Code)?,
        office: office.to_owned(),
        procedure: procedure.to_owned(),
        at: jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", at)
            .and_then(|at| jiff::tz::TimeZone::UTC.to_timestamp(at))
            .map_err(|_| shape("its time is no time"))?,
        hash: hash.to_owned(),
        kid: kid.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::submission::tests::header;

    #[test]
    fn a_code_forgives_how_people_write() {
        let code = Code::from_random([0, 0x42, 0x10, 0x84, 0x20]);
        insta::assert_snapshot!(code, @"0111-111H");
        for written in [
            code.plain(),
            code.to_string().to_lowercase(),
            format!(" {} {} ", &code.plain()[..2], &code.plain()[2..]),
            code.plain().replace('0', "O").replace('1', "l"),
            code.plain().replace('0', "o").replace('1', "I"),
        ] {
            assert_eq!(written.parse(), Ok(code), "{written}");
        }
        assert_eq!("QT7M-4K".parse::<Code>(), Err(CodeError::Length { found: 6 }));
        assert_eq!(
            "QT7M-4KU?".parse::<Code>(),
            Err(CodeError::Character { found: 'U' })
        );
    }

    #[test]
    fn fingerprints_are_groups_of_four() {
        let mut hash = [0; 32];
        hash[..3].copy_from_slice(&[0x9f, 0x3a, 0x61]);
        assert_eq!(fingerprint(Hash(hash)), "9F3A 6100 0000 0000");
    }

    fn token() -> (String, SigningKey) {
        let key = SigningKey::generate(&[6; 32]);
        (issue(&header(1), Hash([0xab; 32]), &key), key)
    }

    #[test]
    fn a_receipt_is_checked_without_network() {
        let (token, key) = token();
        let claims = verify(&token, &[key.verifying()]).expect("ours");
        assert_eq!((claims.code, claims.at), (header(1).code, header(1).created_at));
        assert!(claims.is_of(Hash([0xab; 32])) && !claims.is_of(Hash([0xac; 32])));
        assert!(token.is_ascii() && token.len() < 240, "{}", token.len());
        assert!(matches!(verify(&token, &[]), Err(TokenError::UnknownKey { .. })));
        assert!(matches!(
            verify(&token[..40], &[key.verifying()]),
            Err(TokenError::Shape { .. })
        ));
    }

    #[test]
    fn a_change_of_any_byte_is_refused() {
        let (token, key) = token();
        let keys = [key.verifying()];
        for at in 0..token.len() {
            for new in (b' '..=b'~').filter(|new| *new != token.as_bytes()[at]) {
                let mut bytes = token.clone().into_bytes();
                bytes[at] = new;
                let changed = String::from_utf8(bytes).expect("ascii");
                assert!(verify(&changed, &keys).is_err(), "{changed}");
            }
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_or_two_that_changed_places_are_caught(
            random: [u8; 5], place in 0_usize..8, other in 0_usize..8, add in 1_u8..32,
        ) {
            let code = Code::from_random(random);
            let plain: Vec<char> = code.plain().chars().collect();
            prop_assert_eq!(code.plain().parse(), Ok(code));
            let mut wrong = code.0;
            wrong[place] = (wrong[place] + add) % 32;
            prop_assert_eq!(Code(wrong).plain().parse::<Code>(), Err(CodeError::Check));
            let mut swapped = plain.clone();
            swapped.swap(place, other);
            if swapped != plain {
                let swapped: String = swapped.into_iter().collect();
                prop_assert_eq!(swapped.parse::<Code>(), Err(CodeError::Check));
            }
        }

        #[test]
        fn no_text_makes_the_readers_panic(text in ".{0,200}") {
            let _ = text.parse::<Code>();
            let _ = verify(&text, &[]);
            let _ = verify(&format!("VT1.{text}"), &[SigningKey::generate(&[6; 32]).verifying()]);
        }
    }
}
