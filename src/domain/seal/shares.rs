//! A private key on paper: whole, or in shares of which any two give it back and one alone says nothing.
//!
//! Each byte of the secret is where a straight line over GF(256) meets zero; a share is another point of the line.
//! Two points give the line, one leaves every secret equally likely.
//! The text is made for a printer and for fingers: no look-alikes, short groups, a check at the end of each line.

use zeroize::Zeroizing;

use super::{OpeningKey, SigningKey};

/// What kind of key a paper holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Opens submissions.
    Opening,
    /// Signs.
    Signing,
}

/// A private key of either kind.
#[derive(Clone, Debug)]
pub enum PrivateKey {
    /// Opens submissions.
    Opening(OpeningKey),
    /// Signs.
    Signing(SigningKey),
}

/// A key, or one share of it, as it stands on paper.
#[derive(Clone)]
pub struct Paper {
    kind: Kind,
    kid: String,
    /// Which share; 0 is the whole key.
    number: u8,
    of: u8,
    bytes: Zeroizing<[u8; 32]>,
}

/// Why a paper gives no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaperError {
    /// Something else, or a part of it.
    #[error("This is not a whole key paper; type all its lines, from `kind` to the last number")]
    Malformed,
    /// A line was typed wrong.
    #[error("Line {line} of the key paper has a typing error; compare it letter by letter")]
    Line {
        /// Its number on the paper.
        line: usize,
    },
    /// Two papers that do not belong together.
    #[error("These two papers are not different shares of one key; look at their kid and number")]
    NotTwo,
    /// They give another key than the papers name.
    #[error("The papers do not give the key {kid}; one of them was typed wrong or is of an older key")]
    OtherKey {
        /// Name of the key they should give.
        kid: String,
    },
}

/// Crockford's: no I, L, O, U.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LINES: usize = 4;
const LINE_LETTERS: usize = 13;

impl PrivateKey {
    /// Reads a key file's line of either kind.
    pub fn parse(text: &str) -> Option<Self> {
        let opening = OpeningKey::parse(text).ok().map(Self::Opening);
        opening.or_else(|| SigningKey::parse(text).ok().map(Self::Signing))
    }

    /// The key's line, for a file that only its owner reads.
    pub fn to_text(&self) -> Zeroizing<String> {
        match self {
            Self::Opening(key) => key.to_text(),
            Self::Signing(key) => key.to_text(),
        }
    }

    /// Name of the key.
    pub fn kid(&self) -> &str {
        match self {
            Self::Opening(key) => key.kid(),
            Self::Signing(key) => key.kid(),
        }
    }

    fn paper(&self, number: u8, of: u8, bytes: Zeroizing<[u8; 32]>) -> Paper {
        Paper {
            kind: match self {
                Self::Opening(_) => Kind::Opening,
                Self::Signing(_) => Kind::Signing,
            },
            kid: self.kid().to_owned(),
            number,
            of,
            bytes,
        }
    }

    fn secret(&self) -> Zeroizing<[u8; 32]> {
        match self {
            Self::Opening(key) => key.secret.clone(),
            Self::Signing(key) => key.secret(),
        }
    }

    /// The whole key on one paper, for a safe.
    pub fn whole(&self) -> Paper {
        self.paper(0, 1, self.secret())
    }

    /// `of` shares, any two of which give the key back; `random` is 32 fresh random bytes.
    pub fn split(&self, of: u8, random: &[u8; 32]) -> Vec<Paper> {
        let secret = self.secret();
        (1..=of)
            .map(|number| {
                let mut bytes = Zeroizing::new([0; 32]);
                for (byte, (start, slope)) in bytes.iter_mut().zip(secret.iter().zip(random)) {
                    *byte = start ^ times(*slope, number);
                }
                self.paper(number, of, bytes)
            })
            .collect()
    }
}

impl Paper {
    /// The text to print.
    pub fn to_text(&self) -> Zeroizing<String> {
        let kind = match self.kind {
            Kind::Opening => "opening",
            Kind::Signing => "signing",
        };
        let share = if self.number == 0 {
            "whole".to_owned()
        } else {
            format!("{} of {}, any 2 give the key", self.number, self.of)
        };
        let mut text = Zeroizing::new(format!(
            "ventanilla-paper-1\nkind  {kind}\nkid   {}\nshare {share}\n",
            self.kid
        ));
        let letters = Zeroizing::new(letters_of(&self.bytes));
        for (number, line) in (1..).zip(letters.chunks(LINE_LETTERS)) {
            let groups: Vec<&str> = line
                .chunks(4)
                .filter_map(|group| std::str::from_utf8(group).ok())
                .collect();
            let check = char::from(check(number, line));
            text.push_str(&format!("{number}  {} {check}\n", groups.join(" ")));
        }
        text
    }

    /// Reads what was typed from a paper.
    ///
    /// # Errors
    /// Names the line that was typed wrong.
    pub fn parse(text: &str) -> Result<Self, PaperError> {
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.trim().strip_prefix(name))
                .map(str::trim)
                .ok_or(PaperError::Malformed)
        };
        let kind = match field("kind")? {
            "opening" => Kind::Opening,
            "signing" => Kind::Signing,
            _ => return Err(PaperError::Malformed),
        };
        let share = field("share")?;
        let (number, of) = if share == "whole" {
            (0, 1)
        } else {
            let mut words = share.split(|c: char| !c.is_ascii_alphanumeric());
            let mut word = || words.next()?.parse().ok();
            let number: u8 = word().ok_or(PaperError::Malformed)?;
            let of = share
                .split_whitespace()
                .nth(2)
                .and_then(|word| word.trim_end_matches(',').parse().ok())
                .ok_or(PaperError::Malformed)?;
            if number == 0 || number > of {
                return Err(PaperError::Malformed);
            }
            (number, of)
        };
        let mut letters = Zeroizing::new(Vec::with_capacity(LINES * LINE_LETTERS));
        for line in 1..=LINES {
            let typed = field(&line.to_string())?;
            let mut typed: Vec<u8> = typed.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
            let sign = typed
                .pop()
                .map(|sign| letter(sign).unwrap_or(sign.to_ascii_uppercase()));
            let values: Option<Vec<u8>> = typed.iter().copied().map(letter).collect();
            let values = values.ok_or(PaperError::Line { line })?;
            if values.len() != LINE_LETTERS || sign != Some(check(line, &values)) {
                return Err(PaperError::Line { line });
            }
            letters.extend_from_slice(&values);
        }
        Ok(Self {
            kind,
            kid: field("kid")?.to_owned(),
            number,
            of,
            bytes: bytes_of(&letters).ok_or(PaperError::Malformed)?,
        })
    }

    /// The key of a whole paper.
    ///
    /// # Errors
    /// When it is a share, or does not give the key it names.
    pub fn key(&self) -> Result<PrivateKey, PaperError> {
        if self.number != 0 {
            return Err(PaperError::NotTwo);
        }
        self.made(self.bytes.clone())
    }

    /// The key of two shares.
    ///
    /// # Errors
    /// When they do not belong together, or do not give the key they name.
    pub fn join(&self, other: &Self) -> Result<PrivateKey, PaperError> {
        let together = self.kid == other.kid && self.kind == other.kind && self.number != other.number;
        if !together || self.number == 0 || other.number == 0 {
            return Err(PaperError::NotTwo);
        }
        let (x, z) = (self.number, other.number);
        let apart = inverse(x ^ z);
        let mut secret = Zeroizing::new([0; 32]);
        for (byte, (y, w)) in secret.iter_mut().zip(self.bytes.iter().zip(other.bytes.iter())) {
            *byte = times(times(*y, z) ^ times(*w, x), apart);
        }
        self.made(secret)
    }

    fn made(&self, secret: Zeroizing<[u8; 32]>) -> Result<PrivateKey, PaperError> {
        let other = || PaperError::OtherKey {
            kid: self.kid.clone(),
        };
        let key = match self.kind {
            Kind::Opening => PrivateKey::Opening(OpeningKey::of_secret(secret).map_err(|_| other())?),
            Kind::Signing => PrivateKey::Signing(SigningKey::generate(&secret)),
        };
        if key.kid() == self.kid {
            Ok(key)
        } else {
            Err(other())
        }
    }
}

/// 256 bits and four of filling as 52 letters.
fn letters_of(bytes: &[u8; 32]) -> Vec<u8> {
    (0..LINES * LINE_LETTERS)
        .map(|at| {
            let value = (0..5).fold(0_u8, |value, bit| {
                let place = at * 5 + bit;
                let set = bytes
                    .get(place / 8)
                    .is_some_and(|byte| byte >> (7 - place % 8) & 1 == 1);
                value << 1 | u8::from(set)
            });
            LETTERS[usize::from(value)]
        })
        .collect()
}

fn bytes_of(letters: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    for (at, letter) in letters.iter().enumerate() {
        let value = LETTERS.iter().position(|known| known == letter)?;
        for bit in (0..5).filter(|bit| value >> (4 - bit) & 1 == 1) {
            let place = at * 5 + bit;
            *bytes.get_mut(place / 8)? |= 1 << (7 - place % 8);
        }
    }
    Some(bytes)
}

/// The letter that was meant.
fn letter(typed: u8) -> Option<u8> {
    let upper = match typed.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    LETTERS.contains(&upper).then_some(upper)
}

/// Finds every single wrong letter, two neighbours exchanged, and a line in another's place.
fn check(line: usize, letters: &[u8]) -> u8 {
    let sum = letters.iter().zip(1..).fold(line * 17, |sum, (letter, weight)| {
        let value = LETTERS.iter().position(|known| known == letter).unwrap_or(0);
        sum + value * weight
    });
    // 37 is prime, larger than any letter and weight; its last values borrow the signs that letters do not use.
    let signs = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";
    signs[sum % 37]
}

/// Multiplication in GF(256) with the polynomial of AES.
fn times(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b > 0 {
        if b & 1 == 1 {
            product ^= a;
        }
        a = a << 1 ^ if a & 0x80 == 0 { 0 } else { 0x1b };
        b >>= 1;
    }
    product
}

/// What gives 1 with `a`, which is not 0.
fn inverse(a: u8) -> u8 {
    (1..=255).find(|b| times(a, *b) == 1).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> [PrivateKey; 2] {
        [
            PrivateKey::Opening(OpeningKey::generate(&[3; 32])),
            PrivateKey::Signing(SigningKey::generate(&[4; 32])),
        ]
    }

    #[test]
    fn any_two_papers_give_the_key_and_one_does_not() {
        for key in keys() {
            let shares = key.split(3, &[0xa7; 32]);
            let typed: Vec<Paper> = shares
                .iter()
                .map(|share| Paper::parse(&share.to_text().to_lowercase()).expect("typed"))
                .collect();
            for (a, b) in [(0, 1), (1, 2), (2, 0)] {
                let again = typed[a].join(&typed[b]).expect("joined");
                assert_eq!(*again.to_text(), *key.to_text());
            }
            assert_eq!(typed[0].join(&typed[0]).expect_err("one"), PaperError::NotTwo);
            assert_eq!(typed[0].key().expect_err("a share"), PaperError::NotTwo);
            let other = key.split(3, &[0x11; 32]);
            assert!(matches!(
                typed[0].join(&other[1]),
                Err(PaperError::OtherKey { .. })
            ));
            let whole = Paper::parse(&key.whole().to_text())
                .expect("typed")
                .key()
                .expect("the key");
            assert_eq!(*whole.to_text(), *key.to_text());
        }
    }

    #[test]
    fn one_share_says_nothing_of_the_secret() {
        // For each share and each secret there is exactly one line through both.
        for number in [1, 2, 3] {
            let mut shares: Vec<u8> = (0..=255_u8).map(|slope| 0x5c ^ times(slope, number)).collect();
            shares.sort_unstable();
            assert_eq!(shares, (0..=255).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_wrong_letter_is_named_by_its_line() {
        let [key, _] = keys();
        let text = key.split(2, &[0xa7; 32])[0].to_text();
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in (1..).zip(&lines[4..]) {
            for place in 3..line.len() {
                if line.as_bytes()[place] == b' ' {
                    continue;
                }
                let mut wrong = line.as_bytes().to_vec();
                wrong[place] = if wrong[place] == b'7' { b'8' } else { b'7' };
                let wrong = String::from_utf8(wrong).expect("text");
                let typed = text.replace(line, &wrong);
                assert_eq!(Paper::parse(&typed).err(), Some(PaperError::Line { line: at }));
            }
        }
        let swapped = text.replace(lines[4], &lines[5].replacen('2', "1", 1));
        assert!(Paper::parse(&swapped).is_err());
        assert!(matches!(Paper::parse("x"), Err(PaperError::Malformed)));
    }
}
