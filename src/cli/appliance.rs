//! The appliance from the command line: its system's updates, its panel.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Deserialize;

use super::{print, publish};
use crate::app::depot::{self, Depot};
use crate::app::night::{self, Decision, Night, Window};
use crate::app::service::Presence;
use crate::app::update::{self, Machine};
use crate::app::{fleet, provision};
use crate::clock::Clock;
use crate::config;
use crate::config::kiosk::KioskConfig;
use crate::devices::backlight;
use crate::domain::fleet::UpdateState;
use crate::domain::release::Release;

/// How often it is looked whether the citizen has gone.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(2);

/// `ventanilla update …`
#[derive(Subcommand)]
pub(super) enum UpdateAction {
    /// Signs an image's parts as an update; done where the publisher's key is.
    Sign(SignArguments),
    /// Writes an update into the slot that is not running; the next start tries it.
    Install {
        /// The update, a .vup file.
        update: PathBuf,
    },
    /// Installs the version that was fetched, if it is night and nobody is at the screen; the image's timer does it.
    Night(NightArguments),
    /// Says what runs and what waits.
    Status,
}

/// `ventanilla update night …`
#[derive(Args)]
pub(super) struct NightArguments {
    /// Data folder of the role that fetches: /var/lib/ventanilla/kiosk or /var/lib/ventanilla/office.
    #[arg(long)]
    data: PathBuf,
    /// Hours in which the machine may install and start again.
    #[arg(long, default_value = "01:00-05:00")]
    window: Window,
    /// IANA time zone of these hours.
    #[arg(long, default_value = "America/Guayaquil")]
    time_zone: String,
    /// Folder where the role shows that somebody is at the screen, and that central asked for an update now.
    #[arg(long, default_value = "/run/ventanilla-kiosk")]
    runtime: PathBuf,
    /// Where the fleet view's part is written.
    #[arg(long, default_value = fleet::UPDATE_STATE)]
    state: PathBuf,
    /// Start the machine again once it is installed and nobody is at the screen.
    #[arg(long)]
    restart: bool,
}

/// `ventanilla update sign …`
#[derive(Args)]
pub(super) struct SignArguments {
    /// The description that the image's build wrote, `ventanilla-….json`; the parts are in the folder beside it.
    #[arg(long)]
    image: PathBuf,
    /// The publisher's private key.
    #[arg(long)]
    key: PathBuf,
    /// Where the update goes.
    #[arg(short, long)]
    output: PathBuf,
}

/// What the image's build says of itself, as far as an update needs it.
#[derive(Deserialize)]
struct Built {
    version: String,
    profile: String,
    arch: String,
}

pub(super) fn update(action: UpdateAction) -> anyhow::Result<()> {
    let machine = Machine::default();
    match action {
        UpdateAction::Sign(arguments) => sign(&arguments),
        UpdateAction::Night(arguments) => night(&machine, &arguments),
        UpdateAction::Install { update } => {
            let release = machine.install(&update)?;
            print(&format!("installed {}\nnext restart tries it", release.version));
            Ok(())
        }
        UpdateAction::Status => {
            let standing = machine.standing()?;
            print(&format!(
                "profile {}\nversion {}\nslot {}\nproved {}",
                standing.here.profile,
                standing.here.version,
                standing.slot.letter(),
                if standing.here.proved { "yes" } else { "no" }
            ));
            for kernel in &standing.kernels {
                let state = match kernel.left {
                    None => "proved".to_owned(),
                    Some(0) => "failed".to_owned(),
                    Some(left) => format!("{left} tries left"),
                };
                print(&format!(
                    "kernel {} {} {state}",
                    kernel.slot.letter(),
                    kernel.version
                ));
            }
            Ok(())
        }
    }
}

fn night(machine: &Machine, arguments: &NightArguments) -> anyhow::Result<()> {
    let zone = jiff::tz::TimeZone::get(&arguments.time_zone)
        .with_context(|| format!("Time zone {} is unknown; write an IANA name", arguments.time_zone))?;
    let (wish, session) = (
        arguments.runtime.join(fleet::UPDATE_WISH),
        arguments.runtime.join(Presence::FILE),
    );
    let asked = wish.exists();
    while asked && session.exists() {
        std::thread::sleep(LOOK_EVERY);
    }
    let standing = machine.standing()?;
    let name = depot::name_of(&standing.here.profile, &standing.here.arch);
    let depot = Depot::new(&arguments.data);
    // A file that is not there is no fault; one that is not signed by whom this machine trusts is none for us either.
    let fetched = depot.held(&name, &machine.trusted()?).ok();
    let decision = night::decide(Night {
        standing: &standing,
        fetched: fetched.as_ref(),
        in_window: arguments.window.contains(Clock::System.now(), &zone),
        asked,
        session: session.exists(),
    });
    write_state(
        &arguments.state,
        &night::state(&standing, fetched.as_ref(), &decision),
    )?;
    // A wish that stays would begin us again and again.
    let _ = std::fs::remove_file(&wish);
    match decision {
        Decision::Nothing => print("nothing newer"),
        Decision::Wait(why) if why != "restart" => print(&format!("waits {why}")),
        Decision::Refuse(why) => anyhow::bail!(why),
        Decision::Wait(_) | Decision::Install => {
            if decision == Decision::Install {
                let release = machine.install(&depot.path(&name))?;
                print(&format!("installed {}", release.version));
                let standing = machine.standing()?;
                let after = night::state(&standing, fetched.as_ref(), &Decision::Wait("restart"));
                write_state(&arguments.state, &after)?;
            }
            if arguments.restart {
                while session.exists() {
                    std::thread::sleep(LOOK_EVERY);
                }
                print("restart");
                std::process::Command::new("systemctl")
                    .args(["--no-block", "reboot"])
                    .status()
                    .context("The machine cannot be started again")?;
            }
        }
    }
    Ok(())
}

/// For the fleet view: everybody on the machine may read it, and it is whole or the one before.
fn write_state(path: &Path, state: &UpdateState) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let cannot = || format!("{} cannot be written", path.display());
    let draft = path.with_extension("new");
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).with_context(cannot)?;
    std::fs::write(&draft, serde_json::to_vec(state)?).with_context(cannot)?;
    std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o644)).with_context(cannot)?;
    std::fs::rename(&draft, path).with_context(cannot)
}

fn sign(arguments: &SignArguments) -> anyhow::Result<()> {
    let key = publish::read_key(&arguments.key)?;
    let path = &arguments.image;
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let built: Built = serde_json::from_str(&text)
        .with_context(|| format!("{} is not what an image's build writes", path.display()))?;
    let release = Release {
        v: 1,
        profile: built.profile,
        arch: built.arch,
        version: built.version,
        made_at: Clock::System.now(),
        parts: Vec::new(),
    };
    let release = update::sign(release, &path.with_extension("parts"), &key, &arguments.output)?;
    let bytes: u64 = release.parts.iter().map(|part| part.bytes).sum();
    print(&format!(
        "update {}\nversion {}\nbytes {bytes}",
        arguments.output.display(),
        release.version
    ));
    Ok(())
}

/// `ventanilla provision …`
#[derive(Subcommand)]
pub(super) enum ProvisionAction {
    /// Packs a folder of settings, with its folders keys and network, as one signed file for a stick.
    Make {
        /// The folder.
        #[arg(long)]
        settings: PathBuf,
        /// kiosk, office or board.
        #[arg(long, default_value = "kiosk")]
        profile: String,
        /// Name of the machine, such as k2.
        #[arg(long)]
        name: String,
        /// The key that sets machines up; later changes need the same.
        #[arg(long)]
        key: PathBuf,
        /// Where the file goes; on the stick it ends in .vtk.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Puts a packed file in place; the image does it by itself with a stick.
    Apply {
        /// The file.
        file: PathBuf,
        /// kiosk, office or board; without it what this appliance is.
        #[arg(long)]
        profile: Option<String>,
        /// Folder of the settings.
        #[arg(long, default_value = "/etc/ventanilla")]
        to: PathBuf,
    },
}

pub(super) fn provision(action: ProvisionAction) -> anyhow::Result<()> {
    match action {
        ProvisionAction::Make {
            settings,
            profile,
            name,
            key,
            output,
        } => {
            let key = publish::read_key(&key)?;
            let bytes = provision::pack(&settings, &profile, &name, &key, Clock::System.now())?;
            write_secret(&output, &bytes)?;
            print(&format!("provision {}", output.display()));
            Ok(())
        }
        ProvisionAction::Apply { file, profile, to } => {
            let profile = match profile {
                Some(profile) => profile,
                None => Machine::default().standing()?.here.profile,
            };
            let package = provision::apply(&file, &profile, &to)?;
            print(&format!(
                "provisioned {}\nfiles {}",
                package.name,
                package.files.len()
            ));
            Ok(())
        }
    }
}

/// A file that holds keys.
fn write_secret(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let cannot = || format!("{} cannot be written; it must not exist yet", path.display());
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(cannot)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .with_context(cannot)
}

/// `ventanilla screen …`
#[derive(Subcommand)]
pub(super) enum ScreenAction {
    /// Sets the panel's brightness from the kiosk's settings; nothing where none is written.
    Brightness {
        /// Settings of the kiosk.
        #[arg(long)]
        config: PathBuf,
    },
}

pub(super) fn screen(action: &ScreenAction) -> anyhow::Result<()> {
    let ScreenAction::Brightness { config: path } = action;
    let config: KioskConfig = config::load(path)?;
    let Some(percent) = config.screen.brightness else {
        return Ok(());
    };
    let panels = backlight::set(Path::new(backlight::PANELS), percent)
        .context("The panel does not take its brightness; the command needs root")?;
    print(&format!("panels {panels}"));
    Ok(())
}
