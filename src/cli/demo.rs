//! The whole product on a fresh folder: it writes the settings and keys a technician would, then starts each role
//! from them.
//!
//! Nothing is special-cased for the demonstration: the same files start the roles one by one with
//! `ventanilla central|office|kiosk --config …`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::compose::{self, KioskFace};
use super::{DisplayArgument, print, roles};
use crate::app::provisioning::{self, Demo};
use crate::clock::Clock;
use crate::config::kiosk::KioskConfig;
use crate::i18n::Language;
use crate::kiosk::run::Display;

/// `ventanilla demo …`
#[derive(Args)]
pub(super) struct DemoArguments {
    /// Folder for everything the demonstration keeps; made if it is not there.
    #[arg(long, default_value = "ventanilla-demo")]
    data: PathBuf,
    /// Port of the kiosk's page; the office and central take the next two. 0 takes free ones.
    #[arg(long, default_value_t = 7300)]
    port: u16,
    /// Where the kiosk's screen is shown; without it a window where there is a display, else the web.
    #[arg(long, value_enum)]
    display: Option<DisplayArgument>,
    /// Folder for the printed papers; inside --data without it.
    #[arg(long)]
    printer: Option<String>,
    /// Language of the first screen: es, qu or en.
    #[arg(long, default_value = "es", value_parser = language)]
    lang: Language,
    /// Turn the kiosk's screen on its side: 1920 by 1080.
    #[arg(long)]
    landscape: bool,
}

pub(super) fn language(code: &str) -> Result<Language, String> {
    Language::from_code(code).ok_or_else(|| "write es, qu or en".to_owned())
}

pub(super) fn run(arguments: DemoArguments) -> anyhow::Result<()> {
    let display = match arguments.display {
        Some(display) => display.into(),
        None if KioskFace::has_display() && cfg!(feature = "screen") => Display::Window,
        None => Display::Web,
    };
    let (runtime, stop) = roles::begin()?;
    let [kiosk_at, office_at, central_at] = addresses(arguments.port)?;
    let printer = arguments.printer.as_deref().map(printer_spec);
    let mut demo = Demo::prepare(&arguments.data, printer.as_deref(), arguments.landscape)?;

    let (mut face, office, central) = runtime.block_on(async {
        let central = compose::central(demo.central(central_at)?, Clock::System, stop.clone()).await?;
        let office = compose::office(
            demo.office(office_at, central.address)?,
            Clock::System,
            stop.clone(),
        )
        .await?;
        demo.staff(&office.office).await?;
        let kiosk = demo.kiosk(kiosk_at, office.address, central.address)?;
        let face = start_face(kiosk, display, arguments.display.is_some(), arguments.lang, &stop).await?;
        anyhow::Ok((face, office, central))
    })?;

    match face.web_address() {
        Some(address) => print(&format!("kiosk http://{address}/kiosk")),
        None => print(if display == Display::Window {
            "kiosk window"
        } else {
            "kiosk none"
        }),
    }
    print(&format!("console http://{}/console", office.address));
    print(&format!("board http://{}/board", office.address));
    print(&format!("office http://{}", office.address));
    print(&format!("central http://{}", central.address));
    print(&format!("token {}", demo.token()));
    print(&format!("login {} {}", provisioning::DEMO_LOGIN, demo.password()));
    print(&format!("paper {}", demo.paper().display()));
    print("ready");

    let shown = face.run(&runtime, &stop);
    stop.stop();
    runtime.block_on(async {
        face.finished().await;
        office.finished().await;
        central.finished().await;
    });
    shown
}

/// Three addresses on this machine: from a port on, or free ones for 0.
///
/// Free ones are chosen now, not when each role starts, so that the settings name them and a role can come back.
fn addresses(first: u16) -> anyhow::Result<[SocketAddr; 3]> {
    let here = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if first == 0 {
        let listeners = [(); 3].map(|()| std::net::TcpListener::bind(here(0)));
        let mut addresses = [here(0); 3];
        for (address, listener) in addresses.iter_mut().zip(listeners) {
            *address = listener
                .and_then(|listener| listener.local_addr())
                .context("No free port was found")?;
        }
        return Ok(addresses);
    }
    let last = first
        .checked_add(2)
        .with_context(|| format!("Port {first} leaves no room for the next two; choose a lower one"))?;
    Ok([here(first), here(first + 1), here(last)])
}

/// `--printer` takes a folder or any address of a printer.
fn printer_spec(text: &str) -> String {
    let known = ["dir:", "tcp:", "usb:", "serial:", "fake:"];
    if known.iter().any(|kind| text.starts_with(kind)) {
        text.to_owned()
    } else {
        format!("dir:{text}")
    }
}

async fn start_face(
    kiosk: KioskConfig,
    display: Display,
    wanted: bool,
    language: Language,
    stop: &crate::app::Stop,
) -> anyhow::Result<KioskFace> {
    let mut face = KioskFace::start(kiosk.clone(), display, false, Clock::System, stop.clone()).await;
    if face.is_err() && display == Display::Window && !wanted {
        face = KioskFace::start(kiosk, Display::Web, false, Clock::System, stop.clone()).await;
    }
    let mut face = face?;
    face.speak(language);
    Ok(face)
}
