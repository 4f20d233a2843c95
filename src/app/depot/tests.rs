//! A version on its way: whole, cut, changed, old, or signed by somebody else.

use std::sync::RwLock;

use jiff::Timestamp;
use tokio::net::TcpListener;

use super::*;
use crate::clock::Clock;
use crate::domain::release::PartKind;
use crate::domain::seal::SigningKey;
use crate::domain::submission::peers::{Peer, PeerBook, TokenHash};
use crate::sync::credential::Credential;

struct Bench {
    folder: tempfile::TempDir,
    key: SigningKey,
    above: Depot,
    here: Depot,
    source: Source,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let above = Depot::new(&folder.path().join("above"));
        let peers = vec![Peer::with_token("k1", "centro", TokenHash::of("token"))];
        let gate = Gate::new(Arc::new(RwLock::new(PeerBook::new(peers))), Clock::System);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let app = routes(above.clone(), gate);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            here: Depot::new(&folder.path().join("here")),
            key: SigningKey::generate(&[3; 32]),
            above,
            source: Source {
                http: super::super::http_client(None).expect("a client"),
                url,
                credential: Credential::from("token".to_owned()),
            },
            folder,
        }
    }

    /// A version with parts of some size, published above.
    fn publish(&self, version: &str, key: &SigningKey) {
        let parts = self.folder.path().join("parts");
        std::fs::create_dir_all(&parts).expect("folder");
        for (n, kind) in PartKind::ALL.into_iter().enumerate() {
            let byte = u8::try_from(n).expect("four") + version.as_bytes()[0];
            std::fs::write(parts.join(kind.file()), vec![byte; 300_000]).expect("written");
        }
        let release = Release {
            v: 1,
            profile: "kiosk".into(),
            arch: "amd64".into(),
            version: version.into(),
            made_at: Timestamp::UNIX_EPOCH,
            parts: vec![],
        };
        let file = self.folder.path().join("made.vup");
        update::sign(release, &parts, key, &file).expect("signed");
        self.above.publish(&file, &[key.verifying()]).expect("published");
    }

    fn wanted(&self, running: &str) -> Wanted {
        Wanted {
            name: "kiosk-amd64".into(),
            running: Some(running.into()),
            keys: vec![self.key.verifying()],
        }
    }

    async fn fetch(&self, running: &str) -> Fetched {
        fetch(&self.source, &self.here, &self.wanted(running)).await
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.here.folder)
            .into_iter()
            .flatten()
            .flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_arrives_whole_goes_on_after_a_cut_and_is_fetched_once() {
    let bench = Bench::new().await;
    assert!(
        matches!(bench.fetch("1.0").await, Fetched::Same),
        "nothing is published"
    );
    bench.publish("1.1", &bench.key);
    // The line broke after a bit more than the list.
    let bytes = std::fs::read(bench.above.path("kiosk-amd64")).expect("read");
    std::fs::create_dir_all(&bench.here.folder).expect("folder");
    std::fs::write(bench.here.part("kiosk-amd64"), &bytes[..500_000]).expect("written");
    let Fetched::Whole(release) = bench.fetch("1.0").await else {
        panic!("whole")
    };
    assert_eq!(release.version, "1.1");
    assert_eq!(
        std::fs::read(bench.here.path("kiosk-amd64")).expect("read"),
        bytes
    );
    assert!(
        matches!(bench.fetch("1.0").await, Fetched::Same),
        "it is here already"
    );
    assert_eq!(bench.files(), ["kiosk-amd64.vup"]);
    // Of another version only the beginning is here: it is fetched from the start.
    bench.publish("2.0", &bench.key);
    std::fs::write(bench.here.part("kiosk-amd64"), &bytes[..500_000]).expect("written");
    assert!(matches!(bench.fetch("1.0").await, Fetched::Whole(release) if release.version == "2.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_changed_or_of_a_stranger_is_not_kept() {
    let bench = Bench::new().await;
    bench.publish("1.1", &bench.key);
    assert!(
        matches!(bench.fetch("1.1").await, Fetched::Same),
        "what runs is as new"
    );
    assert_eq!(bench.files(), Vec::<String>::new());
    let path = bench.above.path("kiosk-amd64");
    let mut bytes = std::fs::read(&path).expect("read");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).expect("written");
    let refused = bench.fetch("1.0").await;
    assert!(
        matches!(refused, Fetched::Refused(UpdateError::Changed { .. })),
        "{refused:?}"
    );
    // What was begun with other bytes than it ends with is no version either.
    bench.publish("1.1", &bench.key);
    let mut begun = std::fs::read(&path).expect("read")[..600_000].to_vec();
    begun[550_000] ^= 1;
    std::fs::write(bench.here.part("kiosk-amd64"), begun).expect("written");
    assert!(matches!(
        bench.fetch("1.0").await,
        Fetched::Refused(UpdateError::Changed { .. })
    ));
    bench.publish("1.2", &SigningKey::generate(&[4; 32]));
    let refused = bench.fetch("1.0").await;
    assert!(
        matches!(
            refused,
            Fetched::Refused(UpdateError::Release(ReleaseError::NotSigned))
        ),
        "{refused:?}"
    );
    assert_eq!(bench.files(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_fetches_nothing() {
    let bench = Bench::new().await;
    bench.publish("1.1", &bench.key);
    let url = format!("{}/v1/system/kiosk-amd64", bench.source.url);
    let answer = bench.source.http.get(url).send().await.expect("an answer");
    assert_eq!(answer.status(), 401);
}
