//! Key files: one line each, readable by their owner only.

use std::io::Write;
use std::path::Path;

use zeroize::Zeroizing;

use crate::app::StartError;
use crate::clock::random;
use crate::domain::seal::{KeyError, OpeningKey, Recipient, Role, SigningKey};

/// Reads a signing key, or makes one where there is none yet.
pub fn signing(path: &Path) -> Result<SigningKey, StartError> {
    if !path.exists() {
        let key = SigningKey::generate(&Zeroizing::new(random()));
        write_private(path, &key.to_text())?;
        return Ok(key);
    }
    read(path, SigningKey::parse)
}

/// Reads a key that opens envelopes; never makes one, for a new one opens nothing.
pub fn opening(path: &Path) -> Result<OpeningKey, StartError> {
    read(path, OpeningKey::parse)
}

/// Reads a public key to seal to.
pub fn recipient(path: &Path, role: Role) -> Result<Recipient, StartError> {
    read(path, |text| Recipient::parse(role, text))
}

/// Writes a new file that only its owner reads, on the disk before it returns; an existing one is left alone.
pub fn write_private(path: &Path, text: &str) -> Result<(), StartError> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)?;
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|problem| unusable(path, &problem.to_string()))
}

fn read<T>(path: &Path, parse: impl Fn(&str) -> Result<T, KeyError>) -> Result<T, StartError> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|problem| unusable(path, &problem.to_string()))?;
    parse(&text).map_err(|problem| unusable(path, &problem.to_string()))
}

fn unusable(path: &Path, problem: &str) -> StartError {
    StartError::Setup {
        what: format!("Key file {}", path.display()),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_by_its_owner_only() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("keys/receipt.key");
        let first = signing(&path).expect("made");
        assert_eq!(signing(&path).expect("read").kid(), first.kid());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(write_private(&path, "other").is_err(), "never overwritten");
        let error = opening(&path).expect_err("another kind").to_string();
        assert!(error.contains("receipt.key") && error.contains("hpke"), "{error}");
    }
}
