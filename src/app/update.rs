//! Writes a new version of the system into the slot that is not running. Begin at [`Machine::install`].
//!
//! The running slot is never touched, and the other one's kernel goes first: a machine that loses power in the middle
//! starts what it ran before. The new kernel appears last, by a rename, with the tries that the loader counts; who
//! finds that the new version serves takes the count away (`systemd-bless-boot`), else the machine is back on the old
//! one after that many starts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::domain::release::{Here, KernelFile, PREFIX, Part, PartKind, Release, ReleaseError, Slot};
use crate::domain::seal::{SigningKey, VerifyingKey, hex};

const CHUNK: usize = 1 << 20;

/// Where the machine's parts are.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The kernel's command line.
    pub command_line: PathBuf,
    /// Folder with the partitions by their labels.
    pub partitions: PathBuf,
    /// Folder of the loader's kernels.
    pub kernels: PathBuf,
    /// What says which version this is.
    pub os_release: PathBuf,
    /// Folder with the public keys of who may sign.
    pub keys: PathBuf,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            command_line: "/proc/cmdline".into(),
            partitions: "/dev/disk/by-partlabel".into(),
            kernels: "/efi/EFI/Linux".into(),
            os_release: "/etc/os-release".into(),
            keys: "/usr/lib/ventanilla/update-keys".into(),
        }
    }
}

/// Why an update was not made or not installed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The release may not be installed here.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// This is no appliance, or not one with two slots.
    #[error("This machine is not an appliance with two slots; update it with its package manager ({0})")]
    NoAppliance(String),
    /// A file or partition cannot be used.
    #[error("{path} cannot be used; check it and try again")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A part is not what was signed.
    #[error("Part {part} of the update is not what was signed; copy the update again")]
    Changed {
        /// Its file's name.
        part: &'static str,
    },
    /// A part is not what was written.
    #[error("{path} does not give back what was written; the disk is failing")]
    Disk {
        /// Which partition.
        path: PathBuf,
    },
    /// A key is not usable.
    #[error(
        "Key {path} is not a public key that signs; write it again with `ventanilla keys new --kind signing`"
    )]
    Key {
        /// Its file.
        path: PathBuf,
    },
}

fn io(path: &Path) -> impl FnOnce(io::Error) -> UpdateError + '_ {
    |source| UpdateError::Io {
        path: path.to_owned(),
        source,
    }
}

/// What runs, and what waits in the loader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The slot that runs.
    pub slot: Slot,
    /// The machine as releases see it.
    pub here: Here,
    /// All kernels that the loader knows.
    pub kernels: Vec<KernelFile>,
}

impl Machine {
    /// What runs here.
    ///
    /// # Errors
    /// When this is no appliance.
    pub fn standing(&self) -> Result<Standing, UpdateError> {
        let none = |what: &str| UpdateError::NoAppliance(what.to_owned());
        let line = fs::read_to_string(&self.command_line).map_err(io(&self.command_line))?;
        let slot = Slot::of_command_line(&line).ok_or_else(|| none("the command line names no slot"))?;
        let text = fs::read_to_string(&self.os_release).map_err(io(&self.os_release))?;
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .map(|value| value.trim_matches('"').to_owned())
        };
        let image = field("IMAGE_ID").ok_or_else(|| none("os-release has no IMAGE_ID"))?;
        let version = field("IMAGE_VERSION").ok_or_else(|| none("os-release has no IMAGE_VERSION"))?;
        let mut kernels = Vec::new();
        for entry in fs::read_dir(&self.kernels).map_err(io(&self.kernels))? {
            let entry = entry.map_err(io(&self.kernels))?;
            kernels.extend(entry.file_name().to_str().and_then(KernelFile::parse));
        }
        let failed = kernels.iter().filter(|kernel| kernel.left == Some(0));
        let here = Here {
            profile: image.strip_prefix("ventanilla-").unwrap_or(&image).to_owned(),
            arch: architecture().to_owned(),
            proved: !kernels
                .iter()
                .any(|kernel| kernel.slot == slot && kernel.left.is_some()),
            failed: failed.map(|kernel| kernel.version.clone()).collect(),
            version,
        };
        Ok(Standing { slot, here, kernels })
    }

    /// Profile and version of this appliance, for whoever may not look at the loader; nothing where it is none.
    pub fn identity(&self) -> Option<(String, String)> {
        let text = fs::read_to_string(&self.os_release).ok()?;
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .map(|value| value.trim_matches('"').to_owned())
        };
        let image = field("IMAGE_ID")?;
        let profile = image.strip_prefix("ventanilla-")?.to_owned();
        Some((profile, field("IMAGE_VERSION")?))
    }

    /// Public keys of who may sign for this machine.
    ///
    /// # Errors
    /// When the folder or a key is not readable.
    pub fn trusted(&self) -> Result<Vec<VerifyingKey>, UpdateError> {
        let mut keys = Vec::new();
        for entry in fs::read_dir(&self.keys).map_err(io(&self.keys))? {
            let path = entry.map_err(io(&self.keys))?.path();
            let text = fs::read_to_string(&path).map_err(io(&path))?;
            keys.push(VerifyingKey::parse(text.trim()).map_err(|_| UpdateError::Key { path })?);
        }
        Ok(keys)
    }

    /// Installs the update in `file`; the next start tries it.
    ///
    /// # Errors
    /// Nothing was changed where the release is refused; after any other error the running slot starts as before.
    pub fn install(&self, file: &Path) -> Result<Release, UpdateError> {
        let standing = self.standing()?;
        let mut source = File::open(file).map_err(io(file))?;
        let release = head(&mut source, file, &self.trusted()?)?;
        release.admit(&standing.here)?;
        let slot = standing.slot.other();
        // From here on the other slot is no way to start any more.
        for old in standing.kernels.iter().filter(|kernel| kernel.slot == slot) {
            self.forget(old)?;
        }
        for part in &release.parts {
            match part.kind {
                PartKind::Root => self.fill("root", slot, part, &mut source, file)?,
                PartKind::Verity => self.fill("verity", slot, part, &mut source, file)?,
                kind if kind == PartKind::kernel(slot) => {
                    self.kernel(slot, &release.version, part, &mut source, file)?;
                }
                PartKind::KernelA | PartKind::KernelB => {
                    let bytes = i64::try_from(part.bytes).unwrap_or(i64::MAX);
                    source.seek_relative(bytes).map_err(io(file))?;
                }
            }
        }
        Ok(release)
    }

    /// Takes a kernel out of the loader's list, under whatever count it has.
    fn forget(&self, kernel: &KernelFile) -> Result<(), UpdateError> {
        let names = fs::read_dir(&self.kernels).map_err(io(&self.kernels))?;
        for path in names.flatten().map(|entry| entry.path()) {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if KernelFile::parse(name).is_some_and(|found| found == *kernel) {
                fs::remove_file(&path).map_err(io(&path))?;
            }
        }
        File::open(&self.kernels)
            .and_then(|folder| folder.sync_all())
            .map_err(io(&self.kernels))
    }

    fn fill(
        &self,
        what: &str,
        slot: Slot,
        part: &Part,
        source: &mut File,
        file: &Path,
    ) -> Result<(), UpdateError> {
        let path = self.partitions.join(format!("{what}-{}", slot.letter()));
        let mut target = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(io(&path))?;
        copy(part, source, file, &mut target, &path)?;
        target.sync_all().map_err(io(&path))?;
        // What the disk really holds, not what the cache remembers.
        let _ = rustix::fs::fadvise(&target, 0, None, rustix::fs::Advice::DontNeed);
        target.rewind().map_err(io(&path))?;
        let back = digest(&mut target.take(part.bytes)).map_err(io(&path))?;
        if back == part.sha256 {
            Ok(())
        } else {
            Err(UpdateError::Disk { path })
        }
    }

    fn kernel(
        &self,
        slot: Slot,
        version: &str,
        part: &Part,
        source: &mut File,
        file: &Path,
    ) -> Result<(), UpdateError> {
        let name = KernelFile {
            slot,
            version: version.to_owned(),
            left: Some(KernelFile::TRIES),
        }
        .name();
        let unfinished = self.kernels.join("ventanilla.part");
        let mut target = File::create(&unfinished).map_err(io(&unfinished))?;
        copy(part, source, file, &mut target, &unfinished)?;
        target.sync_all().map_err(io(&unfinished))?;
        drop(target);
        let path = self.kernels.join(name);
        fs::rename(&unfinished, &path).map_err(io(&path))?;
        File::open(&self.kernels)
            .and_then(|folder| folder.sync_all())
            .map_err(io(&self.kernels))
    }
}

/// The name Debian gives this processor.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// What a whole file says of itself, if one of `keys` signed it; its parts are not looked at.
///
/// # Errors
/// When it is not there, not whole, or not signed.
pub fn read_head(file: &Path, keys: &[VerifyingKey]) -> Result<Release, UpdateError> {
    let mut source = File::open(file).map_err(io(file))?;
    head(&mut source, file, keys)
}

/// Holds every part of a file against what was signed; takes as long as reading it.
///
/// # Errors
/// Says what does not hold.
pub fn check(file: &Path, keys: &[VerifyingKey]) -> Result<Release, UpdateError> {
    let mut source = File::open(file).map_err(io(file))?;
    let release = head(&mut source, file, keys)?;
    for part in &release.parts {
        let found = digest(&mut (&mut source).take(part.bytes)).map_err(io(file))?;
        if found != part.sha256 {
            return Err(UpdateError::Changed {
                part: part.kind.file(),
            });
        }
    }
    Ok(release)
}

fn head(source: &mut File, file: &Path, keys: &[VerifyingKey]) -> Result<Release, UpdateError> {
    let cut = |_| UpdateError::Release(ReleaseError::Malformed);
    let mut prefix = [0; PREFIX];
    source.read_exact(&mut prefix).map_err(cut)?;
    let mut list = vec![0; Release::list_length(&prefix)?];
    source.read_exact(&mut list).map_err(cut)?;
    let release = Release::open(&list, keys)?;
    let parts: u64 = release.parts.iter().map(|part| part.bytes).sum();
    let whole = (PREFIX + list.len()) as u64 + parts;
    if source.metadata().map_err(io(file))?.len() == whole {
        Ok(release)
    } else {
        Err(ReleaseError::Malformed.into())
    }
}

fn copy(
    part: &Part,
    source: &mut File,
    file: &Path,
    target: &mut File,
    path: &Path,
) -> Result<(), UpdateError> {
    let (mut left, mut hash, mut chunk) = (part.bytes, Sha256::new(), vec![0; CHUNK]);
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        source.read_exact(&mut chunk[..size]).map_err(io(file))?;
        hash.update(&chunk[..size]);
        target.write_all(&chunk[..size]).map_err(io(path))?;
        left -= size as u64;
    }
    if hex(&hash.finalize()) == part.sha256 {
        Ok(())
    } else {
        Err(UpdateError::Changed {
            part: part.kind.file(),
        })
    }
}

fn digest(source: &mut impl Read) -> io::Result<String> {
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        let size = source.read(&mut chunk)?;
        if size == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&chunk[..size]);
    }
}

/// Puts the parts of `folder` together behind a signed list; `release.parts` is made here.
///
/// # Errors
/// When a part is missing or the output cannot be written.
pub fn sign(
    mut release: Release,
    folder: &Path,
    key: &SigningKey,
    output: &Path,
) -> Result<Release, UpdateError> {
    release.parts.clear();
    for kind in PartKind::ALL {
        let path = folder.join(kind.file());
        let mut file = File::open(&path).map_err(io(&path))?;
        release.parts.push(Part {
            kind,
            bytes: file.metadata().map_err(io(&path))?.len(),
            sha256: digest(&mut file).map_err(io(&path))?,
        });
    }
    let mut target = File::create(output).map_err(io(output))?;
    target.write_all(&release.seal(key)).map_err(io(output))?;
    for kind in PartKind::ALL {
        let path = folder.join(kind.file());
        let mut part = File::open(&path).map_err(io(&path))?;
        io::copy(&mut part, &mut target).map_err(io(output))?;
    }
    target.sync_all().map_err(io(output))?;
    Ok(release)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    struct Bench {
        folder: tempfile::TempDir,
        machine: Machine,
        key: SigningKey,
    }

    impl Bench {
        /// A machine that runs 1.0.0 in slot A, with room in slot B.
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("folder");
            let at = |name: &str| folder.path().join(name);
            let machine = Machine {
                command_line: at("cmdline"),
                partitions: at("partitions"),
                kernels: at("kernels"),
                os_release: at("os-release"),
                keys: at("keys"),
            };
            for made in [&machine.partitions, &machine.kernels, &machine.keys, &at("parts")] {
                fs::create_dir(made).expect("folder");
            }
            fs::write(&machine.command_line, "quiet ventanilla.slot=a").expect("written");
            let text = "NAME=Ventanilla\nIMAGE_ID=ventanilla-kiosk\nIMAGE_VERSION=1.0.0\n";
            fs::write(&machine.os_release, text).expect("written");
            fs::write(machine.kernels.join("ventanilla-a_1.0.0.efi"), "old kernel").expect("written");
            for name in ["root-a", "verity-a", "root-b", "verity-b"] {
                fs::write(machine.partitions.join(name), [0xee; 64]).expect("written");
            }
            let key = SigningKey::generate(&[9; 32]);
            fs::write(machine.keys.join("publisher.pub"), key.verifying().to_text()).expect("written");
            Self { folder, machine, key }
        }

        fn update(&self, version: &str) -> PathBuf {
            let parts = self.folder.path().join("parts");
            for kind in PartKind::ALL {
                fs::write(parts.join(kind.file()), format!("{} {version}", kind.file())).expect("written");
            }
            let release = Release {
                v: 1,
                profile: "kiosk".into(),
                arch: architecture().into(),
                version: version.into(),
                made_at: Timestamp::UNIX_EPOCH,
                parts: Vec::new(),
            };
            let file = self.folder.path().join(format!("{version}.vup"));
            sign(release, &parts, &self.key, &file).expect("signed");
            file
        }

        fn kernels(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(&self.machine.kernels)
                .expect("folder")
                .map(|entry| entry.expect("entry").file_name().into_string().expect("text"))
                .collect();
            names.sort();
            names
        }

        fn partition(&self, name: &str) -> Vec<u8> {
            fs::read(self.machine.partitions.join(name)).expect("partition")
        }
    }

    #[test]
    fn a_new_version_fills_the_other_slot_and_is_counted() {
        let bench = Bench::new();
        bench.machine.install(&bench.update("1.1.0")).expect("installed");
        assert!(bench.partition("root-b").starts_with(b"root.img 1.1.0\xee"));
        assert!(bench.partition("verity-b").starts_with(b"verity.img 1.1.0\xee"));
        assert_eq!(bench.partition("root-a"), [0xee; 64], "what runs is not touched");
        assert_eq!(
            bench.kernels(),
            ["ventanilla-a_1.0.0.efi", "ventanilla-b_1.1.0+3.efi"]
        );
        let kernel = fs::read_to_string(bench.machine.kernels.join("ventanilla-b_1.1.0+3.efi"));
        assert_eq!(kernel.expect("read"), "kernel-b.efi 1.1.0");
        // Offered once more before it was tried, it is written once more: nothing runs from there.
        bench.machine.install(&bench.update("1.1.1")).expect("installed");
        assert_eq!(
            bench.kernels(),
            ["ventanilla-a_1.0.0.efi", "ventanilla-b_1.1.1+3.efi"]
        );
    }

    #[test]
    fn a_changed_part_leaves_a_machine_that_starts_as_before() {
        let bench = Bench::new();
        bench.machine.install(&bench.update("1.1.0")).expect("installed");
        let file = bench.update("1.2.0");
        let mut bytes = fs::read(&file).expect("read");
        let at = bytes
            .windows(8)
            .rposition(|part| part == b"root.img")
            .expect("the part");
        bytes[at] ^= 1;
        fs::write(&file, &bytes).expect("written");
        let error = bench.machine.install(&file).expect_err("refused").to_string();
        assert!(error.contains("root.img"), "{error}");
        assert_eq!(
            bench.kernels(),
            ["ventanilla-a_1.0.0.efi"],
            "a half written slot does not start"
        );
        fs::write(&file, &bytes[..bytes.len() - 1]).expect("written");
        let error = bench.machine.install(&file).expect_err("refused").to_string();
        assert!(error.contains("whole update"), "{error}");
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut bench = Bench::new();
        let older = bench.update("1.0.0");
        assert!(bench.machine.install(&older).is_err());
        let fine = bench.update("1.1.0");
        fs::write(&bench.machine.command_line, "quiet").expect("written");
        let error = bench.machine.install(&fine).expect_err("refused").to_string();
        assert!(error.contains("not an appliance"), "{error}");
        fs::write(&bench.machine.command_line, "ventanilla.slot=a").expect("written");
        let kernel = |name: &str| bench.machine.kernels.join(name);
        fs::rename(
            kernel("ventanilla-a_1.0.0.efi"),
            kernel("ventanilla-a_1.0.0+2-1.efi"),
        )
        .expect("renamed");
        let error = bench.machine.install(&fine).expect_err("refused").to_string();
        assert!(error.contains("not proved itself"), "{error}");
        fs::rename(
            kernel("ventanilla-a_1.0.0+2-1.efi"),
            kernel("ventanilla-a_1.0.0.efi"),
        )
        .expect("renamed");
        fs::write(kernel("ventanilla-b_1.1.0+0-3.efi"), "").expect("written");
        let error = bench.machine.install(&fine).expect_err("refused").to_string();
        assert!(error.contains("did not serve"), "{error}");
        bench.key = SigningKey::generate(&[1; 32]);
        let foreign = bench.update("1.3.0");
        let error = bench.machine.install(&foreign).expect_err("refused").to_string();
        assert!(error.contains("not signed"), "{error}");
        assert_eq!(bench.partition("root-b"), [0xee; 64]);
        assert_eq!(
            bench.kernels(),
            ["ventanilla-a_1.0.0.efi", "ventanilla-b_1.1.0+0-3.efi"]
        );
    }
}
