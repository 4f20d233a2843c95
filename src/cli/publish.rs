//! Signing a catalogue where the publisher's key is, and publishing it at central; keys for both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use jiff::SignedDuration;

use super::print;
use crate::app::catalogue::{self, Shelf};
use crate::app::outbox::keyfile;
use crate::clock::{Clock, random};
use crate::config::central::CentralConfig;
use crate::domain::procedure::bundle::{Bundle, Manifest, Trust};
use crate::domain::seal::locked;
use crate::domain::seal::shares::{Paper, PrivateKey};
use crate::domain::seal::{OpeningKey, Recipient, Role, SigningKey, VerifyingKey};

/// `ventanilla catalogue …`
#[derive(Subcommand)]
pub(super) enum CatalogueAction {
    /// Puts a folder together and signs it; done where the publisher's key is, far from any network.
    Sign(SignArguments),
}

/// `ventanilla catalogue sign …`
#[derive(Args)]
pub(super) struct SignArguments {
    /// The catalogue's folder.
    #[arg(long)]
    from: PathBuf,
    /// Whose it is, such as quito.
    #[arg(long)]
    tenant: String,
    /// Its version: higher than every one before.
    #[arg(long)]
    version: u64,
    /// The publisher's private key.
    #[arg(long)]
    key: PathBuf,
    /// Public key of the next publisher, who may sign the next catalogue too.
    #[arg(long)]
    next: Vec<PathBuf>,
    /// Public keys to seal to: the municipality's present one first, then the next.
    #[arg(long)]
    recipient: Vec<PathBuf>,
    /// Days until it is not installed any more.
    #[arg(long, default_value_t = 90)]
    days: i64,
    /// Where the bundle goes.
    #[arg(short, long)]
    output: PathBuf,
}

pub(super) fn catalogue(action: CatalogueAction) -> anyhow::Result<()> {
    let CatalogueAction::Sign(arguments) = action;
    let key = read_key(&arguments.key)?;
    let mut publishers = vec![key.verifying().to_text()];
    for path in &arguments.next {
        publishers.push(parse(path, VerifyingKey::parse)?.to_text());
    }
    let recipients = arguments
        .recipient
        .iter()
        .map(|path| Ok(parse(path, |text| Recipient::parse(Role::Municipality, text))?.to_text()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let now = Clock::System.now();
    let manifest = Manifest {
        v: 1,
        tenant: arguments.tenant.clone(),
        version: arguments.version,
        made_at: now,
        expires_at: now
            .checked_add(SignedDuration::from_hours(arguments.days.clamp(1, 3650) * 24))
            .context("The clock of this machine is wrong")?,
        publishers,
        recipients,
        files: BTreeMap::new(),
    };
    let bytes = Bundle::seal(manifest, &files(&arguments.from)?, &key)?;
    let trust = Trust {
        tenant: arguments.tenant,
        keys: vec![key.verifying()],
        installed: 0,
    };
    let bundle = Bundle::open(&bytes, &trust, now)?;
    catalogue::check(&bundle)?;
    std::fs::write(&arguments.output, &bytes)
        .with_context(|| format!("{} cannot be written", arguments.output.display()))?;
    print(&format!(
        "catalogue {}\nversion {}\nfiles {}\nsigned {}",
        bundle.manifest.tenant,
        bundle.manifest.version,
        bundle.files.len(),
        key.kid()
    ));
    Ok(())
}

/// Believes a bundle as a kiosk would, and gives it to those below.
pub(super) fn publish(config: &CentralConfig, bundle: &Path) -> anyhow::Result<()> {
    let published = config
        .published
        .as_ref()
        .context("Central publishes no catalogue; add [published] with tenant and keys to its settings")?;
    let bytes = std::fs::read(bundle).with_context(|| format!("{} cannot be read", bundle.display()))?;
    let bundle = Shelf::new(&config.data, published)?.publish(&bytes, Clock::System.now())?;
    print(&format!(
        "published {} {}",
        bundle.manifest.tenant, bundle.manifest.version
    ));
    Ok(())
}

/// The files of a catalogue's folder: its own and those of `procedures` and `lists`.
fn files(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for part in ["", "procedures", "lists"] {
        let inside = folder.join(part);
        if !part.is_empty() && !inside.is_dir() {
            continue;
        }
        let entries =
            std::fs::read_dir(&inside).with_context(|| format!("{} cannot be read", inside.display()))?;
        for entry in entries {
            let path = entry?.path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            if !matches!(ending, Some("toml" | "csv" | "xlsx")) {
                continue;
            }
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let name = if part.is_empty() {
                file.into_owned()
            } else {
                format!("{part}/{file}")
            };
            let bytes = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            found.insert(name, bytes);
        }
    }
    Ok(found)
}

/// `ventanilla keys …`
#[derive(Subcommand)]
pub(super) enum KeysAction {
    /// Makes a key and its public half, `FILE` and `FILE.pub`; an existing one is never overwritten.
    New {
        /// What it is for.
        #[arg(long, value_enum)]
        kind: Kind,
        /// Where it goes; only its owner reads it.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Locks the municipality's key with a passphrase, for `municipality_key` of central; then delete the bare file.
    Lock {
        /// The private key.
        #[arg(long)]
        key: PathBuf,
        /// Where the locked key goes.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Prints a key for paper: type it back with `join`. Whoever has the paper has the key.
    Paper {
        /// The private key.
        #[arg(long)]
        key: PathBuf,
    },
    /// Writes a key in shares for several people: any two of them give it back, one alone cannot.
    Split {
        /// The private key.
        #[arg(long)]
        key: PathBuf,
        /// One file for each person, two or more; print it and delete it.
        #[arg(long, required = true, num_args = 1)]
        to: Vec<PathBuf>,
    },
    /// Makes the key file again from two shares, or from one whole paper.
    Join {
        /// The papers, typed into files.
        #[arg(required = true, num_args = 1..=2)]
        papers: Vec<PathBuf>,
        /// Where the key goes.
        #[arg(short, long)]
        output: PathBuf,
    },
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Opens submissions: the municipality's or an office's.
    Opening,
    /// Signs: a device, a receiver or a publisher.
    Signing,
}

pub(super) fn keys(action: KeysAction) -> anyhow::Result<()> {
    match action {
        KeysAction::New { kind, output } => new_key(kind, &output),
        KeysAction::Lock { key, output } => {
            let key = keyfile::opening(&key)?;
            let passphrase = super::desk::new_passphrase()?;
            let text = locked::lock(&key, &passphrase, random(), random())?;
            keyfile::write_private(&output, &text)?;
            print(&format!("locked {}\nkid {}", output.display(), key.kid()));
            Ok(())
        }
        KeysAction::Paper { key } => {
            print(read_private(&key)?.whole().to_text().trim_end());
            Ok(())
        }
        KeysAction::Split { key, to } => {
            let of = u8::try_from(to.len()).ok().filter(|of| *of >= 2);
            let of = of.context("One person alone is not two; give --to twice or more")?;
            let shares = read_private(&key)?.split(of, &zeroize::Zeroizing::new(random()));
            for (share, path) in shares.iter().zip(&to) {
                keyfile::write_private(path, &share.to_text())?;
                print(&format!("share {}", path.display()));
            }
            Ok(())
        }
        KeysAction::Join { papers, output } => {
            let papers = papers
                .iter()
                .map(|path| parse(path, Paper::parse))
                .collect::<anyhow::Result<Vec<_>>>()?;
            let key = match &papers[..] {
                [whole] => whole.key()?,
                [one, other, ..] => one.join(other)?,
                [] => bail!("There is no paper; give one whole or two shares"),
            };
            keyfile::write_private(&output, &key.to_text())?;
            print(&format!("key {}\nkid {}", output.display(), key.kid()));
            Ok(())
        }
    }
}

fn read_private(path: &Path) -> anyhow::Result<PrivateKey> {
    let text = std::fs::read_to_string(path)
        .map(zeroize::Zeroizing::new)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    PrivateKey::parse(&text).with_context(|| format!("{} is no private key", path.display()))
}

fn new_key(kind: Kind, output: &Path) -> anyhow::Result<()> {
    let seed = zeroize::Zeroizing::new(random());
    let (private, public, kid) = match kind {
        Kind::Opening => {
            let key = OpeningKey::generate(&seed);
            let public = key.recipient(Role::Municipality).to_text();
            (key.to_text(), public, key.kid().to_owned())
        }
        Kind::Signing => {
            let key = SigningKey::generate(&seed);
            (key.to_text(), key.verifying().to_text(), key.kid().to_owned())
        }
    };
    if output.exists() {
        bail!(
            "{} is there already; a key is never overwritten",
            output.display()
        );
    }
    keyfile::write_private(output, &private)?;
    let beside = output.with_added_extension("pub");
    std::fs::write(&beside, public).with_context(|| format!("{} cannot be written", beside.display()))?;
    print(&format!(
        "key {}\npublic {}\nkid {kid}",
        output.display(),
        beside.display()
    ));
    Ok(())
}

pub(super) fn read_key(path: &Path) -> anyhow::Result<SigningKey> {
    parse(path, SigningKey::parse)
}

fn parse<T, E>(path: &Path, read: impl Fn(&str) -> Result<T, E>) -> anyhow::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let text = std::fs::read_to_string(path)
        .map(zeroize::Zeroizing::new)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    read(&text).with_context(|| format!("{} is not the key that is needed", path.display()))
}
