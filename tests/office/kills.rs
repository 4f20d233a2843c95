//! `kill -9` of kiosk, office and central while citizens confirm: what was acknowledged is at the municipality once.
//!
//! Office and central are the program itself; the kiosk is this test's own program started again, which confirms as
//! a kiosk does and prints each id after its commit. `VENTANILLA_KILLS=100` makes a night of it.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ventanilla::app::Stop;
use ventanilla::app::outbox::confirm::{Case, Sealer};
use ventanilla::app::outbox::{Sender, Upstream, keyfile};
use ventanilla::clock::{Clock, random};
use ventanilla::config::central::{CentralConfig, DeviceConfig, PeerConfig};
use ventanilla::config::office::{
    CounterConfig, Identity, KioskConfig, OfficeConfig, QueueConfig, Upstream as Above, token_hash,
};
use ventanilla::domain::id::{Moment, SubmissionId};
use ventanilla::domain::redacted::Redacted;
use ventanilla::domain::seal::{OpeningKey, Role, SigningKey};
use ventanilla::domain::submission::Content;
use ventanilla::domain::submission::peers::TokenHash;
use ventanilla::store::{Db, central, inbox, kiosk, outbox};
use ventanilla::sync::client::Client;
use ventanilla::sync::plan::Delays;

use super::support::{Running, ventanilla};

/// Tells the program that it is the kiosk of the folder after it.
const KIOSK: &str = "VENTANILLA_TEST_KIOSK";
/// Rounds where nobody asks for more.
const ROUNDS: u32 = 10;
/// A port for each, so that a role that starts again is found; the system gave them out a moment ago.
const PATIENCE: Duration = Duration::from_secs(120);

fn device_key() -> SigningKey {
    SigningKey::generate(&[21; 32])
}

struct Ports {
    office: u16,
    central: u16,
}

impl Ports {
    fn free() -> Self {
        let one = || std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let (office, central) = (one(), one());
        let port = |listener: &std::net::TcpListener| listener.local_addr().expect("an address").port();
        Self {
            office: port(&office),
            central: port(&central),
        }
    }
}

fn write_settings(folder: &Path, ports: &Ports) {
    let at = |name: &str| folder.join(name);
    std::fs::write(at("kiosk.pub"), device_key().verifying().to_text()).expect("a key");
    for name in ["office", "central"] {
        let key = keyfile::signing(&at(&format!("{name}-receipt.key"))).expect("a key");
        std::fs::write(at(&format!("{name}-receipt.pub")), key.verifying().to_text()).expect("a key");
    }
    std::fs::write(at("hub.token"), "the hub's token").expect("a token");
    let local = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let central = CentralConfig {
        listen: local(ports.central),
        data: at("central"),
        store: None,
        public_url: "https://ventanilla.example".into(),
        receipt_key: at("central-receipt.key"),
        municipality_key: None,
        municipality_public: None,
        staff_token_hash: vec![],
        behind_proxy: false,
        peers: vec![PeerConfig {
            id: "hub".into(),
            office: "quitumbe".into(),
            token_hash: TokenHash::of("the hub's token").to_hex(),
        }],
        devices: vec![DeviceConfig {
            id: "k1".into(),
            office: "quitumbe".into(),
            public_key: at("kiosk.pub"),
        }],
        published: None,
        backup: None,
        epoch_file: None,
        tls: None,
        onward: Vec::new(),
        retention: None,
        fleet: Default::default(),
        offices: std::collections::BTreeMap::new(),
    };
    let identity = Identity {
        id: "quitumbe".into(),
        name: "Quitumbe".into(),
        kind: "Administración Zonal".into(),
        room: "Sala A".into(),
    };
    let office = OfficeConfig {
        kiosks: vec![KioskConfig {
            id: "k1".into(),
            token_hash: token_hash("the kiosk's token"),
            public_key: Some(at("kiosk.pub")),
        }],
        central: Some(Above {
            url: format!("http://{}", local(ports.central)),
            token_file: Some(at("hub.token")),
            device_key: None,
            authority: None,
            receipt_keys: vec![at("central-receipt.pub")],
        }),
        receipt_key: Some(at("office-receipt.key")),
        ..OfficeConfig::new(
            local(ports.office),
            at("office"),
            identity,
            vec![QueueConfig::new("tributos", "Tributos", "T")],
            vec![CounterConfig {
                number: 1,
                serves: vec!["tributos".into()],
                then_serves: Vec::new(),
            }],
        )
    };
    std::fs::write(at("central.toml"), toml::to_string(&central).expect("settings")).expect("settings");
    std::fs::write(at("office.toml"), toml::to_string(&office).expect("settings")).expect("settings");
    std::fs::write(at("office.port"), ports.office.to_string()).expect("a port");
}

fn start(role: &str, folder: &Path) -> Running {
    let mut command = ventanilla();
    command
        .arg(role)
        .arg("--config")
        .arg(folder.join(format!("{role}.toml")));
    Running::start(&mut command)
}

/// The kiosk's process, and the ids it acknowledged.
struct Kiosk {
    child: Child,
    acknowledged: mpsc::Receiver<String>,
}

impl Kiosk {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "kills::the_kiosk_itself", "--nocapture"])
            .env(KIOSK, folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the kiosk starts");
        let lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let (tell, acknowledged) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // A line that was cut by the kill was never read by a citizen.
                if let Some(id) = line.strip_prefix("acknowledged ").filter(|id| id.len() == 36) {
                    let _ = tell.send(id.to_owned());
                }
            }
        });
        Self { child, acknowledged }
    }

    /// Pulls its plug and gives what it acknowledged.
    fn kill(mut self) -> Vec<String> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.acknowledged.iter().collect()
    }
}

/// Confirms without end where it is started as the kiosk; otherwise there is nothing to test here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kiosk_itself() {
    let Some(folder) = std::env::var_os(KIOSK).map(PathBuf::from) else {
        return;
    };
    let db = Db::open(&folder.join("kiosk/kiosk.db"), kiosk::SCHEMA)
        .expect("a file")
        .db;
    let port = std::fs::read_to_string(folder.join("office.port")).expect("a port");
    let token = Redacted::new("the kiosk's token".to_owned());
    let upstream = Upstream {
        client: Client::new(&format!("http://127.0.0.1:{port}"), token, None).expect("a client"),
        receipt_keys: vec![
            keyfile::signing(&folder.join("office-receipt.key"))
                .expect("a key")
                .verifying(),
        ],
    };
    let delays = Delays {
        cap: jiff::SignedDuration::from_millis(200),
        ..Delays::default()
    };
    let (sender, _task) = Sender::start(db.clone(), upstream, Clock::System, Stop::default(), delays);
    let sealer = Sealer {
        device_id: "k1".into(),
        office: "quitumbe".into(),
        key: device_key(),
        recipients: vec![OpeningKey::generate(&[22; 32]).recipient(Role::Municipality)],
    };
    // Ends by being killed, or with the test that started it.
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let sealer = sealer.clone();
        let id = db
            .write(move |conn| confirm(conn, &sealer))
            .await
            .expect("confirmed");
        say(&format!("acknowledged {id}"));
        sender.wake();
    }
}

fn confirm(
    conn: &rusqlite::Connection,
    sealer: &Sealer,
) -> Result<SubmissionId, ventanilla::store::StoreError> {
    let moment = Moment {
        now: Clock::System.now(),
        random: random(),
    };
    let case = Case {
        id: SubmissionId::new(moment),
        form_id: "residencia".into(),
        form_version: "3".into(),
        catalogue: "00".repeat(32),
        procedure: "residencia".into(),
        procedure_name: "Certificado de residencia".into(),
        queue: None,
    };
    let content = Content {
        v: 1,
        form_id: "residencia".into(),
        form_version: "3".into(),
        procedure_name: "Certificado de residencia".into(),
        language: "es".into(),
        instance_xml: Redacted::new("<data><a>1</a></data>".into()),
        answers: vec![],
        result: None,
        consents: vec![],
        attachments: vec![],
    };
    sealer.confirm(conn, &case, &content, moment, &random())?;
    Ok(case.id)
}

#[expect(clippy::print_stdout, reason = "the line is the acknowledgement")]
fn say(line: &str) {
    use std::io::Write;
    println!("{line}");
    let _ = std::io::stdout().flush();
}

/// How many of a kiosk's submissions wait or are on the line.
fn queued(folder: &Path) -> u32 {
    let db = Db::open(&folder.join("kiosk/kiosk.db"), kiosk::SCHEMA)
        .expect("a file")
        .db;
    db.read(outbox::counts).expect("counts").queued
}

#[test]
fn what_was_acknowledged_is_at_the_municipality_once_whoever_dies() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    write_settings(folder, &Ports::free());
    let rounds = std::env::var("VENTANILLA_KILLS")
        .ok()
        .and_then(|text| text.parse().ok());
    let mut acknowledged: HashSet<String> = HashSet::new();
    let mut roles = [Some(start("central", folder)), Some(start("office", folder))];
    for round in 0..rounds.unwrap_or(ROUNDS) {
        let kiosk = Kiosk::start(folder);
        // At least one was acknowledged in this round, then the plug of one of the three goes at a moment of its own.
        let first = kiosk.acknowledged.recv_timeout(PATIENCE).expect("it confirms");
        assert!(acknowledged.insert(first), "an id twice");
        let wait = u64::from(random::<1>()[0]);
        std::thread::sleep(Duration::from_millis(50 + wait));
        let victim = usize::try_from(round % 3).expect("small");
        if let Some(role) = roles.get_mut(victim) {
            role.take().expect("it runs").kill();
            *role = Some(start(["central", "office"][victim], folder));
        }
        for id in kiosk.kill() {
            assert!(acknowledged.insert(id), "an id twice");
        }
    }
    // The last one sends what waits; it confirms more meanwhile, and these count too.
    let begun = Instant::now();
    loop {
        let kiosk = Kiosk::start(folder);
        std::thread::sleep(Duration::from_millis(1500));
        acknowledged.extend(kiosk.kill());
        if begun.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    drain(folder);
    for role in roles.into_iter().flatten() {
        role.stop();
    }
    let db = Db::open(&folder.join("central/central.db"), central::SCHEMA)
        .expect("a file")
        .db;
    let kept = db.read(|conn| inbox::list(conn, 0, 1_000_000)).expect("listed");
    let ids: HashSet<String> = kept.iter().map(|row| row.id.to_string()).collect();
    assert_eq!(ids.len(), kept.len(), "a submission twice");
    let lost: Vec<_> = acknowledged.difference(&ids).collect();
    assert!(
        lost.is_empty(),
        "{} of {} lost: {lost:?}",
        lost.len(),
        acknowledged.len()
    );
    let devices = db.read(inbox::devices).expect("devices");
    assert!(
        devices
            .iter()
            .all(|device| device.missing.is_empty() && device.doubts == 0),
        "{devices:?}"
    );
}

/// Sends what waits without confirming more, and waits until the office has passed all on.
fn drain(folder: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let db = Db::open(&folder.join("kiosk/kiosk.db"), kiosk::SCHEMA)
            .expect("a file")
            .db;
        let port = std::fs::read_to_string(folder.join("office.port")).expect("a port");
        let token = Redacted::new("the kiosk's token".to_owned());
        let key = keyfile::signing(&folder.join("office-receipt.key")).expect("a key");
        let upstream = Upstream {
            client: Client::new(&format!("http://127.0.0.1:{port}"), token, None).expect("a client"),
            receipt_keys: vec![key.verifying()],
        };
        let stop = Stop::default();
        let (_sender, task) = Sender::start(db, upstream, Clock::System, stop.clone(), Delays::default());
        let office = Db::open(
            &folder.join("office/office.db"),
            ventanilla::store::office::SCHEMA,
        );
        let office = office.expect("a file").db;
        let begun = Instant::now();
        loop {
            let waiting = queued(folder) + office.read(outbox::counts).expect("counts").queued;
            if waiting == 0 {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{waiting} still wait");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.stop();
        let _ = task.await;
    });
}
