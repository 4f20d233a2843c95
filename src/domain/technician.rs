//! The technician's way in at a kiosk, without network and without a password that could be told on.
//!
//! The kiosk shows a number that it just thought up; whoever holds the municipality's technician key answers it with
//! a code that fits this number at this kiosk and nothing else. So no clock has to be right, no counter can fall out of
//! step, and a code that was overheard is worth nothing. Begin at [`Door`].

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::seal::{hex, unhex};

/// Digits of the number on the screen.
const QUESTION_DIGITS: u32 = 6;
/// Digits of the code.
pub const CODE_DIGITS: usize = 8;
/// Wrong codes until the door is shut for a while.
const TRIES: u32 = 5;
/// How long it is shut the first time; twice as long each time after.
const SHUT: SignedDuration = SignedDuration::from_mins(15);
/// How long a number may be answered.
const LASTS: SignedDuration = SignedDuration::from_mins(15);

/// What the technician's laptop and, made from it, each kiosk know.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl Secret {
    /// A key of these random bytes, for all kiosks of a municipality; it stays with whoever sends technicians.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text.trim()).map(Self)
    }

    /// 64 hexadecimal digits, for its file.
    pub fn to_text(&self) -> String {
        hex(&self.0)
    }

    /// What one kiosk keeps; a stolen kiosk opens no other.
    #[must_use]
    pub fn of_device(&self, device: &str) -> Self {
        Self(self.mac(&["VSP1//technician-device//", device]))
    }

    /// The code that answers a number at the device whose secret this is.
    pub fn code(&self, question: &str) -> String {
        let hash = self.mac(&["VSP1//technician-code//", question]);
        let word = u64::from_be_bytes(std::array::from_fn(|n| hash[n]));
        format!("{:0width$}", word % 10_u64.pow(8), width = CODE_DIGITS)
    }

    fn mac(&self, parts: &[&str]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knocked {
    /// It fits.
    Open,
    /// It does not; so many tries are left.
    Wrong(u32),
    /// Nobody is let in before then.
    Shut(Timestamp),
}

/// The door of one kiosk; it remembers wrong codes for as long as the program runs.
#[derive(Clone, Debug, Default)]
pub struct Door {
    question: Option<(String, Timestamp)>,
    wrong: u32,
    shut_until: Option<Timestamp>,
    shut_times: u32,
}

impl Door {
    /// A new number to be answered, or until when nobody is let in.
    ///
    /// # Errors
    /// Until when it is shut.
    pub fn ask(&mut self, now: Timestamp, random: [u8; 16]) -> Result<String, Timestamp> {
        if let Some(until) = self.shut_until.filter(|until| *until > now) {
            return Err(until);
        }
        let word = u64::from_be_bytes(std::array::from_fn(|n| random[n]));
        let number = word % 10_u64.pow(QUESTION_DIGITS);
        let question = format!("{number:0width$}", width = QUESTION_DIGITS as usize);
        self.question = Some((question.clone(), now));
        Ok(question)
    }

    /// Tries a code; a number is answered once, rightly or five times wrongly.
    pub fn knock(&mut self, secret: &Secret, given: &str, now: Timestamp) -> Knocked {
        if let Some(until) = self.shut_until.filter(|until| *until > now) {
            return Knocked::Shut(until);
        }
        let fits = self.question.as_ref().is_some_and(|(question, asked)| {
            let fresh = now.duration_since(*asked).abs() <= LASTS;
            fresh && bool::from(secret.code(question).as_bytes().ct_eq(given.as_bytes()))
        });
        if fits {
            *self = Self::default();
            return Knocked::Open;
        }
        self.wrong += 1;
        if self.wrong < TRIES {
            return Knocked::Wrong(TRIES - self.wrong);
        }
        let until = now + SHUT * (1 << self.shut_times.min(6));
        self.question = None;
        self.wrong = 0;
        self.shut_times += 1;
        self.shut_until = Some(until);
        Knocked::Shut(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_795_500_000 + minute * 60).expect("a time")
    }

    #[test]
    fn a_code_fits_one_number_at_one_kiosk_once() {
        let master = Secret::new([7; 32]);
        let (k1, k2) = (master.of_device("k1"), master.of_device("k2"));
        let mut door = Door::default();
        let question = door.ask(at(0), [1; 16]).expect("open");
        assert_eq!(question.len(), 6);
        let code = k1.code(&question);
        assert_eq!(code.len(), CODE_DIGITS);
        assert_ne!(code, k2.code(&question), "another kiosk's");
        assert_eq!(door.knock(&k2, &code, at(1)), Knocked::Wrong(4));
        assert_eq!(door.knock(&k1, &code, at(2)), Knocked::Open);
        assert!(
            matches!(door.knock(&k1, &code, at(3)), Knocked::Wrong(_)),
            "a second time"
        );
        let other = door.ask(at(4), [2; 16]).expect("open");
        assert!(
            matches!(door.knock(&k1, &code, at(4)), Knocked::Wrong(_)),
            "an older number's"
        );
        assert!(
            matches!(door.knock(&k1, &k1.code(&other), at(20)), Knocked::Wrong(_)),
            "too late"
        );
        assert_eq!(Secret::parse(&k1.to_text()), Some(k1));
        assert_eq!(format!("{master:?}"), "Secret(***)");
    }

    #[test]
    fn five_wrong_codes_shut_the_door_and_the_next_five_for_longer() {
        let secret = Secret::new([7; 32]);
        let mut door = Door::default();
        let question = door.ask(at(0), [1; 16]).expect("open");
        for left in [4, 3, 2, 1] {
            assert_eq!(door.knock(&secret, "00000000", at(0)), Knocked::Wrong(left));
        }
        assert_eq!(door.knock(&secret, "00000000", at(0)), Knocked::Shut(at(15)));
        assert_eq!(
            door.knock(&secret, &secret.code(&question), at(14)),
            Knocked::Shut(at(15)),
            "the right one comes too late"
        );
        assert_eq!(door.ask(at(14), [2; 16]), Err(at(15)));
        door.ask(at(15), [2; 16]).expect("open again");
        for _ in 0..4 {
            door.knock(&secret, "00000000", at(15));
        }
        assert_eq!(door.knock(&secret, "00000000", at(15)), Knocked::Shut(at(45)));
    }
}
