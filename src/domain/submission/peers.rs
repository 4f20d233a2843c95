//! Who may hand in what: the devices a server knows.
//!
//! A sender proves itself with a token; each item proves its device with a signature.
//! A sender hands in its own items and those of its office, so an office's hub speaks for its kiosks and for nobody else.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Acknowledgement, Hash, Header, Item, Reason, SUBMISSION_DOMAIN};
use crate::domain::id::SubmissionId;
use crate::domain::seal::{ENVELOPE_MAX, VerifyingKey, header_of, hex, unhex};

/// The SHA-256 of a bearer token, all that a server keeps of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token; tokens are long and random, so one fast hash is enough.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        unhex(text.trim()).map(Self)
    }

    /// 64 hexadecimal digits, for a configuration.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// Whether `token` is the one, in a time that does not depend on where it differs.
    pub fn fits(&self, token: &str) -> bool {
        self.0.ct_eq(&Self::of(token).0).into()
    }
}

/// One that a server knows: a hub has a token, a kiosk behind it a key, a kiosk alone has both.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its id, as in the header.
    pub id: String,
    /// Its office.
    pub office: String,
    /// What its token hashes to, where it hands in itself.
    pub token: Option<TokenHash>,
    /// Checks its submissions and its receipts, where it signs any.
    pub key: Option<VerifyingKey>,
    /// Keys it had before: what they signed then is still on its way, and on paper.
    pub former: Vec<VerifyingKey>,
    /// Taken out of service: it hands in nothing itself any more.
    pub revoked: bool,
}

impl Peer {
    /// One that proves itself with a token.
    pub fn with_token(id: &str, office: &str, token: TokenHash) -> Self {
        Self {
            id: id.to_owned(),
            office: office.to_owned(),
            token: Some(token),
            key: None,
            former: Vec::new(),
            revoked: false,
        }
    }

    /// One that proves itself with a key.
    pub fn with_key(id: &str, office: &str, key: VerifyingKey) -> Self {
        Self {
            id: id.to_owned(),
            office: office.to_owned(),
            token: None,
            key: Some(key),
            former: Vec::new(),
            revoked: false,
        }
    }
}

/// All devices a server knows.
#[derive(Clone, Debug, Default)]
pub struct PeerBook {
    peers: Vec<Peer>,
}

/// An item that passed every check and may be kept.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What it says openly.
    pub header: Header,
    /// The bytes.
    pub item: Item,
    /// The device that handed it in.
    pub sender: String,
}

/// What came in one batch and passed every check.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// The items; none where the sender only asks.
    pub deliveries: Vec<Delivery>,
    /// What the sender shows as our own last word, not checked yet.
    pub last_word: Option<Acknowledgement>,
}

impl PeerBook {
    /// A book of these.
    pub fn new(peers: Vec<Peer>) -> Self {
        Self { peers }
    }

    /// The device whose token this is.
    pub fn by_token(&self, token: &str) -> Option<&Peer> {
        // Every entry is looked at, so the time says nothing about which one it was.
        self.peers.iter().fold(None, |found, peer| match &peer.token {
            Some(hash) if hash.fits(token) => Some(peer),
            Some(_) | None => found,
        })
    }

    /// Adds a device, in the place of one of the same id.
    pub fn put(&mut self, peer: Peer) {
        self.peers.retain(|one| one.id != peer.id);
        self.peers.push(peer);
    }

    /// The devices.
    pub fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// The device of an id.
    pub fn by_id(&self, id: &str) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.id == id)
    }

    /// The keys that receipts may be signed with.
    pub fn keys(&self) -> Vec<VerifyingKey> {
        let keys = self
            .peers
            .iter()
            .flat_map(|peer| peer.key.iter().chain(&peer.former));
        keys.cloned().collect()
    }

    /// Checks one item that `sender` hands in under the name `id`.
    pub fn examine(
        &self,
        sender: &Peer,
        id: SubmissionId,
        envelope: Vec<u8>,
        signature: [u8; 64],
    ) -> Result<Delivery, Reason> {
        if envelope.len() > ENVELOPE_MAX {
            return Err(Reason::TooLarge);
        }
        let header = header_of(&envelope).map_err(|_| Reason::Malformed)?;
        if header.submission_id != id {
            return Err(Reason::Malformed);
        }
        let device = self
            .by_id(&header.device_id)
            .filter(|device| device.office == header.office)
            .filter(|device| device.id == sender.id || device.office == sender.office)
            .ok_or(Reason::UnknownDevice)?;
        let hash = Hash::of(&envelope);
        let mut keys = device.key.iter().chain(&device.former).peekable();
        keys.peek().ok_or(Reason::UnknownDevice)?;
        if !keys.any(|key| key.verify(SUBMISSION_DOMAIN, &hash.0, &signature)) {
            return Err(Reason::BadSignature);
        }
        Ok(Delivery {
            header,
            item: Item {
                id,
                hash,
                signature,
                envelope,
            },
            sender: sender.id.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seal::{OpeningKey, Role, SigningKey, seal};
    use crate::domain::submission::tests::header;

    fn peer(id: &str, office: &str, n: u8) -> (Peer, SigningKey) {
        let key = SigningKey::generate(&[n; 32]);
        let peer = Peer {
            token: Some(TokenHash::of(id)),
            ..Peer::with_key(id, office, key.verifying())
        };
        (peer, key)
    }

    #[test]
    fn a_hub_speaks_for_its_kiosks_and_for_nobody_else() {
        let (kiosk, key) = peer("kiosk-1", "centro", 1);
        let (hub, _) = peer("hub-centro", "centro", 2);
        let (stranger, _) = peer("hub-sur", "sur", 3);
        let book = PeerBook::new(vec![kiosk.clone(), hub.clone(), stranger.clone()]);
        let to = [OpeningKey::generate(&[9; 32]).recipient(Role::Municipality)];
        let header = header(1);
        let envelope = seal(b"x", &header, &to, &[1; 32]).expect("sealed");
        let item = Item::sign(header.submission_id, envelope.clone(), &key);
        let examine = |sender: &Peer, signature| {
            book.examine(sender, header.submission_id, envelope.clone(), signature)
                .map(|delivery| delivery.item)
        };
        assert_eq!(examine(&kiosk, item.signature), Ok(item.clone()));
        assert_eq!(examine(&hub, item.signature), Ok(item.clone()));
        assert_eq!(examine(&stranger, item.signature), Err(Reason::UnknownDevice));
        let mut bad = item.signature;
        bad[10] ^= 1;
        assert_eq!(examine(&hub, bad), Err(Reason::BadSignature));
        let other = super::super::tests::header(2).submission_id;
        let result = book.examine(&hub, other, envelope.clone(), item.signature);
        assert_eq!(result.map(|d| d.item), Err(Reason::Malformed));
        assert_eq!(book.by_token("hub-sur").map(|p| p.id.as_str()), Some("hub-sur"));
        assert!(book.by_token("hub").is_none());
    }
}
