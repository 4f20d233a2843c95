//! A catalogue on its way from the publisher by central and the office to a kiosk, by the real routes.

use std::collections::BTreeMap;
use std::sync::RwLock;

use super::*;
use crate::app::http_client;
use crate::domain::procedure::quito;
use crate::domain::seal::SigningKey;
use crate::domain::submission::peers::{Peer, PeerBook, TokenHash};

fn key(n: u8) -> SigningKey {
    SigningKey::generate(&[n; 32])
}

fn now() -> Timestamp {
    "2026-11-24T14:00:00Z".parse().expect("time")
}

fn bundle(version: u64, signer: &SigningKey, next: &[&SigningKey]) -> Vec<u8> {
    let files: BTreeMap<String, Vec<u8>> = quito::FILES
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect();
    bundle_of(version, signer, next, &files)
}

fn bundle_of(
    version: u64,
    signer: &SigningKey,
    next: &[&SigningKey],
    files: &BTreeMap<String, Vec<u8>>,
) -> Vec<u8> {
    let manifest = Manifest {
        v: 1,
        tenant: "quito".into(),
        version,
        made_at: now(),
        expires_at: now() + jiff::SignedDuration::from_hours(24),
        publishers: next.iter().map(|key| key.verifying().to_text()).collect(),
        recipients: vec![],
        files: BTreeMap::new(),
    };
    Bundle::seal(manifest, files, signer).expect("sealed")
}

struct Place {
    _folder: tempfile::TempDir,
    shelf: Shelf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("folder");
    let shelf = Shelf {
        path: folder.path().join("data/catalogue.vcb"),
        tenant: "quito".into(),
        first_keys: vec![key(1).verifying()],
    };
    Place {
        _folder: folder,
        shelf,
    }
}

async fn serve(shelf: &Shelf) -> Source {
    let peer = Peer::with_token("below", "centro", TokenHash::of("secret"));
    let book = Arc::new(RwLock::new(PeerBook::new(vec![peer])));
    let app = routes(shelf.clone(), Gate::new(book, Clock::System));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await.expect("served") });
    Source {
        http: http_client(None).expect("a client"),
        url: format!("http://{address}"),
        credential: "secret".to_owned().into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_goes_down_by_every_step_and_an_unchanged_one_is_not_sent_again() {
    let (central, office, kiosk) = (place(), place(), place());
    let (above, between) = (serve(&central.shelf).await, serve(&office.shelf).await);
    assert!(
        matches!(fetch(&above, &office.shelf, now()).await, Fetched::NoAnswer),
        "none yet"
    );
    let first = bundle(1, &key(1), &[&key(1), &key(2)]);
    central.shelf.install(&first, now()).expect("published");
    assert!(matches!(
        fetch(&above, &office.shelf, now()).await,
        Fetched::Installed(_)
    ));
    let got = fetch(&between, &kiosk.shelf, now()).await;
    let Fetched::Installed(got) = got else {
        panic!("{got:?}")
    };
    assert_eq!(got.manifest.version, 1);
    assert!(matches!(
        fetch(&between, &kiosk.shelf, now()).await,
        Fetched::Same
    ));
    // The announced key signs the next one.
    central
        .shelf
        .install(&bundle(2, &key(2), &[&key(2)]), now())
        .expect("published");
    fetch(&above, &office.shelf, now()).await;
    fetch(&between, &kiosk.shelf, now()).await;
    assert_eq!(kiosk.shelf.installed().expect("installed").manifest.version, 2);
    let stranger = Source {
        credential: "guess".to_owned().into(),
        ..above
    };
    assert!(matches!(
        fetch(&stranger, &place().shelf, now()).await,
        Fetched::NoAnswer
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_server_above_changes_nothing() {
    let (bad, kiosk) = (place(), place());
    let source = serve(&bad.shelf).await;
    let good = bundle(5, &key(1), &[&key(1)]);
    kiosk.shelf.install(&good, now()).expect("installed");
    let mut flipped = bundle(6, &key(1), &[&key(1)]);
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    let empty = bundle_of(6, &key(1), &[&key(1)], &BTreeMap::new());
    let offers = [
        bundle(4, &key(1), &[&key(1)]),
        bundle(6, &key(9), &[&key(9)]),
        flipped,
        empty,
        b"<html>wifi".to_vec(),
    ];
    for offer in offers {
        bad.shelf.put(&offer).expect("put");
        let got = fetch(&source, &kiosk.shelf, now()).await;
        assert!(matches!(got, Fetched::Refused(_)), "{got:?}");
        assert_eq!(kiosk.shelf.bytes(), Some(good.clone()));
    }
    let late = now() + jiff::SignedDuration::from_hours(5 * 365 * 24);
    bad.shelf.put(&bundle(6, &key(1), &[&key(1)])).expect("put");
    assert!(matches!(
        fetch(&source, &kiosk.shelf, late).await,
        Fetched::Refused(_)
    ));
    assert!(
        kiosk.shelf.installed().is_some(),
        "what is installed goes on after its day"
    );
}

#[test]
fn a_changed_file_on_the_disk_is_not_used_and_a_later_one_heals() {
    let kiosk = place();
    kiosk
        .shelf
        .install(&bundle(1, &key(1), &[&key(2)]), now())
        .expect("installed");
    let mut bytes = kiosk.shelf.bytes().expect("there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    kiosk.shelf.put(&bytes).expect("put");
    assert!(kiosk.shelf.installed().is_none());
    let again = kiosk.shelf.install(&bundle(1, &key(2), &[&key(2)]), now());
    assert!(again.is_err(), "the way back stays closed");
    kiosk
        .shelf
        .install(&bundle(2, &key(2), &[&key(2)]), now())
        .expect("heals");
}
