//! Central as a process of its own, and submissions sealed as a kiosk seals them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use ventanilla::app::outbox::confirm::{Case, Sealer};
use ventanilla::app::outbox::keyfile;
use ventanilla::clock::{Clock, random};
use ventanilla::config::central::{CentralConfig, DeviceConfig, PeerConfig};
use ventanilla::domain::id::{Moment, SubmissionId};
use ventanilla::domain::receipt::Code;
use ventanilla::domain::redacted::Redacted;
use ventanilla::domain::seal::{OpeningKey, Recipient, Role, SigningKey, VerifyingKey, hex, seal};
use ventanilla::domain::submission::peers::TokenHash;
use ventanilla::domain::submission::{Answer, Content, Header, Item, Verdict};
use ventanilla::store::{Db, kiosk};
use ventanilla::sync::client::Client;
use ventanilla::sync::plan::Reply;

const TOKEN: &str = "the hub's token";
const DEVICE: &str = "kiosk-1";
const OFFICE: &str = "centro";

fn device_key() -> SigningKey {
    SigningKey::generate(&[7; 32])
}

fn recipient() -> Recipient {
    OpeningKey::generate(&[8; 32]).recipient(Role::Municipality)
}

/// A running `ventanilla central`.
pub struct City {
    child: Child,
    address: String,
    key: PathBuf,
}

impl City {
    /// Starts it in `folder`, on PostgreSQL where a URL is given.
    pub fn start(folder: &Path, store: Option<String>) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let public = folder.join("kiosk.pub");
        std::fs::write(&public, device_key().verifying().to_text()).expect("a key");
        let config = CentralConfig {
            listen: "127.0.0.1:0".parse().expect("an address"),
            data: folder.join("data"),
            store,
            public_url: "https://ventanilla.example".into(),
            receipt_key: folder.join("receipt.key"),
            municipality_key: None,
            municipality_public: None,
            staff_token_hash: vec![],
            behind_proxy: false,
            peers: vec![PeerConfig {
                id: "hub".into(),
                office: OFFICE.into(),
                token_hash: TokenHash::of(TOKEN).to_hex(),
            }],
            devices: vec![DeviceConfig {
                id: DEVICE.into(),
                office: OFFICE.into(),
                public_key: public,
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
        let path = folder.join("central.toml");
        std::fs::write(&path, toml::to_string(&config).expect("settings")).expect("settings");
        let mut child = Command::new(env!("CARGO_BIN_EXE_ventanilla"))
            .arg("central")
            .arg("--config")
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let mut address = None;
        for line in lines.map_while(Result::ok) {
            if let Some(at) = line.strip_prefix("central ") {
                address = Some(at.to_owned());
            }
            if line == "ready" {
                break;
            }
        }
        Self {
            child,
            address: address.expect("central's address"),
            key: config.receipt_key,
        }
    }

    /// A line of its own to it.
    pub fn client(&self) -> Client {
        Client::new(&self.address, Redacted::new(TOKEN.to_owned()), None).expect("a client")
    }

    /// The key it signs with.
    pub fn receipt_key(&self) -> VerifyingKey {
        keyfile::signing(&self.key).expect("its key").verifying()
    }

    /// Resident memory, in MB.
    pub fn memory_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("Linux tells memory in /proc");
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok())
            .expect("a number of KiB");
        kib / 1024.0
    }

    /// Ends it; it is only a measurement.
    pub fn stop(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hands items in and holds that each was taken.
pub async fn hand_in(client: &Client, items: &[Item]) {
    match client.post(items, None, Clock::System.now()).await {
        Reply::Answer(answer) => {
            for verdict in answer.verdicts {
                let verdict = verdict.read();
                assert!(matches!(verdict, Verdict::Accepted(_)), "{verdict:?}");
            }
        }
        other => panic!("no answer: {other:?}"),
    }
}

/// About two kilobytes, as a form of a dozen questions is.
fn content() -> Content {
    let answer = |n: usize| Answer {
        name: format!("pregunta_{n}"),
        label: format!("¿Cuál es la respuesta a la pregunta {n}?"),
        value: Redacted::new(format!("Respuesta {n} {}", hex(&random::<16>()))),
        masked: false,
    };
    let values: String = (0..12)
        .map(|n| format!("<pregunta_{n}>{}</pregunta_{n}>", hex(&random::<16>())))
        .collect();
    Content {
        v: 1,
        form_id: "residencia".into(),
        form_version: "3".into(),
        procedure_name: "Certificado de residencia".into(),
        language: "es".into(),
        instance_xml: Redacted::new(format!("<data>{values}</data>")),
        answers: (0..12).map(answer).collect(),
        result: None,
        consents: vec![],
        attachments: vec![],
    }
}

fn moment() -> Moment {
    Moment {
        now: Clock::System.now(),
        random: random(),
    }
}

/// Items that were sealed beforehand, each as the first of a life of its own, so that none contradicts another.
pub struct Pool {
    key: SigningKey,
    recipient: Recipient,
}

impl Pool {
    pub fn new() -> Self {
        Self {
            key: device_key(),
            recipient: recipient(),
        }
    }

    fn seal(&self, plain: &Content) -> Item {
        let moment = moment();
        let header = Header {
            v: 1,
            submission_id: SubmissionId::new(moment),
            office: OFFICE.into(),
            device_id: DEVICE.into(),
            device_seq: 1,
            outbox_epoch: hex(&random::<8>()),
            form_id: plain.form_id.clone(),
            form_version: plain.form_version.clone(),
            catalogue: "00".repeat(32),
            created_at: moment.now,
            procedure: "residencia".into(),
            procedure_name: plain.procedure_name.clone(),
            code: Code::from_random(random()),
            queue: None,
            prev_hash: None,
        };
        let to = std::slice::from_ref(&self.recipient);
        let envelope = seal(&plain.to_bytes(), &header, to, &random()).expect("sealed");
        Item::sign(header.submission_id, envelope, &self.key)
    }

    /// Milliseconds to compress, seal and sign one.
    pub fn seal_one_ms(&mut self) -> f64 {
        let plain = content();
        let begun = Instant::now();
        let item = self.seal(&plain);
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        assert!(!item.envelope.is_empty());
        took
    }

    /// Fresh ones.
    pub fn take(&mut self, count: usize) -> Vec<Item> {
        (0..count).map(|_| self.seal(&content())).collect()
    }
}

/// A kiosk's file with so many confirmed submissions that nobody heard of.
pub fn fill(path: &Path, count: usize) {
    const AT_ONCE: usize = 500;
    let db = Db::open(path, kiosk::SCHEMA).expect("a file").db;
    let mut left = count;
    while left > 0 {
        let some = left.min(AT_ONCE);
        db.write_blocking(move |conn| {
            let sealer = Sealer {
                device_id: DEVICE.into(),
                office: OFFICE.into(),
                key: device_key(),
                recipients: vec![recipient()],
            };
            for _ in 0..some {
                let moment = moment();
                let case = Case {
                    id: SubmissionId::new(moment),
                    form_id: "residencia".into(),
                    form_version: "3".into(),
                    catalogue: "00".repeat(32),
                    procedure: "residencia".into(),
                    procedure_name: "Certificado de residencia".into(),
                    queue: None,
                };
                sealer.confirm(conn, &case, &content(), moment, &random())?;
            }
            Ok(())
        })
        .expect("confirmed");
        left -= some;
    }
}

/// The address of tables of their own on a PostgreSQL.
pub async fn fresh_tables(url: &str) -> String {
    let name = format!("bench_{}", hex(&random::<6>()));
    let (client, line) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .expect("the server answers");
    tokio::spawn(line);
    client
        .batch_execute(&format!("CREATE SCHEMA {name}"))
        .await
        .expect("a schema");
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}options=-c%20search_path%3D{name}")
}
