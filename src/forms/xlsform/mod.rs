//! Reads a workbook (XLSForm) and writes the XForm that pyxform would write.
//!
//! The workbook is what an analyst edits; the XForm is what is kept. Everything wrong is reported with its sheet, row
//! and column, also what is only found later, when the XForm is compiled: see [`Converted::locate`].

mod audit;
mod biff;
mod body;
mod choices;
mod columns;
mod defaults;
mod element;
mod groups;
mod itext;
mod pack;
mod references;
mod sheet;
mod survey;
mod types;
mod words;
mod write;

use super::finding::{Finding, Problem, Severity};
use std::collections::HashMap;

/// A workbook as an XForm, and the cells its parts came from.
pub(super) struct Converted {
    pub xml: String,
    /// `itemsets.csv`, where the workbook has a sheet external_choices.
    pub itemsets: Option<String>,
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

/// Converts a workbook; the findings of a success are warnings. `name` is what the file is called, without its ending:
/// a form without form_id goes by it.
pub(super) fn convert(name: &str, bytes: &[u8]) -> Result<(Converted, Vec<Finding>), Vec<Finding>> {
    let mut findings = Vec::new();
    let book = sheet::read(bytes).map_err(|finding| vec![finding])?;
    let Some(survey_sheet) = book.survey() else {
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
    if let Some(sheet) = book.sheet("entities").filter(|s| !s.rows.is_empty()) {
        findings.push(
            Finding::warning("Entities are not kept by a kiosk; the sheet has no effect").at(
                &sheet.name,
                1,
                "",
            ),
        );
    }
    let settings = book.sheet("settings").map(settings).unwrap_or_default();
    let mut lists = |name: &str| match book.sheet(name) {
        Some(sheet) => choices::read(sheet, &settings, &mut findings),
        None => choices::Lists::default(),
    };
    let (choices, external) = (lists("choices"), lists("external_choices"));
    let mut survey = survey::read(survey_sheet, &settings, choices, external, &mut findings);
    survey.check(&mut findings);
    if findings.iter().any(Finding::is_error) {
        return Err(findings);
    }
    let (xml, origins) = write::xform(&survey, &settings, name, &mut findings);
    if findings.iter().any(Finding::is_error) {
        return Err(findings);
    }
    let itemsets = itemsets(&survey.external);
    Ok((
        Converted {
            xml,
            itemsets,
            origins,
        },
        findings,
    ))
}

/// The external choices as the file that goes with the XForm, as pyxform writes it.
fn itemsets(lists: &choices::Lists) -> Option<String> {
    let all = || {
        lists
            .lists
            .iter()
            .flat_map(|l| l.choices.iter().map(move |c| (l, c)))
    };
    let mut columns: Vec<&str> = Vec::new();
    for key in all().flat_map(|(_, c)| &c.extra).map(|(k, _)| k.as_str()) {
        if !columns.contains(&key) {
            columns.push(key);
        }
    }
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let head = ["list_name", "name", "label"]
        .into_iter()
        .chain(columns.iter().copied());
    let mut out = head.map(quoted).collect::<Vec<_>>().join(",");
    for (list, choice) in all() {
        let label = choice.label.texts().first().copied().unwrap_or("");
        let value = |key: &&str| {
            choice
                .extra
                .iter()
                .find(|(k, _)| k == key)
                .map_or("", |(_, v)| v.as_str())
        };
        let cells = [list.name.as_str(), choice.name.as_str(), label]
            .into_iter()
            .chain(columns.iter().map(value));
        out.push('\n');
        out.push_str(&cells.map(quoted).collect::<Vec<_>>().join(","));
    }
    all().next().is_some().then_some(out + "\n")
}

/// Kinds of pictures and sounds.
const MEDIA: &[&str] = &["image", "big-image", "audio", "video"];

/// The single row of the settings sheet, by canonical name; a language follows after `::`.
pub(super) type Settings = HashMap<String, String>;

fn settings(sheet: &sheet::Sheet) -> Settings {
    let mut out = Settings::new();
    let Some(row) = sheet.rows.first() else { return out };
    for (at, column) in sheet.header.iter().enumerate() {
        let Some(text) = row.text(at) else { continue };
        let lower = column.key.to_lowercase();
        let key = match lower.as_str() {
            "title" | "set_form_title" => "form_title",
            "id_string" | "set_form_id" => "form_id",
            other => other,
        };
        let key = match &column.language {
            Some(language) => format!("{key}::{language}"),
            None => key.to_owned(),
        };
        out.insert(key, clean(text, true));
    }
    out
}

/// The language of columns that name none.
fn default_language(settings: &Settings) -> &str {
    settings.get("default_language").map_or("default", String::as_str)
}

/// Where wanted, one space for several.
fn clean(text: &str, collapse: bool) -> String {
    if !collapse || !text.contains("  ") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
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
