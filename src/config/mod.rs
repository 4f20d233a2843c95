//! What a technician writes in TOML, and how it is refused.
//!
//! An unknown key is an error that names the key: a typo must not silently switch something off.

pub mod backup;
pub mod central;
pub mod kiosk;
pub mod office;
pub mod published;
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

/// Makes a path of a settings file absolute: it is meant from that file's folder.
pub fn beside(settings: &Path, path: &mut PathBuf) {
    if path.is_relative() {
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
