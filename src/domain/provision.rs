//! What a technician carries to a new appliance: its settings and keys in one signed file. Begin at [`Package::open`].
//!
//! The first file a machine sees is believed, whoever signed it: somebody stands in front of it. From then on only the
//! same signer is, and only with something newer, so that a stick left in a hall changes nothing.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::seal::{Signed, SigningKey, VerifyingKey};
use crate::domain::submission::micros;

/// What the signature begins with.
pub const PROVISION_DOMAIN: &str = "VSP1//provision//";
/// Most bytes of a file.
pub const PACKAGE_MAX: usize = 256 * 1024;

/// Settings and keys of one machine.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Version of this shape: 1.
    pub v: u8,
    /// The machine it is meant for, such as `k2`; only to tell files apart.
    pub name: String,
    /// `kiosk`, `office` or `board`.
    pub profile: String,
    /// When it was made; a later one replaces an earlier one.
    #[serde(with = "micros")]
    pub made_at: Timestamp,
    /// Key line of who signed it.
    pub authority: String,
    /// Contents by name: `kiosk.toml`, `keys/office.token`, `network/20-cable.network`.
    pub files: BTreeMap<String, String>,
}

/// Says nothing of the contents, which are keys.
impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Package")
            .field("name", &self.name)
            .field("profile", &self.profile)
            .field("made_at", &self.made_at)
            .field("files", &self.files.len())
            .finish()
    }
}

/// What a machine remembers of the package it was set up with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Key line of who signed it.
    pub authority: String,
    /// When it was made.
    #[serde(with = "micros")]
    pub made_at: Timestamp,
    /// Its name.
    pub name: String,
}

/// Why a package is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProvisionError {
    /// Not a package, cut, or changed.
    #[error("This is not a whole provisioning file; write the stick again")]
    Malformed,
    /// Signed by somebody else than the first one.
    #[error(
        "The provisioning file is not signed by who set this machine up; use the same key, or wipe the machine first"
    )]
    OtherAuthority,
    /// What is there is as new.
    #[error(
        "The provisioning file was made on {made_at}, this machine has one of {installed}; make a new one"
    )]
    NotNewer {
        /// When it was made.
        made_at: Timestamp,
        /// When the present one was.
        installed: Timestamp,
    },
    /// For another kind of machine.
    #[error("The provisioning file is for {found}, this machine is {here}")]
    OtherProfile {
        /// What it is for.
        found: String,
        /// What this is.
        here: String,
    },
    /// A name that would lead elsewhere.
    #[error(
        "File name {name:?} is not allowed; use letters, digits, point, - and _, in no folder but keys and network"
    )]
    Name {
        /// Which.
        name: String,
    },
    /// Too large.
    #[error(
        "The provisioning file has more than {PACKAGE_MAX} bytes; leave out what the machine does not need"
    )]
    TooLarge,
}

impl Package {
    /// Signs the package as a file; `authority` is set here.
    ///
    /// # Errors
    /// When a name is not allowed or it is too large.
    pub fn seal(mut self, key: &SigningKey) -> Result<Vec<u8>, ProvisionError> {
        self.check_names()?;
        self.authority = key.verifying().to_text();
        let bytes = serde_json::to_vec(&Signed::new(PROVISION_DOMAIN, &self, key)).expect("plain data");
        if bytes.len() > PACKAGE_MAX {
            return Err(ProvisionError::TooLarge);
        }
        Ok(bytes)
    }

    /// Reads a file that is offered to a machine of `profile` that was set up with `installed`.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn open(bytes: &[u8], profile: &str, installed: Option<&Mark>) -> Result<Self, ProvisionError> {
        if bytes.len() > PACKAGE_MAX {
            return Err(ProvisionError::TooLarge);
        }
        let signed: Signed = serde_json::from_slice(bytes).map_err(|_| ProvisionError::Malformed)?;
        // The key is inside: whose it is, is checked below.
        let claimed: Self = serde_json::from_str(&signed.body).map_err(|_| ProvisionError::Malformed)?;
        let key = VerifyingKey::parse(&claimed.authority).map_err(|_| ProvisionError::Malformed)?;
        let package: Self = signed
            .read(PROVISION_DOMAIN, &[key])
            .ok_or(ProvisionError::Malformed)?;
        if package.v != 1 {
            return Err(ProvisionError::Malformed);
        }
        package.check_names()?;
        if package.profile != profile {
            return Err(ProvisionError::OtherProfile {
                found: package.profile,
                here: profile.to_owned(),
            });
        }
        if let Some(mark) = installed {
            if mark.authority != package.authority {
                return Err(ProvisionError::OtherAuthority);
            }
            if package.made_at <= mark.made_at {
                return Err(ProvisionError::NotNewer {
                    made_at: package.made_at,
                    installed: mark.made_at,
                });
            }
        }
        Ok(package)
    }

    /// What the machine remembers of it.
    pub fn mark(&self) -> Mark {
        Mark {
            authority: self.authority.clone(),
            made_at: self.made_at,
            name: self.name.clone(),
        }
    }

    fn check_names(&self) -> Result<(), ProvisionError> {
        match self.files.keys().find(|name| !is_allowed(name)) {
            Some(name) => Err(ProvisionError::Name { name: name.clone() }),
            None => Ok(()),
        }
    }
}

/// Whether only root may read a file of this name.
pub fn is_secret(name: &str) -> bool {
    name.starts_with("keys/")
}

fn is_allowed(name: &str) -> bool {
    let (folder, file) = name.split_once('/').unwrap_or(("", name));
    let plain = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
    ["", "keys", "network"].contains(&folder)
        && file.starts_with(|c: char| c.is_ascii_alphanumeric())
        && file.chars().all(plain)
        && file.len() <= 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(second: i64) -> Package {
        Package {
            v: 1,
            name: "k2".into(),
            profile: "kiosk".into(),
            made_at: Timestamp::from_second(second).expect("a time"),
            authority: String::new(),
            files: BTreeMap::from([
                ("kiosk.toml".to_owned(), "id = \"k2\"".to_owned()),
                ("keys/office.token".to_owned(), "0123".to_owned()),
            ]),
        }
    }

    #[test]
    fn the_first_signer_is_believed_and_later_only_the_same_with_something_newer() {
        let (key, other) = (SigningKey::generate(&[3; 32]), SigningKey::generate(&[4; 32]));
        let first = package(100).seal(&key).expect("sealed");
        let opened = Package::open(&first, "kiosk", None).expect("believed");
        assert_eq!(opened.files, package(100).files);
        let mark = opened.mark();
        let again = |package: Package, key: &SigningKey| {
            Package::open(&package.seal(key).expect("sealed"), "kiosk", Some(&mark))
        };
        assert!(again(package(101), &key).is_ok());
        assert_eq!(again(package(101), &other), Err(ProvisionError::OtherAuthority));
        assert!(matches!(
            again(package(100), &key),
            Err(ProvisionError::NotNewer { .. })
        ));
        let board = Package::open(&first, "board", None).expect_err("refused");
        assert!(board.to_string().contains("is for kiosk, this machine is board"));
    }

    #[test]
    fn a_changed_byte_or_a_name_that_leads_away_is_refused() {
        let key = SigningKey::generate(&[3; 32]);
        let text = String::from_utf8(package(100).seal(&key).expect("sealed")).expect("text");
        let changed = text.replace("0123", "0124");
        assert_ne!(changed, text);
        assert_eq!(
            Package::open(changed.as_bytes(), "kiosk", None),
            Err(ProvisionError::Malformed)
        );
        for name in [
            "../passwd",
            "/etc/passwd",
            "keys/../x",
            "a/b",
            ".hidden",
            "keys/",
            "",
            "keys/a/b",
            "ñ",
        ] {
            let mut package = package(100);
            package.files.insert(name.to_owned(), String::new());
            assert_eq!(
                package.seal(&key),
                Err(ProvisionError::Name {
                    name: name.to_owned()
                })
            );
        }
    }

    #[test]
    fn nothing_of_the_contents_is_ever_logged() {
        assert!(!format!("{:?}", package(100)).contains("0123"));
    }
}
