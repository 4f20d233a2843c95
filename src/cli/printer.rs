//! Tools for technicians: printers from the command line.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::print;
use crate::devices::printer::Profile;
use crate::devices::printer::sim::{self, Build, Control, Simulator};

/// `ventanilla printer …`
#[derive(Subcommand)]
pub(super) enum PrinterAction {
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
        PrinterAction::Simulate(arguments) => simulate(&arguments),
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
