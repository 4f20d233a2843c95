//! A text with its signature: what a server or a publisher says in a way that others can prove.
//!
//! The text is kept exactly as it was signed and is only read after the signature was checked.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{SigningKey, VerifyingKey, hex, unhex};

/// JSON exactly as it was signed, and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The signed bytes.
    pub body: String,
    /// Name of the key.
    pub kid: String,
    /// The signature, hexadecimal.
    pub signature: String,
}

impl Signed {
    /// Writes and signs `body`; `domain` keeps a signature from meaning two things.
    pub fn new<T: Serialize>(domain: &str, body: &T, key: &SigningKey) -> Self {
        let body = serde_json::to_string(body).expect("what is signed is plain data");
        let signature = hex(&key.sign(domain, body.as_bytes()));
        Self {
            body,
            kid: key.kid().to_owned(),
            signature,
        }
    }

    /// What it says, if one of `keys` signed it under `domain`.
    pub fn read<T: DeserializeOwned>(&self, domain: &str, keys: &[VerifyingKey]) -> Option<T> {
        let signature = unhex(&self.signature)?;
        let key = keys.iter().find(|key| key.kid() == self.kid)?;
        if !key.verify(domain, self.body.as_bytes(), &signature) {
            return None;
        }
        serde_json::from_str(&self.body).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_signed_bytes_under_their_own_domain_are_read() {
        let key = SigningKey::generate(&[6; 32]);
        let keys = [key.verifying()];
        let signed = Signed::new("A//", &[1, 2], &key);
        assert_eq!(signed.read::<Vec<u8>>("A//", &keys), Some(vec![1, 2]));
        assert_eq!(signed.read::<Vec<u8>>("B//", &keys), None);
        assert_eq!(signed.read::<Vec<u8>>("A//", &[]), None);
        let other = [SigningKey::generate(&[7; 32]).verifying()];
        assert_eq!(signed.read::<Vec<u8>>("A//", &other), None);
        let mut changed = signed.clone();
        changed.body = "[1,3]".into();
        assert_eq!(changed.read::<Vec<u8>>("A//", &keys), None);
        assert_eq!(signed.read::<String>("A//", &keys), None, "another shape");
    }
}
