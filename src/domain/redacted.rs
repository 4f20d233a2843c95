//! Personal data that must never reach a log.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A value whose `Debug` and `Display` print `***` and whose memory is wiped on drop.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redacted<T: Zeroize>(T);

impl<T: Zeroize> Redacted<T> {
    /// Hides `value`.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the screen, the paper or the seal; never for a log.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Redacted<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T: Zeroize> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// `1714307103` as `17••••7103`: enough for the owner to recognise, too little for a passer-by.
pub fn mask_id(digits: &str) -> String {
    let chars: Vec<char> = digits.chars().collect();
    if chars.len() < 8 {
        return "•".repeat(chars.len());
    }
    let head: String = chars[..2].iter().collect();
    let tail: String = chars[chars.len() - 4..].iter().collect();
    format!("{head}••••{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_value_shows() {
        let id = Redacted::new("1714307103".to_owned());
        assert_eq!(format!("{id} {id:?}"), "*** ***");
        assert_eq!(id.reveal(), "1714307103");
    }

    #[test]
    fn a_masked_id_keeps_two_and_four() {
        assert_eq!(mask_id("1714307103"), "17••••7103");
        assert_eq!(mask_id("12345"), "•••••");
    }
}
