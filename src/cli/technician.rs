//! The technician's way in at kiosks, from the laptop of whoever sends technicians; no network is needed.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;

use super::print;
use crate::app::outbox::keyfile;
use crate::clock::random;
use crate::domain::technician::Secret;

/// `ventanilla technician …`
#[derive(Subcommand)]
pub(super) enum TechnicianAction {
    /// Makes the key for all kiosks; it stays with whoever sends technicians.
    Key {
        /// Where it goes.
        #[arg(long)]
        output: PathBuf,
    },
    /// Makes what one kiosk keeps: a file for `technician` in its settings, which opens no other kiosk.
    Secret {
        /// The key.
        #[arg(long)]
        key: PathBuf,
        /// Name of the kiosk, the `id` of its settings.
        #[arg(long)]
        device: String,
        /// Where it goes.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Answers the number on a kiosk's screen; the code counts once, for a quarter of an hour.
    Code {
        /// The key.
        #[arg(long)]
        key: PathBuf,
        /// Name of the kiosk, as its screen says it.
        #[arg(long)]
        device: String,
        /// The number on the screen.
        question: String,
        /// Draw the code as a square too, for a kiosk with a scanner.
        #[arg(long)]
        qr: bool,
    },
}

pub(super) fn run(action: &TechnicianAction) -> anyhow::Result<()> {
    match action {
        TechnicianAction::Key { output } => {
            keyfile::write_private(output, &Secret::new(random()).to_text())?;
            print(&format!("key {}", output.display()));
        }
        TechnicianAction::Secret { key, device, output } => {
            keyfile::write_private(output, &read(key)?.of_device(device).to_text())?;
            print(&format!("secret {}\ndevice {device}", output.display()));
        }
        TechnicianAction::Code {
            key,
            device,
            question,
            qr,
        } => {
            let question: String = question.chars().filter(char::is_ascii_digit).collect();
            if question.len() != 6 {
                bail!("The number on the screen has six digits; read it again");
            }
            let code = read(key)?.of_device(device).code(&question);
            print(&format!("code {} {}", &code[..4], &code[4..]));
            if *qr {
                // A scanner ends with Enter by itself; the screen goes on then.
                let square = qrcode::QrCode::new(code.as_bytes()).context("The code cannot be drawn")?;
                print(&square.render::<qrcode::render::unicode::Dense1x2>().build());
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Secret::parse(&text).with_context(|| format!("{} is no key of technicians", path.display()))
}
