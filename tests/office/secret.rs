//! Kiosk, office and central, each the program itself, let in by code and speaking over TLS of our own authorities:
//! somebody else in the place of one of them gets nothing, and a kiosk that was taken out hands in nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ventanilla::app::outbox::confirm::{Case, Sealer};
use ventanilla::app::outbox::keyfile;
use ventanilla::clock::{Clock, random};
use ventanilla::config::central::CentralConfig;
use ventanilla::config::kiosk::{self, KioskConfig, Place, RecipientConfig};
use ventanilla::config::office::{CounterConfig, Identity, OfficeConfig, QueueConfig, Upstream};
use ventanilla::config::tls::TlsConfig;
use ventanilla::domain::id::{Moment, SubmissionId};
use ventanilla::domain::redacted::Redacted;
use ventanilla::domain::seal::{OpeningKey, Recipient, Role};
use ventanilla::domain::submission::Content;
use ventanilla::store::{self, Db, Schema, inbox};

use super::support::{Running, ventanilla};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Town {
    folder: tempfile::TempDir,
    central: u16,
    central_secret: u16,
    office: u16,
    office_secret: u16,
}

impl Town {
    fn new() -> Self {
        let listeners = [(); 4].map(|()| std::net::TcpListener::bind("127.0.0.1:0").expect("a port"));
        let [central, central_secret, office, office_secret] =
            listeners.map(|listener| listener.local_addr().expect("an address").port());
        let folder = tempfile::tempdir().expect("a folder");
        let city = OpeningKey::generate(&[22; 32]).recipient(Role::Municipality);
        std::fs::write(folder.path().join("municipality.pub"), city.to_text()).expect("written");
        Self {
            folder,
            central,
            central_secret,
            office,
            office_secret,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Settings of central, or of somebody in its place with a folder of their own.
    fn write_central(&self, name: &str) {
        let config = CentralConfig {
            listen: local(self.central),
            data: self.at(name),
            store: None,
            public_url: "https://ventanilla.example".into(),
            fleet: Default::default(),
            receipt_key: self.at(&format!("{name}-receipt.key")),
            municipality_key: None,
            municipality_public: Some(self.at("municipality.pub")),
            staff_token_hash: vec![],
            behind_proxy: false,
            peers: vec![],
            devices: vec![],
            published: None,
            backup: None,
            epoch_file: None,
            tls: Some(TlsConfig {
                listen: local(self.central_secret),
                names: vec![],
            }),
            onward: Vec::new(),
            retention: None,
            offices: Default::default(),
        };
        self.write(name, &config);
    }

    /// Settings of the office, or of somebody in its place.
    fn write_office(&self, name: &str, above: bool) {
        let identity = Identity {
            id: "quitumbe".into(),
            name: "Quitumbe".into(),
            kind: "Administración Zonal".into(),
            room: "Sala A".into(),
        };
        let hub = |file: &str| self.at("hub").join(file);
        let config = OfficeConfig {
            central: above.then(|| Upstream {
                url: format!("https://{}", local(self.central_secret)),
                token_file: None,
                device_key: Some(hub("device.key")),
                authority: Some(hub("authority.pem")),
                receipt_keys: vec![hub("receipt.pub")],
            }),
            receipt_key: Some(self.at(&format!("{name}-receipt.key"))),
            tls: Some(TlsConfig {
                listen: local(self.office_secret),
                names: vec![],
            }),
            ..OfficeConfig::new(
                local(self.office),
                self.at(name),
                identity,
                vec![QueueConfig::new("tributos", "Tributos", "T")],
                vec![CounterConfig {
                    number: 1,
                    serves: vec!["tributos".into()],
                    then_serves: Vec::new(),
                }],
            )
        };
        self.write(name, &config);
    }

    fn write_kiosk(&self) {
        let own = |file: &str| self.at("k1").join(file);
        let config = KioskConfig {
            id: "k1".into(),
            name: "1".into(),
            data: self.at("kiosk"),
            catalogue: None,
            published: None,
            place: Place {
                id: "quitumbe".into(),
                name: "Quitumbe".into(),
                kind: "Administración Zonal".into(),
                hours: String::new(),
                zone: "America/Guayaquil".into(),
                day_cut_hour: 3,
            },
            phone: "1800 510 510".into(),
            printer: format!("dir:{}", self.at("paper").display()),
            printing: Default::default(),
            office: Some(kiosk::Upstream {
                url: format!("https://{}", local(self.office_secret)),
                token_file: None,
                receipt_keys: vec![own("receipt.pub")],
                order_keys: Vec::new(),
                authority: Some(own("authority.pem")),
            }),
            verify_url: "https://ventanilla.example/verify".into(),
            device_key: own("device.key"),
            recipients: vec![RecipientConfig {
                role: "municipality".into(),
                key: own("municipality.pub"),
            }],
            lease_numbers: 20,
            screen: Default::default(),
            technician: None,
            keypad: None,
            metrics: None,
        };
        self.write("kiosk", &config);
    }

    fn write(&self, name: &str, config: &impl serde::Serialize) {
        let text = toml::to_string(config).expect("settings");
        std::fs::write(self.at(&format!("{name}.toml")), text).expect("written");
    }

    fn start(&self, role: &str, name: &str) -> Running {
        let mut command = self.command(role, name);
        if role == "kiosk" {
            command.args(["--display", "none"]);
        }
        Running::start(&mut command)
    }

    fn command(&self, role: &str, name: &str) -> Command {
        let mut command = ventanilla();
        command
            .arg(role)
            .arg("--config")
            .arg(self.at(&format!("{name}.toml")));
        command
    }

    /// Makes a code with `command` and redeems it at the server's secret address.
    fn let_in(&self, command: &mut Command, port: u16, folder: &str) {
        let said = said(command);
        let mut enrol = ventanilla();
        enrol
            .args(["enrol", "--server", &format!("https://{}", local(port))])
            .args([
                "--code",
                &said["code"],
                "--fingerprint",
                &said["fingerprint"],
                "--to",
            ])
            .arg(self.at(folder));
        self::said(&mut enrol);
    }

    fn kiosk_file(&self) -> Db {
        open(&self.at("kiosk/kiosk.db"), store::kiosk::SCHEMA)
    }

    /// A citizen confirms at the kiosk, whose process does not run.
    fn confirm(&self) -> SubmissionId {
        let text = std::fs::read_to_string(self.at("k1/municipality.pub")).expect("a key");
        let sealer = Sealer {
            device_id: "k1".into(),
            office: "quitumbe".into(),
            key: keyfile::signing(&self.at("k1/device.key")).expect("a key"),
            recipients: vec![Recipient::parse(Role::Municipality, &text).expect("a key")],
        };
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
        let id = case.id;
        self.kiosk_file()
            .write_blocking(move |conn| {
                sealer
                    .confirm(conn, &case, &content, moment, &random())
                    .map(|_| ())
            })
            .expect("confirmed");
        id
    }

    fn is_at(&self, file: &str, schema: Schema, id: SubmissionId) -> bool {
        let db = open(&self.at(file), schema);
        db.read(move |conn| inbox::find(conn, id))
            .expect("read")
            .is_some()
    }

    fn arrives(&self, id: SubmissionId) {
        until("it is at central", || {
            self.is_at("central/central.db", store::central::SCHEMA, id)
        });
    }
}

fn local(port: u16) -> std::net::SocketAddr {
    std::net::SocketAddr::from(([127, 0, 0, 1], port))
}

fn open(path: &Path, schema: Schema) -> Db {
    Db::open(path, schema).expect("a file").db
}

/// Why a submission still waits in an outbox.
fn why(db: &Db, id: SubmissionId) -> String {
    let why = db.read(move |conn| {
        let text: Option<String> = conn.query_row(
            "SELECT why FROM outbox WHERE submission_id=?1 AND state='QUEUED'",
            [id.to_string()],
            |row| row.get(0),
        )?;
        Ok(text)
    });
    why.unwrap_or_default().unwrap_or_default()
}

/// Runs a command to its end and reads its lines of name and value.
#[track_caller]
fn said(command: &mut Command) -> HashMap<String, String> {
    let done = command.stdin(Stdio::null()).output().expect("it runs");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {errors}");
    let text = String::from_utf8(done.stdout).expect("text");
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn whoever_stands_in_the_place_of_office_or_central_gets_nothing() {
    let town = Town::new();
    town.write_central("central");
    let central = town.start("central", "central");
    let mut code = town.command("central", "central");
    code.args(["enrol-code", "--device", "quitumbe", "--office", "quitumbe"]);
    town.let_in(&mut code, town.central_secret, "hub");
    town.write_office("office", true);
    let office = town.start("office", "office");
    let mut code = town.command("office", "office");
    code.args(["enrol-code", "--kiosk", "k1"]);
    town.let_in(&mut code, town.office_secret, "k1");
    town.write_kiosk();

    // The way it should be: sealed at the kiosk, over two lines of TLS, to central.
    let first = town.confirm();
    let kiosk = town.start("kiosk", "kiosk");
    town.arrives(first);
    kiosk.stop();

    // Somebody at the office's address with an authority of their own.
    office.stop();
    town.write_office("spoofed-office", false);
    let spoofed = town.start("office", "spoofed-office");
    let second = town.confirm();
    let kiosk = town.start("kiosk", "kiosk");
    let file = town.kiosk_file();
    until("the kiosk was turned away by itself", || {
        why(&file, second) == "no_connection"
    });
    kiosk.stop();
    spoofed.stop();
    assert!(!town.is_at("spoofed-office/office.db", store::office::SCHEMA, second));

    // And at central's; the office keeps what the kiosk hands in.
    central.stop();
    town.write_central("spoofed-central");
    let spoofed = town.start("central", "spoofed-central");
    let office = town.start("office", "office");
    let kiosk = town.start("kiosk", "kiosk");
    let hub = open(&town.at("office/office.db"), store::office::SCHEMA);
    until("the office was turned away by itself", || {
        why(&hub, second) == "no_connection"
    });
    spoofed.stop();
    assert!(!town.is_at("spoofed-central/central.db", store::central::SCHEMA, second));
    let central = town.start("central", "central");
    town.arrives(second);
    kiosk.stop();

    // Taken out of service at the office: it keeps what it holds, and central knows.
    let mut revoke = town.command("office", "office");
    said(revoke.args(["revoke-device", "k1"]));
    let registry = open(&town.at("central/central.db"), store::central::SCHEMA);
    until("central knows", || {
        let rows = registry.look_at(store::devices::all).expect("read");
        rows.iter().any(|row| row.id == "k1" && row.revoked_at.is_some())
    });
    let third = town.confirm();
    let kiosk = town.start("kiosk", "kiosk");
    until("the kiosk is refused", || {
        why(&file, third).starts_with("status_40")
    });
    for (file, schema) in [
        ("office/office.db", store::office::SCHEMA),
        ("central/central.db", store::central::SCHEMA),
    ] {
        assert!(!town.is_at(file, schema, third), "{file}");
    }
    kiosk.stop();
    office.stop();
    central.stop();
}
