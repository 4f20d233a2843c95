//! Packs the settings of a machine into one file, and puts them in place on the machine.
//!
//! Each file is written whole or not at all, and the mark that says which package is in place is written last: after
//! a power cut the same package is simply put in place once more.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::domain::provision::{Mark, Package, ProvisionError, is_secret};
use crate::domain::seal::SigningKey;

/// What the machine remembers the package by, in the folder of the settings.
const MARK: &str = "provisioned.json";

/// Why settings were not packed or put in place.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The package is not taken.
    #[error(transparent)]
    Refused(#[from] ProvisionError),
    /// A file cannot be read or written.
    #[error("{path} cannot be used; check it and try again")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

fn io(path: &Path) -> impl FnOnce(io::Error) -> ApplyError + '_ {
    |source| ApplyError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Everything in `folder`, and in its folders `keys` and `network`, signed as one file.
///
/// # Errors
/// When a file is no text, or its name is not allowed.
pub fn pack(
    folder: &Path,
    profile: &str,
    name: &str,
    key: &SigningKey,
    now: Timestamp,
) -> Result<Vec<u8>, ApplyError> {
    let mut files = BTreeMap::new();
    for inside in ["", "keys", "network"] {
        let path = folder.join(inside);
        if !path.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&path).map_err(io(&path))? {
            let path = entry.map_err(io(&path))?.path();
            if !path.is_file() {
                continue;
            }
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let name = if inside.is_empty() {
                file.into_owned()
            } else {
                format!("{inside}/{file}")
            };
            files.insert(name, fs::read_to_string(&path).map_err(io(&path))?);
        }
    }
    let package = Package {
        v: 1,
        name: name.to_owned(),
        profile: profile.to_owned(),
        made_at: now,
        authority: String::new(),
        files,
    };
    Ok(package.seal(key)?)
}

/// Puts the package in `file` in place in `settings`; needs root on a real machine.
///
/// # Errors
/// When it is refused; nothing is changed then.
pub fn apply(file: &Path, profile: &str, settings: &Path) -> Result<Package, ApplyError> {
    let bytes = fs::read(file).map_err(io(file))?;
    let mark = settings.join(MARK);
    let installed: Option<Mark> = match fs::read(&mark) {
        // A mark that the disk changed opens no door: the machine is then wiped, not set up by whoever comes.
        Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|problem| ApplyError::Io {
            path: mark.clone(),
            source: problem.into(),
        })?),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => None,
        Err(problem) => return Err(io(&mark)(problem)),
    };
    let package = Package::open(&bytes, profile, installed.as_ref())?;
    for (name, content) in &package.files {
        let mode = if is_secret(name) { 0o600 } else { 0o644 };
        put(&settings.join(name), content.as_bytes(), mode)?;
    }
    put(
        &mark,
        &serde_json::to_vec(&package.mark()).expect("plain data"),
        0o600,
    )?;
    Ok(package)
}

/// Writes a file whole or not at all.
fn put(path: &Path, content: &[u8], mode: u32) -> Result<(), ApplyError> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};

    let folder = path.parent().unwrap_or(Path::new("."));
    let secret = if mode == 0o600 && folder.ends_with("keys") {
        0o700
    } else {
        0o755
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(secret)
        .create(folder)
        .map_err(io(folder))?;
    let unfinished = path.with_extension("unfinished");
    let write = || -> io::Result<()> {
        // A rest of an earlier attempt might have another mode.
        let _ = fs::remove_file(&unfinished);
        let mut options = fs::OpenOptions::new();
        let mut target = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        // Whatever the mask of whoever started us: a role reads its settings as another user.
        target.set_permissions(fs::Permissions::from_mode(mode))?;
        target.write_all(content)?;
        target.sync_all()?;
        fs::rename(&unfinished, path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(io(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_of_settings_arrives_with_its_secrets_closed() {
        let folder = tempfile::tempdir().expect("folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("keys")).expect("folder");
        fs::write(from.join("kiosk.toml"), "id = \"k2\"").expect("written");
        fs::write(from.join("keys/office.token"), "0123").expect("written");
        let key = SigningKey::generate(&[5; 32]);
        let at = |second| Timestamp::from_second(second).expect("a time");
        let file = folder.path().join("k2.vtk");
        fs::write(&file, pack(&from, "kiosk", "k2", &key, at(1)).expect("packed")).expect("written");
        apply(&file, "kiosk", &to).expect("in place");
        assert_eq!(
            fs::read_to_string(to.join("kiosk.toml")).expect("read"),
            "id = \"k2\""
        );
        let mode = |name: &str| fs::metadata(to.join(name)).expect("there").permissions().mode() & 0o777;
        assert_eq!(
            (mode("kiosk.toml"), mode("keys"), mode("keys/office.token")),
            (0o644, 0o700, 0o600)
        );
        // The same stick once more, or a stranger's, changes nothing.
        fs::write(to.join("kiosk.toml"), "changed here").expect("written");
        assert!(apply(&file, "kiosk", &to).is_err());
        let stranger = SigningKey::generate(&[6; 32]);
        fs::write(
            &file,
            pack(&from, "kiosk", "k2", &stranger, at(9)).expect("packed"),
        )
        .expect("written");
        assert!(apply(&file, "kiosk", &to).is_err());
        assert_eq!(
            fs::read_to_string(to.join("kiosk.toml")).expect("read"),
            "changed here"
        );
        fs::write(&file, pack(&from, "kiosk", "k2", &key, at(2)).expect("packed")).expect("written");
        apply(&file, "kiosk", &to).expect("newer");
        assert_eq!(
            fs::read_to_string(to.join("kiosk.toml")).expect("read"),
            "id = \"k2\""
        );
    }
}
