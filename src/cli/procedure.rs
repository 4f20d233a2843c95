//! Tools for analysts: procedures from the command line.
//!
//! Each says what it found and exits 0 when the form is in order, 1 when it is not. Begin with [`run`].

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;

use super::print;
use crate::forms::{self, Files, Finding, Form, Severity};

/// `ventanilla procedure …`
#[derive(Subcommand)]
pub(super) enum ProcedureAction {
    /// Says what is wrong with a form, with sheet, row and column.
    Check {
        /// A workbook (.xlsx, .xls) or an XForm (.xml). Lists in other files stand in the same folder.
        form: PathBuf,
        /// Prints the findings as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Writes the XForm of a workbook, as pyxform would.
    Convert {
        /// The workbook (.xlsx, .xls).
        form: PathBuf,
        /// Where the XForm goes.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Fills a form step by step and prints its state as JSON.
    Walk {
        /// A workbook (.xlsx, .xls) or an XForm (.xml).
        form: PathBuf,
        /// The steps: a JSON list of {"set", "value"}, {"select", "values"}, {"add"}, {"remove"}, {"lang"}.
        #[arg(long)]
        steps: PathBuf,
    },
    /// Evaluates one expression a line of standard input.
    Eval,
    /// Opens a form on the kiosk's screen in a browser and loads it again whenever the file is saved; sends nothing.
    Preview(super::preview::PreviewArguments),
}

pub(super) fn run(action: ProcedureAction) -> anyhow::Result<()> {
    match action {
        ProcedureAction::Check { form, json } => check(&form, json),
        ProcedureAction::Convert { form, output } => convert(&form, &output),
        ProcedureAction::Walk { form, steps } => walk(&form, &steps),
        ProcedureAction::Eval => eval(),
        ProcedureAction::Preview(arguments) => super::preview::run(arguments),
    }
}

fn check(path: &Path, as_json: bool) -> anyhow::Result<()> {
    let compiled = compile(path)?;
    let findings = match &compiled {
        Ok((_, findings)) | Err(findings) => findings,
    };
    if as_json {
        let list: Vec<_> = findings.iter().map(as_value).collect();
        print(&format!(
            "{:#}",
            json!({ "ok": compiled.is_ok(), "findings": list })
        ));
    } else {
        show(findings);
    }
    match compiled {
        Ok((form, _)) => {
            if !as_json {
                print(&format!("{} is in order", named(&form)));
            }
            Ok(())
        }
        Err(findings) => refused(path, &findings),
    }
}

fn convert(path: &Path, output: &Path) -> anyhow::Result<()> {
    if !is_workbook(path) {
        bail!(
            "{} is not a workbook; convert takes .xlsx or .xls",
            path.display()
        );
    }
    let conversion = match forms::convert(&stem(path), &bytes(path)?) {
        Ok(conversion) => conversion,
        Err(findings) => {
            show(&findings);
            return refused(path, &findings);
        }
    };
    show(&conversion.findings);
    let write = |to: &Path, text: &str| {
        std::fs::write(to, text).with_context(|| format!("{} cannot be written", to.display()))
    };
    write(output, &conversion.xml)?;
    if let Some(itemsets) = &conversion.itemsets {
        let to = output.with_file_name("itemsets.csv");
        write(&to, itemsets)?;
        print(&format!("The external choices are in {}", to.display()));
    }
    // What was written may still be nonsense to an engine; better said now than in front of a citizen.
    if let Err(faults) = Form::from_workbook(&stem(path), &bytes(path)?, &beside(path)) {
        let faults: Vec<Finding> = faults.into_iter().filter(Finding::is_error).collect();
        show(&faults);
        print("The form was converted, but no kiosk will take it; correct it and check it again");
    }
    Ok(())
}

fn walk(path: &Path, steps: &Path) -> anyhow::Result<()> {
    let steps = text(steps)?;
    let form = match compile(path)? {
        Ok((form, _)) => form,
        Err(findings) => {
            show(&findings);
            return refused(path, &findings);
        }
    };
    match forms::walk_form(Arc::new(form), &steps) {
        Ok(state) => {
            print(&format!("{state:#}"));
            Ok(())
        }
        Err(findings) => {
            show(&findings);
            bail!("{} cannot be walked", path.display())
        }
    }
}

fn eval() -> anyhow::Result<()> {
    for line in std::io::stdin().lock().lines() {
        let line = line.context("Standard input cannot be read")?;
        match forms::eval(&line) {
            // One result is one line, whatever is in it.
            Ok(value) => print(&value.replace(['\n', '\r'], " ")),
            Err(problem) => print(&format!("error: {}", problem.message)),
        }
    }
    Ok(())
}

/// A form and its warnings, or its faults.
pub(super) type Compiled = Result<(Form, Vec<Finding>), Vec<Finding>>;

pub(super) fn compile(path: &Path) -> anyhow::Result<Compiled> {
    Ok(if is_workbook(path) {
        Form::from_workbook(&stem(path), &bytes(path)?, &beside(path))
    } else {
        Form::from_xform_with(&text(path)?, &beside(path))
    })
}

/// The lists that stand beside a form: in its folder, in the folder `lists` of a catalogue, or in the `-media` folder
/// that ODK tools make.
fn beside(form: &Path) -> Files {
    let folder = form
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut files = Files::new();
    for folder in [
        folder.join("../lists"),
        folder.to_owned(),
        folder.join(format!("{}-media", stem(form))),
    ] {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for path in entries.filter_map(|e| Some(e.ok()?.path())) {
            let is_list = path.extension().is_some_and(|e| e == "csv" || e == "xml") && path != form;
            let small = path
                .metadata()
                .is_ok_and(|m| m.len() <= forms::limits::XML_BYTES as u64);
            if let (true, true, Some(name)) = (is_list, small, path.file_name()) {
                files.extend(
                    std::fs::read(&path)
                        .ok()
                        .map(|b| (name.to_string_lossy().into_owned(), b)),
                );
            }
        }
    }
    files
}

pub(super) fn as_value(finding: &Finding) -> serde_json::Value {
    json!({
        "severity": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "sheet": finding.sheet,
        "row": finding.row,
        "column": finding.column,
        "message": finding.message,
    })
}

pub(super) fn show(findings: &[Finding]) {
    for finding in findings {
        print(&finding.to_string());
    }
}

fn refused(path: &Path, findings: &[Finding]) -> anyhow::Result<()> {
    let faults = findings.iter().filter(|f| f.is_error()).count();
    let word = if faults == 1 { "fault" } else { "faults" };
    bail!(
        "{} has {faults} {word}; correct the cells named above",
        path.display()
    )
}

fn named(form: &Form) -> String {
    format!("{} {}", form.id(), form.version()).trim().to_owned()
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn is_workbook(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ["xlsx", "xlsm", "xls"]
        .iter()
        .any(|e| ending.eq_ignore_ascii_case(e))
}

fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}
