//! A catalogue as it is published: files, a signed list of them, and who may sign the next one.
//!
//! Not an archive: the files stand behind the list one after the other, uncompressed, so there is nothing to unpack
//! that could be larger than what came, and no name that a file system ever sees.
//! A bundle is only believed for its tenant, never older than what is installed, and not after its day.
//! Begin at [`Bundle::open`]; layout: `VCB1 | u32 length, signed list as JSON | the files in the list's order`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::seal::{Recipient, Role, Signed, SigningKey, VerifyingKey, hex};
use crate::domain::submission::micros;

/// What a publisher's signature of a list begins with.
pub const CATALOGUE_DOMAIN: &str = "VSP1//catalogue//";
/// Most bytes of a bundle; a city's catalogue with its forms has half a million.
pub const BUNDLE_MAX: usize = 16 * 1024 * 1024;

const MAGIC: &[u8; 4] = b"VCB1";
const FILES_MAX: usize = 2000;

/// The signed list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this shape: 1.
    pub v: u8,
    /// Whose catalogue it is, such as `quito`.
    pub tenant: String,
    /// Grows with each publication.
    pub version: u64,
    /// When it was signed.
    #[serde(with = "micros")]
    pub made_at: Timestamp,
    /// After this it is not installed any more; one that is installed goes on serving.
    #[serde(with = "micros")]
    pub expires_at: Timestamp,
    /// Key lines of those who may sign the next one: the present publisher and the next.
    pub publishers: Vec<String>,
    /// Key lines to seal to: the municipality's present key first, then the next. May be empty.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// The files by name.
    pub files: BTreeMap<String, FileMark>,
}

/// What a file must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

/// A bundle that was believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The list.
    pub manifest: Manifest,
    /// The files by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// What a reader knows before it believes.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Whose catalogues are wanted.
    pub tenant: String,
    /// Who may sign.
    pub keys: Vec<VerifyingKey>,
    /// What is installed; 0 for nothing.
    pub installed: u64,
}

/// Why a bundle is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Not a bundle, cut, or longer than its list says.
    #[error("This is not a whole catalogue bundle; fetch it again")]
    Malformed,
    /// Too large.
    #[error(
        "The bundle has more than {BUNDLE_MAX} bytes or {FILES_MAX} files; leave out what no kiosk needs"
    )]
    TooLarge,
    /// Signed by nobody who may.
    #[error(
        "The bundle is not signed by a publisher that is trusted here; sign it with the present key or the announced next one"
    )]
    NotSigned,
    /// Of another municipality.
    #[error("The bundle is of {found}, not of {wanted}")]
    OtherTenant {
        /// Whose it is.
        found: String,
        /// Whose is wanted.
        wanted: String,
    },
    /// Older than what is installed, or another one of the same version.
    #[error(
        "The bundle has version {offered}, and {installed} is installed; publish it with a higher version"
    )]
    NotNewer {
        /// Its version.
        offered: u64,
        /// The installed one.
        installed: u64,
    },
    /// Its day is over.
    #[error("The bundle expired on {at}; sign it again")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// A file is not what the list says.
    #[error("File {name} in the bundle is not what was signed")]
    Changed {
        /// Which.
        name: String,
    },
    /// A name that no catalogue has.
    #[error(
        "File name {name:?} is not allowed in a catalogue; use a-z, 0-9, - and _, at most one folder, and .toml, .csv or .xlsx"
    )]
    Name {
        /// Which.
        name: String,
    },
}

impl Bundle {
    /// Puts files together and signs the list; `manifest.files` is made here.
    ///
    /// # Errors
    /// When a name is not allowed or it is too large.
    pub fn seal(
        mut manifest: Manifest,
        files: &BTreeMap<String, Vec<u8>>,
        key: &SigningKey,
    ) -> Result<Vec<u8>, BundleError> {
        manifest.files = files
            .iter()
            .map(|(name, bytes)| {
                let mark = FileMark {
                    sha256: hex(&Sha256::digest(bytes)),
                    bytes: bytes.len() as u64,
                };
                is_allowed(name)
                    .then(|| (name.clone(), mark))
                    .ok_or_else(|| BundleError::Name { name: name.clone() })
            })
            .collect::<Result<_, _>>()?;
        let list = serde_json::to_vec(&Signed::new(CATALOGUE_DOMAIN, &manifest, key)).expect("plain data");
        let length = u32::try_from(list.len()).map_err(|_| BundleError::TooLarge)?;
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&list);
        for bytes in files.values() {
            out.extend_from_slice(bytes);
        }
        if out.len() > BUNDLE_MAX || files.len() > FILES_MAX {
            return Err(BundleError::TooLarge);
        }
        Ok(out)
    }

    /// Reads a bundle that is offered, and believes it only where everything holds.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn open(bytes: &[u8], trust: &Trust, now: Timestamp) -> Result<Self, BundleError> {
        let bundle = Self::read(bytes, &trust.keys)?;
        let manifest = &bundle.manifest;
        if manifest.tenant != trust.tenant {
            return Err(BundleError::OtherTenant {
                found: manifest.tenant.clone(),
                wanted: trust.tenant.clone(),
            });
        }
        if manifest.version <= trust.installed {
            return Err(BundleError::NotNewer {
                offered: manifest.version,
                installed: trust.installed,
            });
        }
        if manifest.expires_at < now {
            return Err(BundleError::Expired {
                at: manifest.expires_at,
            });
        }
        Ok(bundle)
    }

    /// Reads a bundle that was believed before and lies on this disk: whole, unchanged, signed by one of `keys` or
    /// by one that it names itself.
    ///
    /// # Errors
    /// When the disk changed it.
    pub fn installed(bytes: &[u8], keys: &[VerifyingKey]) -> Result<Self, BundleError> {
        let (signed, _) = split(bytes)?;
        let own: Manifest = serde_json::from_str(&signed.body).map_err(|_| BundleError::Malformed)?;
        Self::read(bytes, &[keys, &own.publisher_keys()].concat())
    }

    /// Only the signed list of an installed bundle: it still tells version and keys when the disk changed a file.
    ///
    /// # Errors
    /// When the list itself is changed.
    pub fn list(bytes: &[u8], keys: &[VerifyingKey]) -> Result<Manifest, BundleError> {
        let (signed, _) = split(bytes)?;
        let own: Manifest = serde_json::from_str(&signed.body).map_err(|_| BundleError::Malformed)?;
        signed
            .read(CATALOGUE_DOMAIN, &[keys, &own.publisher_keys()].concat())
            .ok_or(BundleError::NotSigned)
    }

    fn read(bytes: &[u8], keys: &[VerifyingKey]) -> Result<Self, BundleError> {
        let (signed, mut rest) = split(bytes)?;
        let manifest: Manifest = signed
            .read(CATALOGUE_DOMAIN, keys)
            .ok_or(BundleError::NotSigned)?;
        if manifest.v != 1 {
            return Err(BundleError::Malformed);
        }
        if manifest.files.len() > FILES_MAX {
            return Err(BundleError::TooLarge);
        }
        let mut files = BTreeMap::new();
        for (name, mark) in &manifest.files {
            if !is_allowed(name) {
                return Err(BundleError::Name { name: name.clone() });
            }
            let length = usize::try_from(mark.bytes).map_err(|_| BundleError::Malformed)?;
            let (file, tail) = rest.split_at_checked(length).ok_or(BundleError::Malformed)?;
            if hex(&Sha256::digest(file)) != mark.sha256 {
                return Err(BundleError::Changed { name: name.clone() });
            }
            files.insert(name.clone(), file.to_vec());
            rest = tail;
        }
        if !rest.is_empty() {
            return Err(BundleError::Malformed);
        }
        Ok(Self { manifest, files })
    }
}

impl Manifest {
    /// The keys that may sign the next one.
    pub fn publisher_keys(&self) -> Vec<VerifyingKey> {
        self.publishers
            .iter()
            .filter_map(|line| VerifyingKey::parse(line).ok())
            .collect()
    }

    /// The municipality's present key to seal to, where the catalogue names one.
    pub fn recipient(&self) -> Option<Recipient> {
        Recipient::parse(Role::Municipality, self.recipients.first()?).ok()
    }
}

fn split(bytes: &[u8]) -> Result<(Signed, &[u8]), BundleError> {
    if bytes.len() > BUNDLE_MAX {
        return Err(BundleError::TooLarge);
    }
    let cut = || BundleError::Malformed;
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(cut)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| cut())?;
    let (list, files) = rest.split_at_checked(length).ok_or_else(cut)?;
    Ok((serde_json::from_slice(list).map_err(|_| cut())?, files))
}

/// `catalogue.toml`, `lists/parroquias.csv`: nothing that could lead out of a folder.
fn is_allowed(name: &str) -> bool {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let plain = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    let Some((stem, ending)) = file.rsplit_once('.') else {
        return false;
    };
    name.len() <= 100
        && plain(folder)
        && !stem.is_empty()
        && plain(stem)
        && ["toml", "csv", "xlsx"].contains(&ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SigningKey {
        SigningKey::generate(&[n; 32])
    }

    fn at(day: i8) -> Timestamp {
        jiff::civil::date(2026, 11, day)
            .to_zoned_datetime(jiff::tz::TimeZone::UTC)
            .expect("a day")
            .timestamp()
    }

    fn manifest(version: u64, publishers: &[&SigningKey]) -> Manifest {
        Manifest {
            v: 1,
            tenant: "quito".into(),
            version,
            made_at: at(1),
            expires_at: at(20),
            publishers: publishers.iter().map(|key| key.verifying().to_text()).collect(),
            recipients: vec![],
            files: BTreeMap::new(),
        }
    }

    fn files() -> BTreeMap<String, Vec<u8>> {
        [("catalogue.toml", "a = 1"), ("procedures/agua.toml", "b = 2")]
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .into()
    }

    fn trust(installed: u64, key: &SigningKey) -> Trust {
        Trust {
            tenant: "quito".into(),
            keys: vec![key.verifying()],
            installed,
        }
    }

    #[test]
    fn what_was_published_comes_back_and_nothing_else_is_believed() {
        let bytes = Bundle::seal(manifest(7, &[&key(1)]), &files(), &key(1)).expect("sealed");
        let open = |trust: &Trust, now| Bundle::open(&bytes, trust, now);
        assert_eq!(open(&trust(6, &key(1)), at(2)).expect("believed").files, files());
        let refused = |trust: &Trust, now| open(trust, now).expect_err("refused");
        assert_eq!(
            refused(&trust(7, &key(1)), at(2)),
            BundleError::NotNewer {
                offered: 7,
                installed: 7
            }
        );
        assert_eq!(refused(&trust(0, &key(2)), at(2)), BundleError::NotSigned);
        assert_eq!(
            refused(&trust(0, &key(1)), at(21)),
            BundleError::Expired { at: at(20) }
        );
        let other = Trust {
            tenant: "cuenca".into(),
            ..trust(0, &key(1))
        };
        assert!(matches!(refused(&other, at(2)), BundleError::OtherTenant { .. }));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_refused() {
        let bytes = Bundle::seal(manifest(7, &[&key(1)]), &files(), &key(1)).expect("sealed");
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            // Another case of a hexadecimal digit in the signature is the same signature.
            if let Ok(bundle) = Bundle::open(&changed, &trust(0, &key(1)), at(2)) {
                assert_eq!(bundle.files, files(), "byte {place}");
                assert!(changed[..bytes.len()].is_ascii());
            }
            assert!(
                Bundle::open(&bytes[..place], &trust(0, &key(1)), at(2)).is_err(),
                "cut at {place}"
            );
        }
        let longer = [bytes, vec![0]].concat();
        assert_eq!(
            Bundle::open(&longer, &trust(0, &key(1)), at(2)),
            Err(BundleError::Malformed)
        );
    }

    #[test]
    fn no_name_leads_out_and_no_list_promises_more_than_came() {
        for name in [
            "../x.toml",
            "/etc/x.toml",
            "a/b/c.toml",
            "x.sh",
            ".toml",
            "a/../b.toml",
            "c:\\x.toml",
            "x.TOML",
        ] {
            let files = [(name.to_owned(), vec![1])].into();
            let refused = Bundle::seal(manifest(1, &[]), &files, &key(1));
            assert!(matches!(refused, Err(BundleError::Name { .. })), "{name}");
        }
        // A publisher whose tool is broken, or bad: signed, but not believed.
        let mut bad = manifest(1, &[]);
        let mark = FileMark {
            sha256: hex(&Sha256::digest(b"")),
            bytes: u64::MAX,
        };
        bad.files.insert("x.toml".into(), mark);
        let list = serde_json::to_vec(&Signed::new(CATALOGUE_DOMAIN, &bad, &key(1))).expect("json");
        let length = u32::try_from(list.len()).expect("short").to_be_bytes();
        let bytes = [MAGIC.as_slice(), &length, &list].concat();
        assert_eq!(
            Bundle::open(&bytes, &trust(0, &key(1)), at(2)),
            Err(BundleError::Malformed)
        );
        let huge = vec![0; BUNDLE_MAX + 1];
        assert_eq!(
            Bundle::open(&huge, &trust(0, &key(1)), at(2)),
            Err(BundleError::TooLarge)
        );
    }

    #[test]
    fn the_key_changes_by_the_catalogue_itself() {
        let first = Bundle::seal(manifest(1, &[&key(1), &key(2)]), &files(), &key(1)).expect("sealed");
        let first = Bundle::open(&first, &trust(0, &key(1)), at(2)).expect("believed");
        let after = Trust {
            keys: first.manifest.publisher_keys(),
            ..trust(1, &key(1))
        };
        let second = Bundle::seal(manifest(2, &[&key(2), &key(3)]), &files(), &key(2)).expect("sealed");
        let second_read = Bundle::open(&second, &after, at(2)).expect("the announced key");
        let later = Trust {
            keys: second_read.manifest.publisher_keys(),
            ..trust(2, &key(1))
        };
        let old = Bundle::seal(manifest(3, &[&key(1)]), &files(), &key(1)).expect("sealed");
        assert_eq!(
            Bundle::open(&old, &later, at(2)),
            Err(BundleError::NotSigned),
            "the first key is over"
        );
        assert!(Bundle::installed(&second, &[]).is_ok());
    }
}
