//! Reading what a kiosk needs before it can serve: catalogue, forms, keys.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use tracing::{error, warn};

use crate::app::StartError;
use crate::app::catalogue;
use crate::app::outbox::Upstream;
use crate::clock::Clock;
use crate::config::kiosk::{self, KioskConfig, RecipientConfig};
use crate::domain::procedure::bundle::Bundle;
use crate::domain::procedure::{Catalogue, quito};
use crate::domain::seal::{Recipient, Role, SigningKey, VerifyingKey, hex};
use crate::domain::search::SearchIndex;
use crate::domain::session::{Delays, Setup};
use crate::domain::technician;
use crate::forms::{self, Form};
use crate::sync::client::Client;
use crate::sync::credential::Credential;
use crate::sync::fleet::FleetClient;
use crate::sync::office::{Deadlines, OfficeClient};

/// The files of a catalogue, as text and as workbooks.
struct Files {
    texts: Vec<(String, String)>,
    forms: Vec<(String, Vec<u8>)>,
}

impl Files {
    /// The lists that forms choose from, under the names that forms call them by.
    fn lists(&self) -> forms::Files {
        self.texts
            .iter()
            .filter(|(name, _)| name.ends_with(".csv"))
            .map(|(name, text)| (name.clone(), text.clone().into_bytes()))
            .collect()
    }
}

pub(super) fn read(
    config: &KioskConfig,
    published: Option<&Bundle>,
    landscape: bool,
) -> Result<Setup, StartError> {
    let files = match (published, &config.catalogue) {
        (Some(bundle), _) => from_bundle(bundle),
        (None, Some(folder)) => from_folder(folder)?,
        (None, None) => built_in(),
    };
    let texts: Vec<(&str, &str)> = files
        .texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let (catalogue, findings) = Catalogue::parse(&texts);
    for finding in &findings {
        error!(%finding, "catalogue entry left out");
    }
    if catalogue.procedures().is_empty() {
        return Err(StartError::Setup {
            what: "The catalogue".into(),
            problem: findings.first().map_or_else(
                || "it holds no procedure; check the folder in `catalogue`".into(),
                ToString::to_string,
            ),
        });
    }
    let lists = files.lists();
    let mut forms = HashMap::new();
    for (name, bytes) in &files.forms {
        match Form::from_workbook(name.trim_end_matches(".xlsx"), bytes, &lists) {
            Ok((form, findings)) => {
                for finding in &findings {
                    warn!(form = %name, %finding, "form");
                }
                forms.insert(name.clone(), Arc::new(form));
            }
            Err(findings) => {
                // The rest of the catalogue serves; this procedure offers a turn instead.
                for finding in &findings {
                    error!(form = %name, %finding, "form left out");
                }
            }
        }
    }
    let mut hash = Sha256::new();
    for (name, text) in &files.texts {
        hash.update(name.as_bytes());
        hash.update(text.as_bytes());
    }
    for (name, bytes) in &files.forms {
        hash.update(name.as_bytes());
        hash.update(bytes);
    }
    let zone = TimeZone::get(&config.place.zone).map_err(|_| StartError::Setup {
        what: format!("The time zone {}", config.place.zone),
        problem: "no such zone; write it as America/Guayaquil".into(),
    })?;
    Ok(Setup {
        edition: hex(&hash.finalize()),
        index: SearchIndex::new(&catalogue),
        catalogue: Arc::new(catalogue),
        forms,
        place: config.place.name.clone(),
        office_kind: config.place.kind.clone(),
        kiosk: config.name.clone(),
        hours: config.place.hours.clone(),
        phone: config.phone.clone(),
        landscape,
        zone,
        delays: Delays::default(),
        device: config.id.clone(),
        technician: technician(config)?,
    })
}

fn built_in() -> Files {
    let texts = quito::FILES.iter().chain(&quito::LISTS);
    Files {
        texts: texts
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
        forms: quito::FORMS
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))
            .collect(),
    }
}

/// The published files, under the names that they have when they lie in a folder.
fn from_bundle(bundle: &Bundle) -> Files {
    let mut files = Files {
        texts: Vec::new(),
        forms: Vec::new(),
    };
    for (name, bytes) in &bundle.files {
        let plain = name.rsplit_once('/').map_or(name.as_str(), |(_, file)| file);
        if name.ends_with(".xlsx") {
            files.forms.push((plain.to_owned(), bytes.clone()));
        } else if let Ok(text) = std::str::from_utf8(bytes) {
            let name = if name.starts_with("procedures/") {
                name
            } else {
                plain
            };
            files.texts.push((name.to_owned(), text.to_owned()));
        }
    }
    files
}

fn from_folder(folder: &Path) -> Result<Files, StartError> {
    let cannot = |path: &Path, problem: std::io::Error| StartError::Setup {
        what: format!("Catalogue file {}", path.display()),
        problem: problem.to_string(),
    };
    let mut files = Files {
        texts: Vec::new(),
        forms: Vec::new(),
    };
    for part in ["", "procedures", "lists"] {
        let inside = folder.join(part);
        if !part.is_empty() && !inside.is_dir() {
            continue;
        }
        let mut entries = std::fs::read_dir(&inside)
            .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
            .map_err(|problem| cannot(&inside, problem))?;
        // The order of a folder is not a promise; the hash of the catalogue is.
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("toml" | "csv") => {
                    let text = std::fs::read_to_string(&path).map_err(|problem| cannot(&path, problem))?;
                    let name = if part == "procedures" {
                        format!("procedures/{name}")
                    } else {
                        name
                    };
                    files.texts.push((name, text));
                }
                Some("xlsx") => {
                    let bytes = std::fs::read(&path).map_err(|problem| cannot(&path, problem))?;
                    files.forms.push((name, bytes));
                }
                _ => {}
            }
        }
    }
    Ok(files)
}

/// Whom to seal to: the keys of the settings, with the municipality's from the catalogue where it names one.
pub(super) fn recipients(
    configs: &[RecipientConfig],
    published: Option<&Bundle>,
) -> Result<Vec<Recipient>, StartError> {
    let mut recipients = from_settings(configs)?;
    if let Some(present) = published.and_then(|bundle| bundle.manifest.recipient()) {
        recipients.retain(|recipient| recipient.role != Role::Municipality);
        recipients.insert(0, present);
    }
    Ok(recipients)
}

fn from_settings(configs: &[RecipientConfig]) -> Result<Vec<Recipient>, StartError> {
    configs
        .iter()
        .map(|config| {
            let role = match config.role.as_str() {
                "municipality" => Role::Municipality,
                "office" => Role::Office,
                other => {
                    return Err(StartError::Setup {
                        what: format!("The recipient role {other}"),
                        problem: "write municipality or office".into(),
                    });
                }
            };
            let text = read_text(&config.key)?;
            Recipient::parse(role, &text).map_err(|problem| unusable(&config.key, &problem))
        })
        .collect()
}

/// How the office is reached.
#[derive(Clone)]
pub(super) struct OfficeLine {
    pub client: OfficeClient,
    http: reqwest::Client,
    url: String,
    credential: Credential,
}

impl OfficeLine {
    /// The same line, for saying how this kiosk is.
    pub(super) fn fleet(&self) -> FleetClient {
        FleetClient {
            http: self.http.clone(),
            url: self.url.clone(),
            credential: self.credential.clone(),
        }
    }

    /// Where a newer catalogue comes from.
    pub(super) fn source(&self) -> catalogue::Source {
        catalogue::Source {
            http: self.http.clone(),
            url: self.url.clone(),
            credential: self.credential.clone(),
        }
    }
}

/// What lets technicians in.
fn technician(config: &KioskConfig) -> Result<Option<technician::Secret>, StartError> {
    let Some(path) = &config.technician else {
        return Ok(None);
    };
    technician::Secret::parse(&read_text(path)?)
        .map(Some)
        .ok_or_else(|| unusable(path, &"write it with `ventanilla technician secret`"))
}

/// Whose orders this kiosk obeys.
pub(super) fn order_keys(office: Option<&kiosk::Upstream>) -> Result<Vec<VerifyingKey>, StartError> {
    let files = office.iter().flat_map(|office| &office.order_keys);
    files
        .map(|path| VerifyingKey::parse(&read_text(path)?).map_err(|problem| unusable(path, &problem)))
        .collect()
}

/// The lines to the office: for turns, and for submissions with whose signature to believe.
pub(super) fn upstream(
    config: &KioskConfig,
    office: &kiosk::Upstream,
    key: &SigningKey,
    clock: &Clock,
) -> Result<(OfficeLine, Upstream), StartError> {
    let credential = match &office.token_file {
        Some(path) => Credential::from(read_text(path)?.trim().to_owned()),
        None => Credential::device(&config.id, key.clone(), clock.clone()),
    };
    let authority = office
        .authority
        .as_deref()
        .map(|path| read_text(path).map(String::into_bytes))
        .transpose()?;
    let receipt_keys = office
        .receipt_keys
        .iter()
        .map(|path| VerifyingKey::parse(&read_text(path)?).map_err(|problem| unusable(path, &problem)))
        .collect::<Result<_, _>>()?;
    let client = Client::new(&office.url, credential.clone(), authority.as_deref()).map_err(|problem| {
        StartError::Setup {
            what: format!("The line to {}", office.url),
            problem: problem.to_string(),
        }
    })?;
    let http = crate::app::http_client(authority.as_deref())?;
    let line = OfficeLine {
        client: OfficeClient::new(
            http.clone(),
            &office.url,
            credential.clone(),
            Deadlines::default(),
        ),
        http,
        url: office.url.clone(),
        credential,
    };
    Ok((line, Upstream { client, receipt_keys }))
}

fn read_text(path: &Path) -> Result<String, StartError> {
    std::fs::read_to_string(path).map_err(|problem| unusable(path, &problem))
}

fn unusable(path: &Path, problem: &dyn std::fmt::Display) -> StartError {
    StartError::Setup {
        what: format!("File {}", path.display()),
        problem: problem.to_string(),
    }
}
