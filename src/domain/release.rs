//! A version of the appliance's system as it travels: a signed list, and the parts behind it.
//!
//! Two slots take turns: the running one is never written to. What may be installed is decided here, by
//! [`Release::admit`]; writing it is the shell's. Layout: `VUP1 | u32 length, signed list as JSON | the parts in the
//! list's order`, so that a machine can refuse before it has read the large rest.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::seal::{Signed, SigningKey, VerifyingKey};
use crate::domain::submission::micros;

/// What a publisher's signature of a release begins with.
pub const RELEASE_DOMAIN: &str = "VSP1//release//";
/// Bytes before the list.
pub const PREFIX: usize = 8;
/// Most bytes of the list.
pub const LIST_MAX: usize = 64 * 1024;

const MAGIC: &[u8; 4] = b"VUP1";

/// One of the two places a system can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// The first, which the image fills.
    A,
    /// The second.
    B,
}

impl Slot {
    /// The one that is not running.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// `a` or `b`, as in the names of partitions.
    pub fn letter(self) -> char {
        match self {
            Self::A => 'a',
            Self::B => 'b',
        }
    }

    /// The slot that a kernel's command line names, `ventanilla.slot=a`.
    pub fn of_command_line(line: &str) -> Option<Self> {
        line.split_whitespace()
            .find_map(|word| word.strip_prefix("ventanilla.slot="))
            .and_then(|slot| match slot {
                "a" => Some(Self::A),
                "b" => Some(Self::B),
                _ => None,
            })
    }
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartKind {
    /// The root's file system.
    Root,
    /// The hashes that guard it.
    Verity,
    /// Kernel, initramfs and the root's hash for slot A.
    KernelA,
    /// The same for slot B.
    KernelB,
}

impl PartKind {
    /// All, in the order in which they travel.
    pub const ALL: [Self; 4] = [Self::Root, Self::Verity, Self::KernelA, Self::KernelB];

    /// The kernel of a slot.
    pub fn kernel(slot: Slot) -> Self {
        match slot {
            Slot::A => Self::KernelA,
            Slot::B => Self::KernelB,
        }
    }

    /// Name of its file where an image is built.
    pub fn file(self) -> &'static str {
        match self {
            Self::Root => "root.img",
            Self::Verity => "verity.img",
            Self::KernelA => "kernel-a.efi",
            Self::KernelB => "kernel-b.efi",
        }
    }
}

/// What a part must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

/// The signed list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Version of this shape: 1.
    pub v: u8,
    /// `kiosk`, `office` or `board`.
    pub profile: String,
    /// `amd64` or `arm64`.
    pub arch: String,
    /// Numbers with points between them.
    pub version: String,
    /// When it was signed.
    #[serde(with = "micros")]
    pub made_at: Timestamp,
    /// In the order in which they follow.
    pub parts: Vec<Part>,
}

/// The machine that a release is offered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Here {
    /// Its profile.
    pub profile: String,
    /// Its architecture.
    pub arch: String,
    /// The version that runs.
    pub version: String,
    /// Whether the version that runs has proved that it serves.
    pub proved: bool,
    /// Versions that were tried here and did not serve.
    pub failed: Vec<String>,
}

/// Why a release is not installed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// Not a release, or cut.
    #[error("This is not a whole update; copy it again")]
    Malformed,
    /// Signed by nobody who may.
    #[error("The update is not signed by a key of this system; sign it with the publisher's key")]
    NotSigned,
    /// For other machines.
    #[error("The update is for {found}, this machine is {here}")]
    OtherMachine {
        /// Profile and architecture it is for.
        found: String,
        /// Ours.
        here: String,
    },
    /// Older than what runs, or the same.
    #[error("The update has version {offered}, and {running} runs; only a higher one is installed")]
    NotNewer {
        /// Its version.
        offered: String,
        /// The running one.
        running: String,
    },
    /// What runs may have to be left again; the other slot is the way back.
    #[error("Version {running} has not proved itself yet; wait until it serves, or restart the machine")]
    NotProved {
        /// The running one.
        running: String,
    },
    /// It was here before.
    #[error("Version {version} did not serve on this machine; publish a higher one")]
    FailedBefore {
        /// Which.
        version: String,
    },
}

impl Release {
    /// The beginning of an update's file, up to the first part.
    pub fn seal(&self, key: &SigningKey) -> Vec<u8> {
        let list = serde_json::to_vec(&Signed::new(RELEASE_DOMAIN, self, key)).expect("plain data");
        let length = u32::try_from(list.len()).expect("four parts make a short list");
        [MAGIC.as_slice(), &length.to_be_bytes(), &list].concat()
    }

    /// Length of the list, from the first [`PREFIX`] bytes of a file.
    ///
    /// # Errors
    /// When it is no update.
    pub fn list_length(prefix: &[u8; PREFIX]) -> Result<usize, ReleaseError> {
        let length = u32::from_be_bytes([prefix[4], prefix[5], prefix[6], prefix[7]]) as usize;
        if prefix.starts_with(MAGIC) && length <= LIST_MAX {
            Ok(length)
        } else {
            Err(ReleaseError::Malformed)
        }
    }

    /// Reads the list, and believes it where one of `keys` signed it.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn open(list: &[u8], keys: &[VerifyingKey]) -> Result<Self, ReleaseError> {
        let signed: Signed = serde_json::from_slice(list).map_err(|_| ReleaseError::Malformed)?;
        let release: Self = signed.read(RELEASE_DOMAIN, keys).ok_or(ReleaseError::NotSigned)?;
        let kinds = release.parts.iter().map(|part| part.kind);
        if release.v != 1 || !kinds.eq(PartKind::ALL) || numbers(&release.version).is_none() {
            return Err(ReleaseError::Malformed);
        }
        Ok(release)
    }

    /// Whether this machine may take it.
    ///
    /// # Errors
    /// Says why not.
    pub fn admit(&self, here: &Here) -> Result<(), ReleaseError> {
        if (&self.profile, &self.arch) != (&here.profile, &here.arch) {
            return Err(ReleaseError::OtherMachine {
                found: format!("{} on {}", self.profile, self.arch),
                here: format!("{} on {}", here.profile, here.arch),
            });
        }
        if !is_newer(&self.version, &here.version) {
            return Err(ReleaseError::NotNewer {
                offered: self.version.clone(),
                running: here.version.clone(),
            });
        }
        if here.failed.contains(&self.version) {
            return Err(ReleaseError::FailedBefore {
                version: self.version.clone(),
            });
        }
        if !here.proved {
            return Err(ReleaseError::NotProved {
                running: here.version.clone(),
            });
        }
        Ok(())
    }
}

fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

/// Whether `offered` is above `running`; what is no version is above nothing.
pub fn is_newer(offered: &str, running: &str) -> bool {
    match (numbers(offered), numbers(running)) {
        (Some(offered), Some(running)) => offered > running,
        (Some(_) | None, _) => false,
    }
}

/// A kernel's file where the loader looks: `ventanilla-SLOT_VERSION.efi`, and while it is tried `+LEFT-DONE` before
/// the ending, which the loader counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelFile {
    /// Whose kernel.
    pub slot: Slot,
    /// Which version.
    pub version: String,
    /// Starts that are left to prove itself; nothing for one that did.
    pub left: Option<u32>,
}

impl KernelFile {
    /// How often a new version is tried before the machine goes back.
    pub const TRIES: u32 = 3;

    /// Reads a file's name; nothing for what is not ours.
    pub fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("ventanilla-")?.strip_suffix(".efi")?;
        let (slot, rest) = rest.split_once('_')?;
        let slot = match slot {
            "a" => Slot::A,
            "b" => Slot::B,
            _ => return None,
        };
        let (version, left) = match rest.split_once('+') {
            Some((version, count)) => {
                let left = count.split('-').next().unwrap_or_default().parse().ok()?;
                (version, Some(left))
            }
            None => (rest, None),
        };
        numbers(version)?;
        Some(Self {
            slot,
            version: version.to_owned(),
            left,
        })
    }

    /// The name under which it is written.
    pub fn name(&self) -> String {
        let count = self.left.map(|left| format!("+{left}")).unwrap_or_default();
        format!("ventanilla-{}_{}{count}.efi", self.slot.letter(), self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Release {
        Release {
            v: 1,
            profile: "kiosk".into(),
            arch: "amd64".into(),
            version: "1.2.0".into(),
            made_at: Timestamp::from_second(1_795_531_200).expect("a time"),
            parts: PartKind::ALL
                .iter()
                .map(|kind| Part {
                    kind: *kind,
                    sha256: "00".into(),
                    bytes: 1,
                })
                .collect(),
        }
    }

    fn here() -> Here {
        Here {
            profile: "kiosk".into(),
            arch: "amd64".into(),
            version: "1.1.9".into(),
            proved: true,
            failed: Vec::new(),
        }
    }

    #[test]
    fn a_release_is_believed_whole_and_from_its_publisher_only() {
        let (key, other) = (SigningKey::generate(&[7; 32]), SigningKey::generate(&[8; 32]));
        let head = release().seal(&key);
        let prefix: [u8; PREFIX] = head[..PREFIX].try_into().expect("a prefix");
        let list = &head[PREFIX..];
        assert_eq!(Release::list_length(&prefix), Ok(list.len()));
        assert_eq!(Release::open(list, &[key.verifying()]), Ok(release()));
        assert_eq!(
            Release::open(list, &[other.verifying()]),
            Err(ReleaseError::NotSigned)
        );
        for at in 0..list.len() {
            let mut changed = list.to_vec();
            changed[at] ^= 1;
            assert!(Release::open(&changed, &[key.verifying()]).is_err(), "byte {at}");
        }
        assert!(Release::list_length(b"VUP1\xff\xff\xff\xff").is_err());
        let mut short = release();
        short.parts.pop();
        let head = short.seal(&key);
        assert_eq!(
            Release::open(&head[PREFIX..], &[key.verifying()]),
            Err(ReleaseError::Malformed)
        );
    }

    #[test]
    fn only_a_higher_version_for_this_machine_on_a_proved_one_is_taken() {
        let refused = |here: Here| release().admit(&here).expect_err("refused").to_string();
        assert_eq!(release().admit(&here()), Ok(()));
        let board = Here {
            profile: "board".into(),
            ..here()
        };
        assert!(refused(board).contains("is for kiosk on amd64"));
        for running in ["1.2.0", "1.10.0", "2"] {
            let newer = Here {
                version: running.into(),
                ..here()
            };
            assert!(refused(newer).contains("only a higher one"), "{running}");
        }
        let trying = Here {
            proved: false,
            ..here()
        };
        assert!(refused(trying).contains("1.1.9 has not proved itself"));
        let failed = Here {
            failed: vec!["1.2.0".into()],
            ..here()
        };
        assert!(refused(failed).contains("did not serve"));
    }

    #[test]
    fn the_loader_counts_in_the_name_of_the_file() {
        let fresh = KernelFile {
            slot: Slot::B,
            version: "1.2.0".into(),
            left: Some(KernelFile::TRIES),
        };
        assert_eq!(fresh.name(), "ventanilla-b_1.2.0+3.efi");
        assert_eq!(KernelFile::parse("ventanilla-b_1.2.0+3.efi"), Some(fresh.clone()));
        let left = |name: &str| KernelFile::parse(name).map(|file| file.left);
        assert_eq!(left("ventanilla-b_1.2.0+2-1.efi"), Some(Some(2)));
        assert_eq!(left("ventanilla-a_1.2.0.efi"), Some(None));
        for foreign in [
            "linux.efi",
            "ventanilla-c_1.efi",
            "ventanilla-a_x.efi",
            "ventanilla-a_1.efi.part",
        ] {
            assert_eq!(left(foreign), None, "{foreign}");
        }
        assert_eq!(Slot::of_command_line("quiet ventanilla.slot=b ro"), Some(Slot::B));
        assert_eq!(Slot::of_command_line("ventanilla.slot=ab"), None);
    }
}
