//! A request that a device signed: who asks for what, when, once.
//!
//! The signature covers method, address, body, moment and a number used once, so that a request that was overheard
//! is of no use for another one and not a second time. Pure: the moment and the number are arguments.
//! Begin at [`SignedRequest::sign`] and [`SignedRequest::parse`].

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::is_name;
use crate::domain::seal::{SigningKey, VerifyingKey, hex, unhex};

/// What a device's signature of a request begins with.
pub const REQUEST_DOMAIN: &str = "VSP1//request//";
/// The scheme after `Authorization:`.
pub const SCHEME: &str = "Ventanilla";

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// `GET`, `POST`…
    pub method: &'a str,
    /// The address from the first slash on, with what follows `?`.
    pub target: &'a str,
    /// The body, empty where there is none.
    pub body: &'a [u8],
}

/// What stands in the header of a signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    /// The device.
    pub device: String,
    /// When, by the clock of whoever is asked, in microseconds.
    pub at: i64,
    /// Used once.
    pub nonce: [u8; 16],
    signature: [u8; 64],
}

impl SignedRequest {
    /// Signs what is asked; `nonce` is fresh.
    pub fn sign(asked: Asked<'_>, device: &str, key: &SigningKey, at: Timestamp, nonce: [u8; 16]) -> Self {
        let mut request = Self {
            device: device.to_owned(),
            at: at.as_microsecond(),
            nonce,
            signature: [0; 64],
        };
        request.signature = key.sign(REQUEST_DOMAIN, &request.said(asked));
        request
    }

    fn said(&self, asked: Asked<'_>) -> Vec<u8> {
        format!(
            "{} {}\n{}\n{}\n{}\n{}",
            asked.method,
            asked.target,
            hex(&Sha256::digest(asked.body)),
            self.at,
            hex(&self.nonce),
            self.device,
        )
        .into_bytes()
    }

    /// The value of the header `Authorization`.
    pub fn to_header(&self) -> String {
        format!(
            "{SCHEME} {}.{}.{}.{}",
            self.device,
            self.at,
            hex(&self.nonce),
            BASE64_URL_SAFE_NO_PAD.encode(self.signature)
        )
    }

    /// Reads the header; the signature is not looked at yet.
    pub fn parse(header: &str) -> Option<Self> {
        let rest = header.strip_prefix(SCHEME)?.strip_prefix(' ')?;
        let mut parts = rest.trim().split('.');
        let (device, at, nonce, signature) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || !is_name(device) {
            return None;
        }
        Some(Self {
            device: device.to_owned(),
            at: at.parse().ok()?,
            nonce: unhex(nonce)?,
            signature: BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?.try_into().ok()?,
        })
    }

    /// Whether `key` signed exactly this.
    pub fn is_by(&self, key: &VerifyingKey, asked: Asked<'_>) -> bool {
        key.verify(REQUEST_DOMAIN, &self.said(asked), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'_> = Asked {
        method: "POST",
        target: "/v1/sync/batches?x=1",
        body: b"{}",
    };

    fn signed() -> (SignedRequest, VerifyingKey) {
        let key = SigningKey::generate(&[4; 32]);
        let at = Timestamp::from_second(1_795_500_000).expect("time");
        (
            SignedRequest::sign(ASKED, "kiosk-1", &key, at, [7; 16]),
            key.verifying(),
        )
    }

    #[test]
    fn it_reads_back_and_speaks_of_one_request_only() {
        let (request, key) = signed();
        let read = SignedRequest::parse(&request.to_header()).expect("reads");
        assert_eq!(read, request);
        assert!(read.is_by(&key, ASKED));
        for other in [
            Asked {
                method: "GET",
                ..ASKED
            },
            Asked {
                target: "/v1/sync/batches",
                ..ASKED
            },
            Asked {
                body: b"{} ",
                ..ASKED
            },
        ] {
            assert!(!read.is_by(&key, other), "{other:?}");
        }
        let mut later = read.clone();
        later.at += 1;
        assert!(!later.is_by(&key, ASKED));
        let mut again = read.clone();
        again.nonce[0] ^= 1;
        assert!(!again.is_by(&key, ASKED));
        let mut somebody = read;
        somebody.device = "kiosk-2".into();
        assert!(!somebody.is_by(&key, ASKED));
        assert!(!request.is_by(&SigningKey::generate(&[5; 32]).verifying(), ASKED));
    }

    #[test]
    fn what_is_cut_or_has_too_much_is_no_request() {
        let header = signed().0.to_header();
        for wrong in [
            "",
            "Bearer x",
            "Ventanilla",
            &header[..header.len() - 4],
            &format!("{header}.x"),
            &header.replace("kiosk-1", "Kiosk 1"),
        ] {
            assert_eq!(SignedRequest::parse(wrong), None, "{wrong}");
        }
    }
}
