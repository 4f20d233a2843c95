//! Makes the settings, keys and tokens of a set-up that lives in one folder.
//!
//! The demonstration is started from the files written here, and each role can be started from its own file alone.
//! What exists is kept: keys, tokens and passwords are made once.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::StartError;
use super::office::OfficeApp;
use super::outbox::keyfile;
use crate::clock::{self, random};
use crate::config::backup::BackupConfig;
use crate::config::central::{CentralConfig, DeviceConfig, PeerConfig};
use crate::config::kiosk::{self, KioskConfig, Place, RecipientConfig, ScreenConfig};
use crate::config::office::{self, CounterConfig, Identity, OfficeConfig, QueueConfig};
use crate::domain::procedure::{Catalogue, quito};
use crate::domain::seal::{OpeningKey, Role, hex};
use crate::domain::submission::peers::TokenHash;
use crate::i18n::Language;
use crate::store;

/// The demonstration's supervisor.
pub const DEMO_LOGIN: &str = "supervisora";
/// The demonstration's administrator, whose password is in `keys/admin.password`.
pub const DEMO_ADMIN: &str = "administradora";

const OFFICE: &str = "quitumbe";
const KIOSK: &str = "k2";
/// Offices of Quito answer there; see `facts` in `catalogue/quito/README.md`.
const PHONE: &str = "1800 510 510";
const COUNTERS: u16 = 8;

/// A set-up in one folder.
pub struct Demo {
    folder: PathBuf,
    paper: PathBuf,
    printer: String,
    landscape: bool,
    token: String,
    password: String,
}

impl Demo {
    /// Makes the folder and what does not exist yet of its keys and secrets.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn prepare(folder: &Path, printer: Option<&str>, landscape: bool) -> Result<Self, StartError> {
        let cannot = |problem: std::io::Error| StartError::Setup {
            what: format!("The data folder {}", folder.display()),
            problem: format!("{problem}; choose a folder that you may write with --data"),
        };
        fs::create_dir_all(folder).map_err(cannot)?;
        let folder = fs::canonicalize(folder).map_err(cannot)?;
        let paper = match printer.and_then(|spec| spec.strip_prefix("dir:")) {
            Some(given) => std::path::absolute(given).map_err(cannot)?,
            None => folder.join("paper"),
        };
        let printer = match printer {
            Some(spec) if !spec.starts_with("dir:") => spec.to_owned(),
            _ => format!("dir:{}", paper.display()),
        };
        let demo = Self {
            password: secret(&folder.join("keys/supervisor.password"), || word(&random::<10>()))?,
            token: String::new(),
            folder,
            paper,
            printer,
            landscape,
        };
        for (name, role) in [("municipality", Role::Municipality), ("office", Role::Office)] {
            let private = demo.key(&format!("{name}.key"));
            if !private.exists() {
                let key = OpeningKey::generate(&random());
                public(&demo.key(&format!("{name}.pub")), &key.recipient(role).to_text())?;
                keyfile::write_private(&private, &key.to_text())?;
            }
        }
        for name in ["kiosk", "office-receipt", "central-receipt"] {
            let key = keyfile::signing(&demo.key(&format!("{name}.key")))?;
            public(&demo.key(&format!("{name}.pub")), &key.verifying().to_text())?;
        }
        for name in ["kiosk", "office"] {
            secret(&demo.key(&format!("{name}.token")), || hex(&random::<32>()))?;
        }
        Ok(demo)
    }

    fn key(&self, name: &str) -> PathBuf {
        self.folder.join("keys").join(name)
    }

    fn token_hash(&self, name: &str) -> Result<String, StartError> {
        let token = secret(&self.key(name), || hex(&random::<32>()))?;
        Ok(TokenHash::of(&token).to_hex())
    }

    /// Settings of central, written to `central.toml` too.
    pub fn central(&self, listen: SocketAddr) -> Result<CentralConfig, StartError> {
        let config = CentralConfig {
            listen,
            data: self.folder.join("central"),
            store: None,
            public_url: format!("http://{listen}"),
            receipt_key: self.key("central-receipt.key"),
            municipality_key: Some(self.key("municipality.key")),
            municipality_public: Some(self.key("municipality.pub")),
            staff_token_hash: vec![self.token_hash("central-staff.token")?],
            behind_proxy: false,
            peers: vec![PeerConfig {
                id: OFFICE.to_owned(),
                office: OFFICE.to_owned(),
                token_hash: self.token_hash("office.token")?,
            }],
            devices: vec![DeviceConfig {
                id: KIOSK.to_owned(),
                office: OFFICE.to_owned(),
                public_key: self.key("kiosk.pub"),
            }],
            backup: Some(BackupConfig {
                folder: self.folder.join("backups"),
                every_minutes: 60,
                keep: 4,
                same_disk: true,
            }),
            epoch_file: None,
            published: None,
            onward: Vec::new(),
            retention: None,
            tls: None,
            fleet: Default::default(),
            offices: BTreeMap::from([(OFFICE.to_owned(), "Quitumbe, Administración Zonal".to_owned())]),
        };
        self.write("central.toml", &config)?;
        Ok(config)
    }

    /// Settings of the office, written to `office.toml` too.
    pub fn office(&self, listen: SocketAddr, central: SocketAddr) -> Result<OfficeConfig, StartError> {
        let (catalogue, _) = Catalogue::parse(&quito::FILES);
        let queues: Vec<QueueConfig> = catalogue
            .queues()
            .iter()
            .map(|queue| QueueConfig {
                service_minutes: 6,
                ..QueueConfig::new(
                    queue.identifier.as_str(),
                    queue.name.get(Language::Spanish),
                    &queue.series.to_string(),
                )
            })
            .collect();
        let ids: Vec<String> = queues.iter().map(|queue| queue.id.clone()).collect();
        // Each counter has a queue of its own first and helps the others when it is empty.
        let counters = (1..=COUNTERS)
            .map(|number| {
                let own = ids[usize::from(number - 1) % ids.len()].clone();
                let then_serves = ids.iter().filter(|id| **id != own).cloned().collect();
                CounterConfig {
                    number,
                    serves: vec![own],
                    then_serves,
                }
            })
            .collect();
        let identity = Identity {
            id: OFFICE.to_owned(),
            name: "Quitumbe".to_owned(),
            kind: "Administración Zonal".to_owned(),
            room: "Sala A".to_owned(),
        };
        let config = OfficeConfig {
            kiosks: vec![office::KioskConfig {
                id: KIOSK.to_owned(),
                token_hash: self.token_hash("kiosk.token")?,
                public_key: Some(self.key("kiosk.pub")),
            }],
            central: Some(office::Upstream {
                url: format!("http://{central}"),
                token_file: Some(self.key("office.token")),
                device_key: None,
                authority: None,
                receipt_keys: vec![self.key("central-receipt.pub")],
            }),
            office_key: Some(self.key("office.key")),
            receipt_key: Some(self.key("office-receipt.key")),
            ..OfficeConfig::new(listen, self.folder.join("office"), identity, queues, counters)
        };
        self.write("office.toml", &config)?;
        Ok(config)
    }

    /// Settings of the kiosk, written to `kiosk.toml` too.
    pub fn kiosk(
        &self,
        web: SocketAddr,
        office: SocketAddr,
        central: SocketAddr,
    ) -> Result<KioskConfig, StartError> {
        let (width, height) = if self.landscape {
            (1920, 1080)
        } else {
            (1080, 1920)
        };
        let config = KioskConfig {
            id: KIOSK.to_owned(),
            name: "2".to_owned(),
            data: self.folder.join("kiosk"),
            catalogue: None,
            published: None,
            place: Place {
                id: OFFICE.to_owned(),
                name: "Quitumbe".to_owned(),
                kind: "Administración Zonal".to_owned(),
                hours: "08:00 a 16:30".to_owned(),
                zone: "America/Guayaquil".to_owned(),
                day_cut_hour: 3,
            },
            phone: PHONE.to_owned(),
            printer: self.printer.clone(),
            printing: kiosk::PrintingConfig::default(),
            office: Some(kiosk::Upstream {
                url: format!("http://{office}"),
                token_file: Some(self.key("kiosk.token")),
                receipt_keys: vec![self.key("office-receipt.pub")],
                order_keys: vec![self.key("central-receipt.pub")],
                authority: None,
            }),
            verify_url: format!("http://{central}/verify"),
            device_key: self.key("kiosk.key"),
            recipients: vec![
                RecipientConfig {
                    role: "municipality".to_owned(),
                    key: self.key("municipality.pub"),
                },
                RecipientConfig {
                    role: "office".to_owned(),
                    key: self.key("office.pub"),
                },
            ],
            lease_numbers: 20,
            keypad: None,
            screen: ScreenConfig {
                width,
                height,
                web: Some(web),
                ..ScreenConfig::default()
            },
            technician: None,
            metrics: None,
        };
        self.write("kiosk.toml", &config)?;
        Ok(config)
    }

    /// Makes the supervisor, the administrator and the token for programs where the office does not know them.
    pub async fn staff(&mut self, office: &Arc<OfficeApp>) -> Result<(), StartError> {
        let path = self.key("staff.token");
        let kept = fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
        let admin = secret(&self.key("admin.password"), || word(&random::<14>()))?;
        let (password, now, known) = (self.password.clone(), clock::Clock::System.now(), kept.clone());
        let token = office
            .db()
            .write(move |c| {
                if !store::office::has_users(c)? {
                    let role = store::office::Role::Supervisor;
                    store::office::create_user(c, DEMO_LOGIN, "Supervisora", role, &password, now)?;
                }
                if store::office::account(c, DEMO_ADMIN)?.is_none() {
                    let role = store::office::Role::Admin;
                    store::office::create_user(c, DEMO_ADMIN, "Administradora", role, &admin, now)?;
                }
                if !known.is_empty() && store::office::staff_of_token(c, &known)?.is_some() {
                    return Ok(known);
                }
                store::office::create_token(c, "demo", store::office::Role::Supervisor, now)
            })
            .await?;
        if token != kept {
            let _ = fs::remove_file(&path);
            keyfile::write_private(&path, &token)?;
        }
        self.token = token;
        Ok(())
    }

    /// The token for programs at the office.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The supervisor's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where papers land.
    pub fn paper(&self) -> &Path {
        &self.paper
    }

    fn write<T: Serialize>(&self, name: &str, config: &T) -> Result<(), StartError> {
        let text = toml::to_string(config).map_err(|problem| StartError::Setup {
            what: format!("The settings {name}"),
            problem: problem.to_string(),
        })?;
        public(&self.folder.join(name), &text)
    }
}

/// A secret that is made once.
fn secret(path: &Path, make: impl FnOnce() -> String) -> Result<String, StartError> {
    if !path.exists() {
        keyfile::write_private(path, &make())?;
    }
    fs::read_to_string(path)
        .map(|text| text.trim().to_owned())
        .map_err(|problem| StartError::Setup {
            what: format!("File {}", path.display()),
            problem: problem.to_string(),
        })
}

fn public(path: &Path, text: &str) -> Result<(), StartError> {
    fs::write(path, text).map_err(|problem| StartError::Setup {
        what: format!("File {}", path.display()),
        problem: problem.to_string(),
    })
}

/// Random bytes as letters and digits that nobody mistakes for others.
fn word(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstvwxyz0123456789";
    bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}
