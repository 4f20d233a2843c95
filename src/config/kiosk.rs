//! The settings of a kiosk.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `kiosk.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KioskConfig {
    /// Name of this kiosk at its office: `K2`.
    pub id: String,
    /// What citizens call it: `2`, as in "Kiosco 2".
    pub name: String,
    /// Folder of the kiosk's own data.
    pub data: PathBuf,
    /// Folder of the catalogue; without it the catalogue built into the program serves.
    pub catalogue: Option<PathBuf>,
    /// The office this kiosk stands in.
    pub place: Place,
    /// Where citizens can ask by telephone.
    pub phone: String,
    /// Where and how to print: `dir:PATH`, `tcp:HOST:9100`.
    pub printer: String,
    /// The office's hub; without it every ticket is refused and submissions wait.
    pub office: Option<Upstream>,
    /// Where the page to check a receipt is: the QR on paper leads there, and codes are looked up there.
    pub verify_url: String,
    /// File with the device key that signs receipts and submissions; made at first start where it is missing.
    pub device_key: PathBuf,
    /// Who can open submissions.
    pub recipients: Vec<RecipientConfig>,
    /// Numbers to hold for the time without network, for each queue.
    #[serde(default = "default_lease")]
    pub lease_numbers: u32,
    /// The screen.
    #[serde(default)]
    pub screen: ScreenConfig,
}

impl KioskConfig {
    /// The same settings with every path meant from the folder of `settings`.
    #[must_use]
    pub fn resolved(mut self, settings: &std::path::Path) -> Self {
        let beside = |path: &mut PathBuf| crate::config::beside(settings, path);
        beside(&mut self.data);
        beside(&mut self.device_key);
        self.catalogue.iter_mut().for_each(beside);
        self.recipients
            .iter_mut()
            .map(|recipient| &mut recipient.key)
            .for_each(beside);
        if let Some(office) = &mut self.office {
            beside(&mut office.token_file);
            office.receipt_keys.iter_mut().for_each(beside);
        }
        if let Some(folder) = self.printer.strip_prefix("dir:") {
            let mut folder = PathBuf::from(folder);
            beside(&mut folder);
            self.printer = format!("dir:{}", folder.display());
        }
        self
    }
}

/// The office as citizens know it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its id in the municipality: `quitumbe`.
    pub id: String,
    /// «Quitumbe».
    pub name: String,
    /// «Administración Zonal».
    pub kind: String,
    /// «08:00 a 16:30», or empty.
    #[serde(default)]
    pub hours: String,
    /// IANA zone: `America/Guayaquil`.
    pub zone: String,
    /// Hour at which the office's day begins, the same as at the office.
    #[serde(default = "default_day_cut_hour")]
    pub day_cut_hour: u8,
}

/// Who is asked and sent to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// `http://127.0.0.1:7301`.
    pub url: String,
    /// File with the device's secret token.
    pub token_file: PathBuf,
    /// Files with the public keys that sign for what was received, the present and the next.
    pub receipt_keys: Vec<PathBuf>,
}

/// A public key to seal to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipientConfig {
    /// `municipality` or `office`; the office is added only where a counter goes on with the case.
    pub role: String,
    /// File with the public key.
    pub key: PathBuf,
}

/// The screen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenConfig {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Where the screen is shown as a page; only for demonstrations and remote help.
    pub web: Option<SocketAddr>,
}

impl Default for ScreenConfig {
    fn default() -> Self {
        Self {
            width: 1080,
            height: 1920,
            web: None,
        }
    }
}

fn default_lease() -> u32 {
    50
}

fn default_day_cut_hour() -> u8 {
    3
}
