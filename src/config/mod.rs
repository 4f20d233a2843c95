//! What a technician writes in TOML, and how it is refused.
//!
//! An unknown key is an error that names the key: a typo must not silently switch something off.

pub mod backup;
pub mod central;
pub mod fleet;
pub mod kiosk;
pub mod metrics;
pub mod office;
pub mod openrosa;
pub mod published;
pub mod systems;
pub mod tls;
pub mod zones;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a configuration file was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("Configuration file {path} cannot be read; check the path and its permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file says something we do not know.
    #[error("Configuration file {path}, line {line}: {problem}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// First line of the problem, from 1; 0 when the whole file is meant.
        line: usize,
        /// What is wrong, with the key's name.
        problem: String,
    },
}

/// Reads a file of settings; relative paths inside are the caller's to resolve against its folder.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(path, &text)
}

/// What stands in front of the name of a secret that the service manager hands over (`LoadCredential=`).
const CREDENTIAL: &str = "credential:";

/// Makes a path of a settings file absolute: it is meant from that file's folder.
///
/// `credential:NAME` is the file NAME in the folder where the service manager puts this service's secrets.
pub fn beside(settings: &Path, path: &mut PathBuf) {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    resolve(settings, folder.as_deref(), path);
}

fn resolve(settings: &Path, credentials: Option<&Path>, path: &mut PathBuf) {
    let name = path.to_str().and_then(|text| text.strip_prefix(CREDENTIAL));
    if let Some(name) = name {
        // Without a manager the path stays as it is written, and whoever opens it names it.
        if let Some(folder) = credentials {
            *path = folder.join(name);
        }
    } else if path.is_relative() {
        *path = settings.parent().unwrap_or(Path::new(".")).join(&*path);
    }
}

/// Parses settings that came from `path`.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let line = error.span().map_or(0, |span| {
            text[..span.start.min(text.len())].lines().count().max(1)
        });
        ConfigError::Refused {
            path: path.to_owned(),
            line,
            problem: error.message().to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, meant: &str) {
        let mut path = PathBuf::from(written);
        let credentials = Path::new("/run/credentials/kiosk");
        resolve(
            Path::new("/etc/ventanilla/kiosk.toml"),
            Some(credentials),
            &mut path,
        );
        assert_eq!(path, Path::new(meant));
    }

    #[test]
    fn a_path_is_meant_from_its_settings_and_a_credential_from_the_service_manager() {
        check("keys/office.pub", "/etc/ventanilla/keys/office.pub");
        check("/srv/office.pub", "/srv/office.pub");
        check(
            "credential:keys_office.token",
            "/run/credentials/kiosk/keys_office.token",
        );
        // Without a manager it stays, and whoever opens it names it.
        let mut path = PathBuf::from("credential:keys_office.token");
        resolve(Path::new("/etc/ventanilla/kiosk.toml"), None, &mut path);
        assert_eq!(path, Path::new("credential:keys_office.token"));
    }

    #[test]
    fn the_examples_that_are_installed_are_settings() {
        let office = include_str!("../../systemd/examples/office.toml");
        let office: office::OfficeConfig = parse("office.toml".as_ref(), office).expect("an office");
        assert!(office.setup().is_ok());
        let central = include_str!("../../systemd/examples/central.toml");
        let _: central::CentralConfig = parse("central.toml".as_ref(), central).expect("a central");
    }
}
