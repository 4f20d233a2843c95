//! Tools for analysts: forms and receipts from the command line.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;

use super::print;
use crate::domain::receipt;
use crate::domain::seal::VerifyingKey;
use crate::forms::{self, Finding, Form};

/// `ventanilla procedure …`
#[derive(Subcommand)]
pub(super) enum ProcedureAction {
    /// Says what is wrong with a form, with sheet, row and column.
    Check {
        /// An .xlsx workbook or an XForm .xml.
        form: PathBuf,
    },
    /// Writes the XForm of a workbook.
    Convert {
        /// The .xlsx workbook.
        form: PathBuf,
        /// Where the XForm goes.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Fills a form step by step and prints its state as JSON.
    Walk {
        /// An .xlsx workbook or an XForm .xml.
        form: PathBuf,
        /// The steps, as JSON.
        #[arg(long)]
        steps: PathBuf,
    },
    /// Evaluates one expression a line of standard input.
    Eval,
}

/// `ventanilla receipt …`
#[derive(Subcommand)]
pub(super) enum ReceiptAction {
    /// Checks the signed text of a receipt's QR, without any network.
    Verify {
        /// The text, beginning with VT1.
        token: String,
        /// Files with the public keys of the kiosks.
        #[arg(long, required = true)]
        key: Vec<PathBuf>,
    },
}

pub(super) fn procedure(action: ProcedureAction) -> anyhow::Result<()> {
    match action {
        ProcedureAction::Check { form } => {
            let (compiled, findings) = read(&form)?;
            for finding in &findings {
                print(&finding.to_string());
            }
            print(&format!("{} {} is in order", compiled.id(), compiled.version()));
            Ok(())
        }
        ProcedureAction::Convert { form, output } => {
            let (compiled, findings) = read(&form)?;
            for finding in &findings {
                print(&finding.to_string());
            }
            std::fs::write(&output, compiled.to_xform_xml())
                .with_context(|| format!("{} cannot be written", output.display()))
        }
        ProcedureAction::Walk { form, steps } => {
            let xml = if is_workbook(&form) {
                read(&form)?.0.to_xform_xml()
            } else {
                text(&form)?
            };
            match forms::walk(&xml, &text(&steps)?) {
                Ok(state) => {
                    print(&format!("{state:#}"));
                    Ok(())
                }
                Err(findings) => {
                    for finding in &findings {
                        print(&finding.to_string());
                    }
                    bail!("{} cannot be walked", form.display())
                }
            }
        }
        ProcedureAction::Eval => {
            for line in std::io::stdin().lock().lines() {
                let line = line.context("Standard input cannot be read")?;
                match forms::eval(&line) {
                    Ok(value) => print(&value),
                    Err(problem) => print(&format!("error: {problem}")),
                }
            }
            Ok(())
        }
    }
}

pub(super) fn receipt(action: ReceiptAction) -> anyhow::Result<()> {
    let ReceiptAction::Verify { token, key } = action;
    let keys = key
        .iter()
        .map(|path| {
            VerifyingKey::parse(&text(path)?).with_context(|| format!("{} is no public key", path.display()))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let claims = receipt::verify(token.trim(), &keys).context("The receipt does not hold")?;
    print(&format!(
        "code {}\noffice {}\nprocedure {}\nregistered {}\nfingerprint {}\nkey {}",
        claims.code, claims.office, claims.procedure, claims.at, claims.hash, claims.kid
    ));
    Ok(())
}

fn is_workbook(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx"))
}

fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn read(path: &Path) -> anyhow::Result<(Form, Vec<Finding>)> {
    let compiled = if is_workbook(path) {
        let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Form::from_xlsx(&bytes)
    } else {
        Form::from_xform(&text(path)?)
    };
    match compiled {
        Ok(done) => Ok(done),
        Err(findings) => {
            for finding in &findings {
                print(&finding.to_string());
            }
            bail!("{} has {} faults", path.display(), findings.len())
        }
    }
}
