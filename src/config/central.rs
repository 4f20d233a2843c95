//! Settings of the municipality's central, and of the senders and devices that a receiver knows.
//!
//! Secrets are not here: keys have files of their own, and of every token only its SHA-256 is written.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::backup::BackupConfig;
use super::fleet::FleetConfig;
use super::openrosa::OnwardConfig;
use super::published::PublishedConfig;
use super::tls::TlsConfig;

/// Everything `ventanilla central` needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CentralConfig {
    /// Where to listen, such as `0.0.0.0:8090`.
    pub listen: SocketAddr,
    /// Folder of the data file.
    pub data: PathBuf,
    /// Address of a PostgreSQL database, `postgres://user@host/database`; without it a file in `data`.
    /// Several centrals may share one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// The address people and papers use, such as `https://ventanilla.quito.gob.ec`.
    pub public_url: String,
    /// File of the key that signs for what was received; made at the first start.
    pub receipt_key: PathBuf,
    /// File of the municipality's private key, locked with a passphrase (`ventanilla keys lock`) that
    /// `ventanilla central --unlock` asks for; or the bare key, for demonstrations. Without it nobody can read a
    /// content here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub municipality_key: Option<PathBuf>,
    /// File of the municipality's public key, told to devices that are let in; without it, that of the private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub municipality_public: Option<PathBuf>,
    /// SHA-256 of each staff token, 64 hex digits.
    #[serde(default)]
    pub staff_token_hash: Vec<String>,
    /// Whether a proxy of ours stands in front and appends the visitor's address to `X-Forwarded-For`.
    #[serde(default)]
    pub behind_proxy: bool,
    /// Offices and kiosks that hand in here.
    #[serde(default)]
    pub peers: Vec<PeerConfig>,
    /// Devices that seal and sign.
    #[serde(default)]
    pub devices: Vec<DeviceConfig>,
    /// The catalogue that is published, and given to those below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedConfig>,
    /// Copies that central makes of its file by itself; without them no sender ever lets go of anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupConfig>,
    /// The small file outside the database that shows when an older database was put in its place; best on
    /// another disk. Without it, `central.epoch` in the data folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch_file: Option<PathBuf>,
    /// A second address where devices are answered in secret, by an authority of our own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsConfig>,
    /// How long contents stay; without it they stay for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionConfig>,
    /// OpenRosa servers that submissions are handed on to, while the key is unlocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub onward: Vec<OnwardConfig>,
    /// Names of offices for people, by id; an office without one is shown by its id.
    #[serde(default)]
    pub offices: BTreeMap<String, String>,
    /// How devices are looked after, and who is told when something is wrong.
    #[serde(default)]
    pub fleet: FleetConfig,
}

impl CentralConfig {
    /// The same settings with every path meant from the folder of `settings`.
    #[must_use]
    pub fn resolved(mut self, settings: &std::path::Path) -> Self {
        let beside = |path: &mut PathBuf| crate::config::beside(settings, path);
        beside(&mut self.data);
        beside(&mut self.receipt_key);
        self.municipality_key.iter_mut().for_each(beside);
        self.municipality_public.iter_mut().for_each(beside);
        self.epoch_file.iter_mut().for_each(beside);
        self.onward.iter_mut().for_each(|one| one.resolve(settings));
        if let Some(published) = &mut self.published {
            published.resolve(settings);
        }
        if let Some(backup) = &mut self.backup {
            backup.resolve(settings);
        }
        self.devices
            .iter_mut()
            .map(|device| &mut device.public_key)
            .for_each(beside);
        self.fleet.resolve(settings);
        self
    }
}

/// How long the contents of cases stay, in days after the case was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionConfig {
    /// For procedures that are not named below; without it those stay for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Days after arrival when a content goes although nobody said that its case is done; without it such a
    /// content stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_days: Option<u32>,
    /// Days by procedure.
    #[serde(default)]
    pub procedures: BTreeMap<String, u32>,
}

/// One that hands in: a kiosk for itself, or a hub for its office.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// Its id.
    pub id: String,
    /// Id of its office.
    pub office: String,
    /// SHA-256 of its token, 64 hex digits.
    pub token_hash: String,
}

/// One that signs submissions and receipts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// Its id, as in what it signs.
    pub id: String,
    /// Id of its office.
    pub office: String,
    /// File of its public key, one line.
    pub public_key: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
listen = "127.0.0.1:0"
data = "/tmp/central"
public_url = "https://ventanilla.example"
receipt_key = "/tmp/central/receipt.key"
peers = [{ id = "hub", office = "centro", token_hash = "00" }]
devices = [{ id = "kiosk-1", office = "centro", public_key = "k.pub" }]
offices = { centro = "Centro Histórico" }
"#;

    #[test]
    fn a_short_file_is_enough_and_a_typo_is_named() {
        let config: CentralConfig = crate::config::parse("c.toml".as_ref(), TEXT).expect("parses");
        assert!(config.municipality_key.is_none() && !config.behind_proxy);
        let again = toml::to_string(&config).expect("written");
        let again: CentralConfig = crate::config::parse("c.toml".as_ref(), &again).expect("read again");
        assert_eq!(again.devices[0].id, "kiosk-1");
        let typo = TEXT.replace("token_hash", "token_hsh");
        let error = crate::config::parse::<CentralConfig>("c.toml".as_ref(), &typo).expect_err("refused");
        assert!(error.to_string().contains("token_hsh"), "{error}");
    }
}
