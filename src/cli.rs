//! The command line: one binary, one command a role.
//!
//! A command exits 0 when it did what it said, 1 when it could not, 2 when its words were wrong.
//! Standard output is for results, standard error for people and logs.

mod appliance;
mod audit;
mod board;
mod compose;
mod demo;
mod desk;
mod devices;
mod municipal;
mod openrosa;
mod preview;
mod printer;
mod procedure;
mod publish;
mod roles;
mod settings;
mod staff;
mod technician;
mod tools;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

use crate::kiosk::run::Display;

/// A municipal service point: touch kiosk, fair queue, counters, and a sealed line to the municipality.
#[derive(Parser)]
#[command(name = "ventanilla", version, about, arg_required_else_help = true)]
struct Arguments {
    /// Say more on standard error: `info`, `debug`, or a filter such as `ventanilla::sync=debug`.
    #[arg(long, global = true, env = "VENTANILLA_LOG", default_value = "warn")]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Kiosk, office and central in one process on a folder of its own, with Quito's catalogue.
    Demo(demo::DemoArguments),
    /// The citizen's touch screen.
    Kiosk {
        /// Settings of the kiosk.
        #[arg(long)]
        config: PathBuf,
        /// Where the screen is shown.
        #[arg(long, value_enum, default_value = "window")]
        display: DisplayArgument,
    },
    /// The office's hub: queues, counters, console, boards.
    Office {
        /// Settings of the office.
        #[arg(long, global = true)]
        config: Option<PathBuf>,
        #[command(subcommand)]
        action: Option<staff::OfficeAction>,
    },
    /// The board of a waiting room, on the screen of this machine; televisions open /board of the office instead.
    Board(board::BoardArguments),
    /// The municipality's side: receives submissions and verifies receipts.
    Central {
        /// Settings of central.
        #[arg(long, global = true)]
        config: Option<PathBuf>,
        /// Keep submissions in this PostgreSQL database instead, `postgres://user@host/database`.
        #[arg(long, env = "VENTANILLA_STORE")]
        store: Option<String>,
        /// Ask for the passphrase of `municipality_key`, so that staff can open contents here until central stops.
        #[arg(long)]
        unlock: bool,
        #[command(subcommand)]
        action: Option<municipal::CentralAction>,
    },
    /// Makes this machine a device of an office or of central, with a one-time code.
    Enrol(devices::EnrolArguments),
    /// Copies the file of central or of an office, checks the copy and lets it count.
    Backup(municipal::BackupArguments),
    /// Signs a catalogue for kiosks to fetch.
    Catalogue {
        #[command(subcommand)]
        action: publish::CatalogueAction,
    },
    /// Makes keys.
    Keys {
        #[command(subcommand)]
        action: publish::KeysAction,
    },
    /// Looks at a form: checks, converts, walks it.
    Procedure {
        #[command(subcommand)]
        action: procedure::ProcedureAction,
    },
    /// Looks at the audit log of an office or of central.
    Audit {
        #[command(subcommand)]
        action: audit::AuditAction,
    },
    /// Looks at a receipt.
    Receipt {
        #[command(subcommand)]
        action: tools::ReceiptAction,
    },
    /// Looks at printers, and is one.
    Printer {
        #[command(subcommand)]
        action: printer::PrinterAction,
    },
    /// Updates the system of an appliance.
    Update {
        #[command(subcommand)]
        action: appliance::UpdateAction,
    },
    /// Packs the settings of an appliance into one file, and puts them in place there.
    Provision {
        #[command(subcommand)]
        action: appliance::ProvisionAction,
    },
    /// Sets up the panel of an appliance.
    Screen {
        #[command(subcommand)]
        action: appliance::ScreenAction,
    },
    /// Lets technicians in at kiosks: the key, a kiosk's secret, the code that answers its number.
    Technician {
        #[command(subcommand)]
        action: technician::TechnicianAction,
    },
    /// Checks the printers of a kiosk and prints a sample on each.
    Doctor {
        /// Settings of the kiosk.
        #[arg(long)]
        config: PathBuf,
        /// Ask only; no paper is used.
        #[arg(long)]
        no_print: bool,
    },
}

/// `--display`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum DisplayArgument {
    /// In a window of this machine.
    Window,
    /// On the whole screen of this machine, without a window system.
    Screen,
    /// On a web page that takes taps and typing.
    Web,
    /// Nowhere.
    None,
}

impl From<DisplayArgument> for Display {
    fn from(argument: DisplayArgument) -> Self {
        match argument {
            DisplayArgument::Window => Self::Window,
            DisplayArgument::Screen => Self::Screen,
            DisplayArgument::Web => Self::Web,
            DisplayArgument::None => Self::None,
        }
    }
}

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(problem) => {
            let _ = problem.print();
            return ExitCode::from(if problem.use_stderr() { 2 } else { 0 });
        }
    };
    if let Err(problem) = start_log(&arguments.log) {
        complain(&problem);
        return ExitCode::from(2);
    }
    let done = match arguments.command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Kiosk { config, display } => roles::kiosk(&config, display.into()),
        Command::Office { config, action } => match config {
            Some(config) => roles::office(&config, action),
            None => {
                complain(&anyhow::anyhow!(
                    "The office needs its settings; add --config office.toml"
                ));
                return ExitCode::from(2);
            }
        },
        Command::Central {
            config,
            store,
            unlock,
            action,
        } => match config {
            Some(config) => municipal::central(&config, store, unlock, action),
            None => {
                complain(&anyhow::anyhow!(
                    "Central needs its settings; add --config central.toml"
                ));
                return ExitCode::from(2);
            }
        },
        Command::Backup(arguments) => municipal::backup(&arguments),
        Command::Enrol(arguments) => devices::enrol(&arguments),
        Command::Board(arguments) => board::run(arguments),
        Command::Catalogue { action } => publish::catalogue(action),
        Command::Keys { action } => publish::keys(action),
        Command::Procedure { action } => procedure::run(action),
        Command::Audit { action } => audit::run(action),
        Command::Receipt { action } => tools::receipt(action),
        Command::Printer { action } => printer::run(action),
        Command::Update { action } => appliance::update(action),
        Command::Provision { action } => appliance::provision(action),
        Command::Screen { action } => appliance::screen(&action),
        Command::Technician { action } => technician::run(&action),
        Command::Doctor { config, no_print } => printer::doctor(&config, !no_print),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            complain(&problem);
            ExitCode::FAILURE
        }
    }
}

fn start_log(filter: &str) -> anyhow::Result<()> {
    let filter: tracing_subscriber::EnvFilter = filter
        .parse()
        .map_err(|_| anyhow::anyhow!("--log {filter} is no filter; write error, warn, info or debug"))?;
    let said = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_filter(filter);
    let kept = crate::app::fleet::logs::Kept.with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(said).with(kept).init();
    Ok(())
}

/// An error and what lies behind it, one line each, on standard error.
fn complain(problem: &anyhow::Error) {
    let mut text = format!("ventanilla: {problem}\n");
    for cause in problem.chain().skip(1) {
        text.push_str(&format!("  because: {cause}\n"));
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// A result on standard output; a reader that went away is no fault of ours.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
