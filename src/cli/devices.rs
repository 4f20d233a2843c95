//! Devices from the command line: codes that let them in, taking them out, and the device's own side.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::municipal::Desk;
use super::print;
use crate::app::devices::{self, EnrolError};
use crate::app::office::audit::TERMINAL;
use crate::app::outbox::keyfile;
use crate::app::tls::Authority;
use crate::clock::{Clock, random};
use crate::domain::receipt::Code;
use crate::domain::submission::is_name;
use crate::store::Db;
use crate::store::devices::Place;
use crate::sync::enrol::{ENROL_PATH, EnrolWire, EnrolledWire};
use crate::sync::wire::ProblemWire;

/// `ventanilla enrol …`
#[derive(Args)]
pub(super) struct EnrolArguments {
    /// Address of the office, or of central: `https://10.0.0.5:7443`.
    #[arg(long, env = "VENTANILLA_ENROL_SERVER")]
    server: String,
    /// The one-time code.
    #[arg(long, env = "VENTANILLA_ENROL_CODE", hide_env_values = true)]
    code: String,
    /// Folder for the device's key and for what it must know; both are made where they are missing.
    #[arg(long)]
    to: PathBuf,
    /// Fingerprint of the server's own authority, as it says beside the code; only that server is believed.
    #[arg(long, conflicts_with = "authority")]
    fingerprint: Option<String>,
    /// Certificate (PEM) of that authority, instead of its fingerprint.
    #[arg(long)]
    authority: Option<PathBuf>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Redeems a code and writes what came of it into a folder: `device.key`, `device.json` and one file for each key.
pub(super) fn enrol(arguments: &EnrolArguments) -> anyhow::Result<()> {
    let folder = &arguments.to;
    let key = keyfile::signing(&folder.join("device.key"))?;
    let authority = arguments
        .authority
        .as_ref()
        .map(|path| std::fs::read(path).with_context(|| format!("{} cannot be read", path.display())))
        .transpose()?;
    let wire = EnrolWire {
        v: 1,
        code: arguments.code.clone(),
        public_key: key.verifying().to_text(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("The program cannot start its threads")?;
    let secret = arguments.server.starts_with("https://");
    if arguments.fingerprint.is_some() && !secret {
        bail!("A fingerprint is of a server that answers in secret; write https:// before its address");
    }
    let client = match &arguments.fingerprint {
        Some(fingerprint) => crate::sync::http::by_fingerprint(fingerprint)?,
        None => crate::sync::http::builder(authority.as_deref())?,
    };
    let enrolled = runtime.block_on(ask(client.build()?, &arguments.server, &wire))?;
    write_down(folder, &enrolled)?;
    if arguments.json {
        print(&serde_json::to_string_pretty(&enrolled)?);
    } else {
        print(&format!(
            "device {}\noffice {}\nkey {}\nkid {}",
            enrolled.device,
            enrolled.office,
            folder.join("device.key").display(),
            key.kid()
        ));
    }
    Ok(())
}

async fn ask(http: reqwest::Client, server: &str, wire: &EnrolWire) -> anyhow::Result<EnrolledWire> {
    let response = http
        .post(format!("{}{ENROL_PATH}", server.trim_end_matches('/')))
        .timeout(std::time::Duration::from_secs(20))
        .json(wire)
        .send()
        .await
        .with_context(|| format!("{server} does not answer, or is not the one it says"))?;
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    if status.is_success() {
        return serde_json::from_str(&text)
            .with_context(|| format!("{server} is no office and no central of this version"));
    }
    match serde_json::from_str::<ProblemWire>(&text) {
        Ok(problem) => bail!("{}", problem.title),
        Err(_) => bail!("{server} answered {status}; check the address"),
    }
}

/// Public things only; the private key lies beside them and is read by its owner only.
fn write_down(folder: &Path, enrolled: &EnrolledWire) -> anyhow::Result<()> {
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
    };
    if let Some(authority) = &enrolled.welcome.authority {
        put("authority.pem", authority)?;
    }
    put("device.json", &serde_json::to_string_pretty(enrolled)?)?;
    for (n, key) in enrolled.welcome.receipt_keys.iter().enumerate() {
        let name = if n == 0 {
            "receipt.pub".to_owned()
        } else {
            format!("receipt-{}.pub", n + 1)
        };
        put(&name, key)?;
    }
    for (n, key) in enrolled.welcome.order_keys.iter().enumerate() {
        let name = if n == 0 {
            "orders.pub".to_owned()
        } else {
            format!("orders-{}.pub", n + 1)
        };
        put(&name, key)?;
    }
    for recipient in &enrolled.welcome.recipients {
        // The role comes from the network and becomes the name of a file.
        if is_name(&recipient.role) {
            put(&format!("{}.pub", recipient.role), &recipient.key)?;
        }
    }
    Ok(())
}

pub(super) fn invite(desk: &Desk, place: Place, secret: Option<&Path>) -> anyhow::Result<()> {
    check(&place)?;
    let (code, now) = (Code::from_random(random()), Clock::System.now());
    let until = desk.runtime.block_on(
        desk.store
            .change(move |sql| devices::invite(sql, &place, code, TERMINAL, now)),
    )?;
    tell(code, until, secret)
}

pub(super) fn invite_at_office(db: &Db, place: Place, secret: Option<&Path>) -> anyhow::Result<()> {
    check(&place)?;
    let (code, now) = (Code::from_random(random()), Clock::System.now());
    let until = db.change_blocking(move |sql| devices::invite(sql, &place, code, TERMINAL, now))?;
    tell(code, until, secret)
}

fn check(place: &Place) -> anyhow::Result<()> {
    for name in [&place.device, &place.office] {
        if !is_name(name) {
            bail!(EnrolError::Name(name.clone()));
        }
    }
    Ok(())
}

/// `secret` is the data folder of a server that has an authority of its own.
fn tell(code: Code, until: jiff::Timestamp, secret: Option<&Path>) -> anyhow::Result<()> {
    let until = until.strftime("%Y-%m-%dT%H:%M:%SZ");
    print(&format!("code {code}\nuntil {until}"));
    if let Some(data) = secret {
        print(&format!("fingerprint {}", Authority::open(data)?.fingerprint()?));
    }
    Ok(())
}

pub(super) fn revoke(desk: &Desk, device: String) -> anyhow::Result<()> {
    let (id, now) = (device.clone(), Clock::System.now());
    let done = desk.runtime.block_on(
        desk.store
            .change(move |sql| devices::revoke(sql, &id, TERMINAL, now)),
    )?;
    revoked(&device, done)
}

pub(super) fn revoke_at_office(db: &Db, device: String) -> anyhow::Result<()> {
    let (id, now) = (device.clone(), Clock::System.now());
    let done = db.change_blocking(move |sql| devices::revoke(sql, &id, TERMINAL, now))?;
    revoked(&device, done)
}

fn revoked(device: &str, done: bool) -> anyhow::Result<()> {
    if !done {
        bail!(
            "No device {device} is in service that was let in by code; those of the settings are taken out there"
        );
    }
    print(&format!("revoked {device}"));
    Ok(())
}
