//! The choices sheet: lists of names, labels in every language, and columns to filter by.

use super::sheet::Sheet;
use super::words::Words;
use super::{Settings, says_yes};
use crate::forms::finding::Finding;
use crate::forms::limits;
use crate::forms::xpath::lexer::{is_name_char, is_name_start};
use std::collections::HashMap;

#[derive(Default)]
pub(super) struct Lists {
    pub lists: Vec<List>,
    at: HashMap<String, usize>,
    pub sheet: String,
}

pub(super) struct List {
    pub name: String,
    pub choices: Vec<Choice>,
    pub used: bool,
    pub row: u32,
}

pub(super) struct Choice {
    pub name: String,
    pub label: Words,
    /// Pictures and sounds by kind.
    pub media: Vec<(String, Words)>,
    /// Other columns, for choice_filter.
    pub extra: Vec<(String, String)>,
    pub row: u32,
}

impl List {
    /// Whether its labels are translations: in languages, with pictures, or with `${field}` in them.
    pub fn needs_itext(&self) -> bool {
        self.choices.iter().any(|c| {
            let plain = |t: &str| t.contains("${");
            c.label.is_translated() || !c.media.is_empty() || c.label.texts().into_iter().any(plain)
        })
    }
}

impl Lists {
    pub fn get(&self, name: &str) -> Option<&List> {
        self.at.get(name).map(|at| &self.lists[*at])
    }

    pub fn find(&mut self, name: &str) -> Option<&mut List> {
        self.at.get(name).map(|at| &mut self.lists[*at])
    }

    fn open(&mut self, name: &str, row: u32) -> &mut List {
        let at = *self.at.entry(name.to_owned()).or_insert(self.lists.len());
        if at == self.lists.len() {
            self.lists.push(List {
                name: name.to_owned(),
                choices: vec![],
                used: false,
                row,
            });
        }
        &mut self.lists[at]
    }
}

/// `sheet` may be choices or external_choices.
pub(super) fn read(sheet: &Sheet, settings: &Settings, findings: &mut Vec<Finding>) -> Lists {
    let mut out = Lists {
        sheet: sheet.name.clone(),
        ..Lists::default()
    };
    let error = |row, column: &str, message: &str| Finding::error(message).at(&sheet.name, row, column);
    let (Some(list_column), Some(name_column)) = (sheet.column("list_name"), sheet.column("name")) else {
        if !sheet.rows.is_empty() {
            findings.push(error(
                1,
                "",
                "The choices need the columns list_name and name; add them",
            ));
        }
        return out;
    };
    if sheet.rows.len() > limits::CHOICES {
        let message = format!(
            "There are more than {} choices; shorten the lists",
            limits::CHOICES
        );
        findings.push(error(1, "", &message));
        return out;
    }
    let extras = extras(sheet, list_column, name_column, findings);
    let default = super::default_language(settings);
    let duplicates_allowed = settings
        .get("allow_choice_duplicates")
        .is_some_and(|v| says_yes(v));
    let mut seen: HashMap<(String, String), ()> = HashMap::new();
    for row in &sheet.rows {
        let (list, name) = (row.text(list_column), row.text(name_column));
        let label = Words::join(sheet.texts(row, "label"), default);
        let Some(list) = list else {
            if name.is_some() || !label.is_none() {
                let message = "The choice belongs to no list; write the list's name";
                findings.push(error(row.number, "list_name", message));
            }
            continue;
        };
        let Some(name) = name else {
            let message = "The choice has no name; write what is to be stored";
            findings.push(error(row.number, "name", message));
            continue;
        };
        let media: Vec<(String, Words)> = super::MEDIA
            .iter()
            .map(|kind| {
                (
                    (*kind).to_owned(),
                    Words::join(sheet.texts(row, &format!("media::{kind}")), default),
                )
            })
            .filter(|(_, words)| !words.is_none())
            .collect();
        if label.is_none() && media.is_empty() {
            let finding = Finding::warning("The choice has no label, so its name is shown");
            findings.push(finding.at(&sheet.name, row.number, "label"));
        }
        let known = seen.insert((list.to_owned(), name.to_owned()), ()).is_some();
        if known && !duplicates_allowed {
            let message = format!("The name `{name}` appears twice in the list {list}; rename one");
            findings.push(error(row.number, "name", &message));
        }
        let extra = extras
            .iter()
            .filter_map(|at| Some((sheet.header[*at].title.clone(), row.text(*at)?.to_owned())))
            .collect();
        let choice = Choice {
            name: name.to_owned(),
            label,
            media,
            extra,
            row: row.number,
        };
        out.open(list, row.number).choices.push(choice);
    }
    out
}

/// Columns that every choice carries along.
fn extras(sheet: &Sheet, list_column: usize, name_column: usize, findings: &mut Vec<Finding>) -> Vec<usize> {
    let mut out = Vec::new();
    for (at, column) in sheet.header.iter().enumerate() {
        let reserved = column.key.is_empty() || column.key == "label" || column.key.starts_with("media::");
        if reserved || at == list_column || at == name_column {
            continue;
        }
        if is_xml_name(&column.title) {
            out.push(at);
        } else {
            let message = "The column is not read, as its name has spaces or signs; write it as one word";
            findings.push(Finding::warning(message).at(&sheet.name, 1, &column.title));
        }
    }
    out
}

pub(super) fn is_xml_name(name: &str) -> bool {
    name.starts_with(is_name_start) && name.chars().all(is_name_char)
}
