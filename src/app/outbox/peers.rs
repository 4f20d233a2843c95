//! From the settings to the book of those who may hand in; the office and the municipality read theirs here.

use std::path::Path;

use crate::app::StartError;
use crate::config::central::{DeviceConfig, PeerConfig};
use crate::domain::seal::VerifyingKey;
use crate::domain::submission::is_name;
use crate::domain::submission::peers::{Peer, PeerBook, TokenHash};

/// The book of these senders and devices; one that is both stands in both lists under the same id and office.
///
/// Relative paths of keys are seen from `folder`.
pub fn peer_book(
    senders: &[PeerConfig],
    devices: &[DeviceConfig],
    folder: &Path,
) -> Result<PeerBook, StartError> {
    let mut peers: Vec<Peer> = Vec::with_capacity(senders.len() + devices.len());
    for sender in senders {
        let token = TokenHash::from_hex(&sender.token_hash)
            .ok_or_else(|| wrong(&sender.id, "its token_hash is not 64 hex digits"))?;
        let peer = entry(&mut peers, &sender.id, &sender.office)?;
        if peer.token.replace(token).is_some() {
            return Err(wrong(&sender.id, "it stands twice in peers; keep one"));
        }
    }
    for device in devices {
        let path = folder.join(&device.public_key);
        let text = std::fs::read_to_string(&path)
            .map_err(|problem| wrong(&device.id, &format!("{}: {problem}", path.display())))?;
        let key = VerifyingKey::parse(&text)
            .map_err(|problem| wrong(&device.id, &format!("{}: {problem}", path.display())))?;
        let peer = entry(&mut peers, &device.id, &device.office)?;
        if peer.key.replace(key).is_some() {
            return Err(wrong(&device.id, "it stands twice in devices; keep one"));
        }
    }
    Ok(PeerBook::new(peers))
}

fn entry<'a>(peers: &'a mut Vec<Peer>, id: &str, office: &str) -> Result<&'a mut Peer, StartError> {
    if !is_name(id) || !is_name(office) {
        return Err(wrong(id, "id and office may only have a-z, 0-9, - and _"));
    }
    let place = match peers.iter().position(|peer| peer.id == id) {
        Some(place) => place,
        None => {
            peers.push(Peer {
                id: id.to_owned(),
                office: office.to_owned(),
                token: None,
                key: None,
                former: Vec::new(),
                revoked: false,
            });
            peers.len() - 1
        }
    };
    if peers[place].office != office {
        return Err(wrong(id, "peers and devices give it two offices; write the same"));
    }
    Ok(&mut peers[place])
}

fn wrong(id: &str, problem: &str) -> StartError {
    StartError::Setup {
        what: format!("The entry of {id}"),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seal::SigningKey;

    #[test]
    fn a_hub_needs_no_key_and_a_kiosk_behind_it_no_token() {
        let folder = tempfile::tempdir().expect("folder");
        let key = SigningKey::generate(&[1; 32]).verifying();
        std::fs::write(folder.path().join("k.pub"), key.to_text()).expect("written");
        let hub = PeerConfig {
            id: "hub".into(),
            office: "centro".into(),
            token_hash: TokenHash::of("secret").to_hex(),
        };
        let mut kiosk = DeviceConfig {
            id: "kiosk-1".into(),
            office: "centro".into(),
            public_key: "k.pub".into(),
        };
        let book = peer_book(
            std::slice::from_ref(&hub),
            std::slice::from_ref(&kiosk),
            folder.path(),
        )
        .expect("a book");
        assert_eq!(book.by_token("secret").map(|peer| peer.id.as_str()), Some("hub"));
        assert_eq!(book.keys(), vec![key]);
        kiosk.id = "hub".into();
        kiosk.office = "sur".into();
        let error = peer_book(std::slice::from_ref(&hub), &[kiosk], folder.path()).expect_err("two offices");
        assert!(error.to_string().contains("hub"), "{error}");
        let twice = [hub.clone(), hub];
        assert!(peer_book(&twice, &[], folder.path()).is_err());
    }
}
