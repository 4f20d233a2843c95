//! Reads a workbook (XLSForm) and writes the XForm that pyxform would write.
//!
//! The workbook is what an analyst edits; the XForm is what is kept. Everything wrong is reported with its sheet, row
//! and column, also what is only found later, when the XForm is compiled: see [`Converted::locate`].

mod audit;
mod choices;
mod columns;
mod pack;
mod references;
mod sheet;
mod survey;
mod texts;
mod types;
mod write;

use super::finding::{Finding, Problem, Severity};
use std::collections::HashMap;

/// A workbook as an XForm, and the cells its parts came from.
pub(super) struct Converted {
    pub xml: String,
    origins: Origins,
}

/// Cells by the path of the field and the attribute of its bind.
#[derive(Default)]
pub(super) struct Origins {
    cells: HashMap<(String, &'static str), (String, u32, String)>,
    rows: HashMap<String, (String, u32)>,
}

impl Origins {
    fn row(&mut self, path: &str, sheet: &str, row: u32) {
        self.rows.insert(path.to_owned(), (sheet.to_owned(), row));
    }

    fn cell(&mut self, path: &str, attribute: &'static str, sheet: &str, row: u32, column: &str) {
        self.cells.insert(
            (path.to_owned(), attribute),
            (sheet.to_owned(), row, column.to_owned()),
        );
    }
}

impl Converted {
    /// Puts a problem of the XForm back into the cell that caused it.
    pub fn locate(&self, problem: &Problem) -> Finding {
        let place = &problem.place;
        let bare = match problem.severity {
            Severity::Error => Finding::error(problem.message.clone()),
            Severity::Warning => Finding::warning(problem.message.clone()),
        };
        if let Some((sheet, row, column)) = self.origins.cells.get(&(place.path.clone(), place.attribute)) {
            return bare.at(sheet, *row, column);
        }
        match self.origins.rows.get(&place.path) {
            Some((sheet, row)) => bare.at(sheet, *row, place.attribute),
            None => place.finding(problem.severity, problem.message.clone()),
        }
    }
}

/// Converts a workbook; the findings of a success are warnings.
pub(super) fn convert(bytes: &[u8]) -> Result<(Converted, Vec<Finding>), Vec<Finding>> {
    let mut findings = Vec::new();
    let book = sheet::read(bytes).map_err(|finding| vec![finding])?;
    let Some(survey_sheet) = book.sheet("survey") else {
        let names = book.names().join(", ");
        return Err(vec![Finding::error(format!(
            "There is no sheet called survey (the workbook has: {names}); add it"
        ))]);
    };
    for name in ["survey", "choices", "settings"] {
        if book.sheet(name).is_none()
            && let Some(like) = book.similar(name)
        {
            findings.push(Finding::warning(format!(
                "The sheet `{like}` is not read; if it should be, call it {name}"
            )));
        }
    }
    let settings = book.sheet("settings").map(settings).unwrap_or_default();
    let lists = match book.sheet("choices") {
        Some(sheet) => choices::read(sheet, &settings, &mut findings),
        None => choices::Lists::default(),
    };
    let survey = survey::read(survey_sheet, lists, &mut findings);
    if findings.iter().any(Finding::is_error) {
        return Err(findings);
    }
    let (xml, origins) = write::xform(&survey, &settings, &mut findings);
    if findings.iter().any(Finding::is_error) {
        return Err(findings);
    }
    Ok((Converted { xml, origins }, findings))
}

/// The single row of the settings sheet, by canonical name; a language follows after `::`.
pub(super) type Settings = HashMap<String, String>;

fn settings(sheet: &sheet::Sheet) -> Settings {
    let mut out = Settings::new();
    let Some(row) = sheet.rows.first() else { return out };
    for (at, column) in sheet.header.iter().enumerate() {
        let Some(text) = row.text(at) else { continue };
        let key = match column.key.as_str() {
            "title" | "set_form_title" => "form_title",
            "id_string" | "set_form_id" => "form_id",
            other => other,
        };
        let key = match &column.language {
            Some(language) => format!("{key}::{language}"),
            None => key.to_owned(),
        };
        out.insert(key, text.to_owned());
    }
    out
}

/// Whether a cell says yes.
pub(super) fn says_yes(text: &str) -> bool {
    matches!(
        text.trim().to_lowercase().as_str(),
        "yes" | "true" | "true()" | "si" | "sí" | "1"
    )
}

/// Whether a cell says no.
pub(super) fn says_no(text: &str) -> bool {
    matches!(
        text.trim().to_lowercase().as_str(),
        "no" | "false" | "false()" | "0"
    )
}
