//! The choices sheet: lists of names, labels in every language, and columns to filter by.

use super::sheet::Sheet;
use super::{Settings, says_yes};
use crate::forms::finding::Finding;
use crate::forms::limits;
use crate::forms::xpath::lexer::{is_name_char, is_name_start};

#[derive(Default)]
pub(super) struct Lists {
    pub lists: Vec<List>,
    /// Languages in the order of their columns.
    pub languages: Vec<Option<String>>,
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
    pub labels: Vec<(Option<String>, String)>,
    /// Other columns, for choice_filter.
    pub extra: Vec<(String, String)>,
    pub row: u32,
}

impl Lists {
    pub fn find(&mut self, name: &str) -> Option<&mut List> {
        self.lists.iter_mut().find(|l| l.name == name)
    }
}

pub(super) fn read(sheet: &Sheet, settings: &Settings, findings: &mut Vec<Finding>) -> Lists {
    let mut out = Lists {
        sheet: sheet.name.clone(),
        ..Lists::default()
    };
    let error = |row, column: &str, message: &str| Finding::error(message).at(&sheet.name, row, column);
    let list_column = ["list_name", "list-name", "listname"]
        .into_iter()
        .find_map(|k| sheet.column(k));
    let name_column = sheet.column("name").or_else(|| sheet.column("value"));
    let (Some(list_column), Some(name_column)) = (list_column, name_column) else {
        if !sheet.rows.is_empty() {
            findings.push(error(
                1,
                "",
                "The choices need the columns list_name and name; add them",
            ));
        }
        return out;
    };
    out.languages = sheet
        .header
        .iter()
        .filter(|c| c.key == "label")
        .map(|c| c.language.clone())
        .collect();
    if sheet.rows.len() > limits::CHOICES {
        findings.push(error(
            1,
            "",
            &format!(
                "There are more than {} choices; shorten the lists",
                limits::CHOICES
            ),
        ));
        return out;
    }
    let extras: Vec<usize> = (0..sheet.header.len())
        .filter(|at| {
            let column = &sheet.header[*at];
            let reserved =
                column.key.is_empty() || column.key == "label" || column.key.starts_with("media::");
            !reserved && *at != list_column && *at != name_column
        })
        .collect();
    for at in &extras {
        let title = &sheet.header[*at].title;
        if !is_xml_name(title) {
            findings.push(
                Finding::warning(
                    "The column is not read, as its name has spaces or signs; write it as one word",
                )
                .at(&sheet.name, 1, title),
            );
        }
    }
    let duplicates_allowed = settings
        .get("allow_choice_duplicates")
        .is_some_and(|v| says_yes(v));
    for row in &sheet.rows {
        let (list, name) = (row.text(list_column), row.text(name_column));
        let labels = sheet.texts(row, "label");
        let Some(list) = list else {
            if name.is_some() || !labels.is_empty() {
                findings.push(error(
                    row.number,
                    "list_name",
                    "The choice belongs to no list; write the list's name",
                ));
            }
            continue;
        };
        let Some(name) = name else {
            findings.push(error(
                row.number,
                "name",
                "The choice has no name; write what is to be stored",
            ));
            continue;
        };
        if labels.is_empty() {
            findings.push(
                Finding::warning("The choice has no label, so its name is shown").at(
                    &sheet.name,
                    row.number,
                    "label",
                ),
            );
        }
        let mut labels = labels;
        if labels.is_empty() {
            labels.push((None, name.to_owned()));
        }
        let extra = extras.iter().filter(|at| is_xml_name(&sheet.header[**at].title));
        let extra = extra
            .filter_map(|at| Some((sheet.header[*at].title.clone(), row.text(*at)?.to_owned())))
            .collect();
        let choice = Choice {
            name: name.to_owned(),
            labels,
            extra,
            row: row.number,
        };
        let list = match out.lists.iter_mut().position(|l| l.name == list) {
            Some(at) => &mut out.lists[at],
            None => {
                out.lists.push(List {
                    name: list.to_owned(),
                    choices: vec![],
                    used: false,
                    row: row.number,
                });
                let last = out.lists.len() - 1;
                &mut out.lists[last]
            }
        };
        if !duplicates_allowed && list.choices.iter().any(|c| c.name == choice.name) {
            let message = format!(
                "The name `{}` appears twice in the list {}; rename one",
                choice.name, list.name
            );
            findings.push(error(row.number, "name", &message));
        }
        list.choices.push(choice);
    }
    out
}

pub(super) fn is_xml_name(name: &str) -> bool {
    name.starts_with(is_name_start) && name.chars().all(is_name_char)
}
