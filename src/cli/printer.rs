//! Tools for technicians: printers from the command line.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::print;
use crate::app::diagnose::{self, Check, Occasion};
use crate::clock::Clock;
use crate::config;
use crate::config::kiosk::KioskConfig;
use crate::devices::printer::sim::{self, Build, Control, Simulator};
use crate::devices::printer::{self, PrinterSpec, Profile};
use crate::domain::fleet::DoctorState;
use crate::i18n::Language;

/// `ventanilla printer …`
#[derive(Subcommand)]
pub(super) enum PrinterAction {
    /// Names the printers that are plugged in and the profiles there are.
    List,
    /// Asks a printer everything that can be asked without paper.
    Probe {
        /// Where it is: tcp:HOST:9100, usb:VENDOR:PRODUCT, serial:PATH@BAUD,FLOW.
        printer: PrinterSpec,
        /// The model it should be.
        #[arg(long, default_value = "generic-80")]
        profile: String,
    },
    /// Prints a sample with everything on it.
    Test {
        /// Where it is: tcp:HOST:9100, usb:VENDOR:PRODUCT, serial:PATH@BAUD,FLOW, dir:PATH.
        printer: PrinterSpec,
        /// Its model.
        #[arg(long, default_value = "80-raster")]
        profile: String,
        /// Language of the sample: es, qu or en.
        #[arg(long, default_value = "es", value_parser = super::demo::language)]
        lang: Language,
    },
    /// Is a network printer with switches for paper, lid and line; every sheet becomes a picture.
    Simulate(SimulateArguments),
}

/// `ventanilla printer simulate …`
#[derive(Args)]
pub(super) struct SimulateArguments {
    /// Port it listens on, on this machine; 0 takes a free one.
    #[arg(long, default_value_t = 9100)]
    port: u16,
    /// Where its switches are turned: a port, or `stdin`. One order a line; `status` says how it is.
    #[arg(long, default_value = "stdin")]
    control: String,
    /// What kind of printer it is.
    #[arg(long, default_value = "simulator")]
    profile: String,
    /// Folder for the sheets that come out, as .png, .txt and .bin.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Bytes it takes before it stops reading.
    #[arg(long, default_value_t = 4096)]
    buffer: usize,
}

pub(super) fn run(action: PrinterAction) -> anyhow::Result<()> {
    match action {
        PrinterAction::List => {
            list();
            Ok(())
        }
        PrinterAction::Probe { printer, profile } => check(&printer, &profile, Language::Spanish, false),
        PrinterAction::Test {
            printer,
            profile,
            lang,
        } => check(&printer, &profile, lang, true),
        PrinterAction::Simulate(arguments) => simulate(&arguments),
    }
}

/// `ventanilla doctor`: the printers of a kiosk's settings, with a sample each.
pub(super) fn doctor(path: &Path, prints: bool) -> anyhow::Result<()> {
    let config: KioskConfig = config::load(path)?;
    let config = config.resolved(path);
    let occasion = Occasion::of(&config, Clock::System.now());
    let checks = match diagnose::printers(&config) {
        Err(wrong) => wrong,
        Ok(printers) => printers
            .iter()
            .flat_map(|(name, spec, profile)| diagnose::check_printer(name, spec, profile, &occasion, prints))
            .collect(),
    };
    let wrong = checks.iter().filter(|check| check.ok == Some(false));
    let state = DoctorState {
        at: Clock::System.now(),
        wrong: wrong.map(|check| check.name.clone()).collect(),
    };
    if let Err(problem) = crate::app::fleet::keep_doctor_state(&config.data, &state) {
        print(&format!(
            "look  result: not kept in {} ({problem})",
            config.data.display()
        ));
    }
    report(&checks)
}

fn check(spec: &PrinterSpec, profile: &str, language: Language, prints: bool) -> anyhow::Result<()> {
    let occasion = Occasion {
        place: "Ventanilla".to_owned(),
        office_kind: spec.to_string(),
        device: "ventanilla printer test".to_owned(),
        at: Clock::System.now(),
        zone: jiff::tz::TimeZone::system(),
        language,
    };
    let profile = Profile::find(profile)?;
    report(&diagnose::check_printer(
        "printer", spec, &profile, &occasion, prints,
    ))
}

/// One line a check: `ok`, `wrong` or `look`, what, and what was seen.
fn report(checks: &[Check]) -> anyhow::Result<()> {
    for check in checks {
        let word = match check.ok {
            Some(true) => "ok",
            Some(false) => "wrong",
            None => "look",
        };
        print(&format!("{word:<6}{}: {}", check.name, check.detail));
    }
    match checks.iter().filter(|check| check.ok == Some(false)).count() {
        0 => Ok(()),
        1 => bail!("1 thing is wrong; see above"),
        n => bail!("{n} things are wrong; see above"),
    }
}

fn list() {
    for attached in printer::attached() {
        let now = attached
            .device_file
            .map(|path| format!(" (now {})", path.display()))
            .unwrap_or_default();
        print(&format!("printer {} {}{now}", attached.spec, attached.name));
    }
    for profile in Profile::all() {
        print(&format!(
            "profile {} ({}), {} dots",
            profile.name, profile.maker, profile.width_dots
        ));
    }
}

fn simulate(arguments: &SimulateArguments) -> anyhow::Result<()> {
    let simulator = Simulator::new(Build {
        profile: Profile::find(&arguments.profile)?,
        buffer: arguments.buffer.max(16),
    });
    let here = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let served = sim::serve(&simulator, here(arguments.port))
        .with_context(|| format!("Port {} cannot be listened on; choose another", arguments.port))?;
    print(&format!("printer tcp:{}", served.address()));
    let control = match arguments.control.as_str() {
        "stdin" => None,
        port => {
            let port = port
                .parse()
                .with_context(|| format!("--control {port} is no port; write a number or stdin"))?;
            let listener = TcpListener::bind(here(port))
                .with_context(|| format!("Port {port} cannot be listened on; choose another"))?;
            print(&format!("control {}", listener.local_addr()?));
            Some(listener)
        }
    };
    print("ready");
    if let Some(folder) = &arguments.output {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let (simulator, folder) = (simulator.clone(), folder.clone());
        thread::spawn(move || {
            if let Err(problem) = keep_sheets(&simulator, &folder) {
                super::complain(&problem);
            }
        });
    }
    match control {
        None => {
            for line in std::io::stdin().lock().lines() {
                print(&obey(&simulator, &line.context("Standard input cannot be read")?));
            }
            Ok(())
        }
        Some(listener) => {
            for stream in listener.incoming() {
                let simulator = simulator.clone();
                let stream = stream.context("The control port cannot be listened on")?;
                thread::spawn(move || {
                    // Who hangs up in the middle of an order wanted no answer.
                    let _ = talk(&simulator, &stream);
                });
            }
            bail!("The control port closed")
        }
    }
}

fn talk(simulator: &Simulator, stream: &TcpStream) -> std::io::Result<()> {
    let mut answers = stream.try_clone()?;
    for line in BufReader::new(stream).lines() {
        writeln!(answers, "{}", obey(simulator, &line?))?;
    }
    Ok(())
}

fn obey(simulator: &Simulator, line: &str) -> String {
    match line.parse::<Control>() {
        Ok(order) => order.apply(simulator),
        Err(problem) => format!("error {problem}"),
    }
}

fn keep_sheets(simulator: &Simulator, folder: &Path) -> anyhow::Result<()> {
    let mut kept = 0;
    loop {
        simulator.wait_until(Duration::from_secs(1), |it| it.sheets().len() > kept);
        for sheet in simulator.sheets().iter().skip(kept) {
            kept += 1;
            let paper = simulator.paper(sheet);
            let mut text = paper.text.clone();
            for fault in &paper.faults {
                text.push_str(&format!("[fault] {fault}\n"));
            }
            let files: [(&str, &[u8]); 3] =
                [("bin", sheet), ("txt", text.as_bytes()), ("png", &paper.to_png())];
            for (ending, content) in files {
                let path = folder.join(format!("{kept:04}.{ending}"));
                std::fs::write(&path, content)
                    .with_context(|| format!("{} cannot be written", path.display()))?;
            }
        }
    }
}
