//! The survey sheet as a tree: groups, repeats and questions, with the cells that belong to each.

use super::choices::{Choice, Lists, is_xml_name};
use super::references::Broken;
use super::sheet::{Row, Sheet};
use super::types::{self, Type};
use super::{says_no, says_yes};
use crate::forms::finding::Finding;
use crate::forms::limits;
use std::collections::{BTreeMap, HashMap};

pub(super) struct Survey {
    /// The first is the root.
    pub elements: Vec<Element>,
    pub by_name: BTreeMap<String, Vec<usize>>,
    pub lists: Lists,
    /// Languages in the order of their columns; `None` is a column without language.
    pub languages: Vec<Option<String>>,
    pub sheet: String,
}

pub(super) struct Element {
    pub name: String,
    pub path: String,
    pub parent: Option<usize>,
    pub children: Vec<usize>,
    pub row: u32,
    pub kind: ElementKind,
    /// Cells by canonical column.
    pub cells: HashMap<String, String>,
    /// Translated cells by canonical column.
    pub texts: HashMap<String, Vec<(Option<String>, String)>>,
    /// Headings as written, for findings.
    pub titles: HashMap<String, String>,
}

pub(super) enum ElementKind {
    Root,
    Group,
    Repeat,
    Question(Type),
    Select { control: &'static str, list: String },
}

impl Element {
    pub fn is_repeat(&self) -> bool {
        matches!(self.kind, ElementKind::Repeat)
    }

    pub fn cell(&self, key: &str) -> Option<&str> {
        self.cells.get(key).map(String::as_str)
    }

    pub fn text(&self, key: &str) -> &[(Option<String>, String)] {
        self.texts.get(key).map(Vec::as_slice).unwrap_or_default()
    }
}

const CELLS: &[&str] = &[
    "relevant",
    "required",
    "readonly",
    "constraint",
    "calculation",
    "default",
    "appearance",
    "choice_filter",
    "repeat_count",
    "parameters",
    "trigger",
];
pub(super) const TEXTS: &[&str] = &[
    "label",
    "hint",
    "guidance_hint",
    "review",
    "constraint_message",
    "required_message",
];
const OTHER: &[&str] = &[
    "type",
    "name",
    "media::image",
    "media::audio",
    "media::video",
    "media::big-image",
    "note",
    "notes",
    "rows",
    "disabled",
    "comment",
    "comments",
];

pub(super) fn read(sheet: &Sheet, lists: Lists, findings: &mut Vec<Finding>) -> Survey {
    let mut reader = Reader {
        sheet,
        findings,
        open: vec![0],
        survey: empty(sheet, lists),
    };
    reader.header();
    for row in &sheet.rows {
        reader.row(row);
    }
    reader.close();
    reader.survey.finish(reader.findings);
    reader.survey
}

fn empty(sheet: &Sheet, lists: Lists) -> Survey {
    let root = Element {
        name: "data".to_owned(),
        path: "/data".to_owned(),
        parent: None,
        children: vec![],
        row: 0,
        kind: ElementKind::Root,
        cells: HashMap::new(),
        texts: HashMap::new(),
        titles: HashMap::new(),
    };
    let mut languages: Vec<Option<String>> = Vec::new();
    let own = sheet
        .header
        .iter()
        .filter(|c| TEXTS.contains(&c.key.as_str()))
        .map(|c| c.language.clone());
    for language in own.chain(lists.languages.iter().cloned()) {
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    Survey {
        elements: vec![root],
        by_name: BTreeMap::new(),
        lists,
        languages,
        sheet: sheet.name.clone(),
    }
}

struct Reader<'a, 'f> {
    sheet: &'a Sheet,
    findings: &'f mut Vec<Finding>,
    /// Groups that are open, the root first.
    open: Vec<usize>,
    survey: Survey,
}

impl Reader<'_, '_> {
    fn error(&mut self, row: u32, key: &str, message: impl Into<String>) {
        let title = self.sheet.title(key);
        let title = if title.is_empty() { key } else { title };
        self.findings
            .push(Finding::error(message).at(&self.sheet.name, row, title));
    }

    fn warning(&mut self, row: u32, key: &str, message: impl Into<String>) {
        let title = self.sheet.title(key);
        let title = if title.is_empty() { key } else { title };
        self.findings
            .push(Finding::warning(message).at(&self.sheet.name, row, title));
    }

    fn header(&mut self) {
        for needed in ["type", "name"] {
            if self.sheet.column(needed).is_none() {
                self.error(1, "", format!("The survey has no column called {needed}; add it"));
            }
        }
        for column in &self.sheet.header {
            if column.key.starts_with("media::") {
                let finding = Finding::warning("Pictures and sounds are not shown on a kiosk");
                self.findings.push(finding.at(&self.sheet.name, 1, &column.title));
            }
            let known = column.key.is_empty()
                || CELLS.contains(&column.key.as_str())
                || TEXTS.contains(&column.key.as_str())
                || OTHER.contains(&column.key.as_str())
                || column.key.contains(':');
            if !known {
                let finding =
                    Finding::warning("The column is not known and has no effect; check its spelling");
                self.findings.push(finding.at(&self.sheet.name, 1, &column.title));
            }
        }
    }

    fn row(&mut self, row: &Row) {
        if self.sheet.get(row, "disabled").is_some_and(says_yes) {
            return;
        }
        let Some(text) = self.sheet.get(row, "type").map(str::to_owned) else {
            if self.sheet.get(row, "name").is_some() {
                self.error(
                    row.number,
                    "type",
                    "The row has a name and no type; write the type or clear the row",
                );
            }
            return;
        };
        match types::row(&text) {
            types::Row::Question(t) => {
                if t.foreign {
                    self.warning(
                        row.number,
                        "type",
                        format!("A kiosk cannot ask for `{text}`; it will be shown as unsupported"),
                    );
                }
                self.element(row, ElementKind::Question(t));
            }
            types::Row::Select {
                control,
                list,
                or_other,
            } => {
                self.element(
                    row,
                    ElementKind::Select {
                        control,
                        list: list.clone(),
                    },
                );
                if or_other {
                    self.or_other(row, &list);
                }
            }
            types::Row::BeginGroup => self.open_group(row, ElementKind::Group),
            types::Row::BeginRepeat => self.open_group(row, ElementKind::Repeat),
            types::Row::EndGroup => self.end(row, false),
            types::Row::EndRepeat => self.end(row, true),
            types::Row::Ignored => {
                self.warning(row.number, "type", format!("`{text}` has no effect on a kiosk"))
            }
            types::Row::Unknown { nearest } => {
                let hint = nearest.map(|n| format!("; perhaps {n}")).unwrap_or_default();
                self.error(
                    row.number,
                    "type",
                    format!("The type `{text}` is not known{hint}"),
                );
            }
            types::Row::Unsupported { cure } => self.error(row.number, "type", format!("`{text}`: {cure}")),
        }
    }

    fn open_group(&mut self, row: &Row, kind: ElementKind) {
        if self.open.len() > limits::DEPTH {
            self.error(row.number, "type", "Groups are nested too deeply; flatten them");
            return;
        }
        // A group without a usable name still opens, so that its end is not reported too.
        let at = self.element(row, kind).unwrap_or(self.open[self.open.len() - 1]);
        self.open.push(at);
    }

    fn end(&mut self, row: &Row, repeat: bool) {
        let word = if repeat { "repeat" } else { "group" };
        if self.open.len() == 1 {
            self.error(
                row.number,
                "type",
                format!("There is no {word} to end; remove the row"),
            );
            return;
        }
        let at = self.open.pop().unwrap_or(0);
        let element = &self.survey.elements[at];
        if element.is_repeat() != repeat && at != 0 {
            let (name, begin) = (element.name.clone(), element.row);
            let right = if element.is_repeat() { "repeat" } else { "group" };
            self.error(
                row.number,
                "type",
                format!("`{name}` of row {begin} is a {right}; write end {right}"),
            );
        }
    }

    fn close(&mut self) {
        for at in self.open.split_off(1) {
            let (row, repeat) = (self.survey.elements[at].row, self.survey.elements[at].is_repeat());
            let word = if repeat { "repeat" } else { "group" };
            self.error(
                row,
                "type",
                format!("The {word} is never closed; add a row `end {word}`"),
            );
        }
        if self.survey.elements.len() == 1 && !self.findings.iter().any(Finding::is_error) {
            self.error(1, "", "The survey asks nothing; add a question");
        }
    }

    fn element(&mut self, row: &Row, kind: ElementKind) -> Option<usize> {
        let Some(name) = self.sheet.get(row, "name").map(str::to_owned) else {
            self.error(
                row.number,
                "name",
                "The row has no name; write a short one, without spaces",
            );
            return None;
        };
        if !is_xml_name(&name) {
            let message =
                format!("`{name}` cannot be a name; use letters, digits and _ only, beginning with a letter");
            self.error(row.number, "name", message);
            return None;
        }
        if self.survey.elements.len() >= limits::FIELDS {
            if self.survey.elements.len() == limits::FIELDS {
                self.error(
                    row.number,
                    "",
                    format!("The form has more than {} rows; split it", limits::FIELDS),
                );
            }
            return None;
        }
        let mut cells = HashMap::new();
        let mut titles = HashMap::new();
        for key in CELLS {
            if let Some(text) = self.sheet.get(row, key) {
                cells.insert((*key).to_owned(), text.to_owned());
            }
            titles.insert((*key).to_owned(), self.sheet.title(key).to_owned());
        }
        let mut texts = HashMap::new();
        for key in TEXTS {
            let found = self.sheet.texts(row, key);
            if !found.is_empty() {
                texts.insert((*key).to_owned(), found);
            }
            titles.insert((*key).to_owned(), self.sheet.title(key).to_owned());
        }
        let is_question = !matches!(kind, ElementKind::Group | ElementKind::Repeat)
            && !matches!(&kind, ElementKind::Question(t) if t.control.is_none());
        let has_media = self
            .sheet
            .header
            .iter()
            .enumerate()
            .any(|(i, c)| c.key.starts_with("media::") && row.text(i).is_some());
        if is_question && !texts.contains_key("label") && !has_media && !texts.contains_key("hint") {
            self.warning(
                row.number,
                "label",
                format!("The question `{name}` has no label; the citizen will see nothing"),
            );
        }
        Some(self.push(Element {
            path: String::new(),
            parent: None,
            children: vec![],
            row: row.number,
            name,
            kind,
            cells,
            texts,
            titles,
        }))
    }

    fn push(&mut self, mut element: Element) -> usize {
        let parent = self.open[self.open.len() - 1];
        let at = self.survey.elements.len();
        let twin = self.survey.elements[parent]
            .children
            .iter()
            .copied()
            .find(|c| self.survey.elements[*c].name == element.name);
        if let Some(twin) = twin {
            let (name, row) = (element.name.clone(), self.survey.elements[twin].row);
            self.error(
                element.row,
                "name",
                format!("The name `{name}` is already used in row {row} of the same group; rename one"),
            );
        }
        element.parent = Some(parent);
        element.path = format!("{}/{}", self.survey.elements[parent].path, element.name);
        self.survey
            .by_name
            .entry(element.name.clone())
            .or_default()
            .push(at);
        self.survey.elements[parent].children.push(at);
        self.survey.elements.push(element);
        at
    }

    /// `or_other`: one more choice, and a question for the words.
    fn or_other(&mut self, row: &Row, list: &str) {
        let Some(name) = self.sheet.get(row, "name").map(str::to_owned) else {
            return;
        };
        let languages = self.survey.languages.clone();
        if let Some(list) = self.survey.lists.find(list)
            && !list.choices.iter().any(|c| c.name == "other")
        {
            let labels = words(&languages, "Other", "Otro");
            list.choices.push(Choice {
                name: "other".to_owned(),
                labels,
                extra: vec![],
                row: row.number,
            });
        }
        let relevant = format!("selected(../{name}, 'other')");
        let label = words(&languages, "Specify other.", "Especifique");
        self.push(Element {
            name: format!("{name}_other"),
            path: String::new(),
            parent: None,
            children: vec![],
            row: row.number,
            kind: ElementKind::Question(Type {
                control: Some("input"),
                bind: "string",
                readonly: false,
                preload: None,
                foreign: false,
                hidden: false,
            }),
            cells: HashMap::from([("relevant".to_owned(), relevant)]),
            texts: HashMap::from([("label".to_owned(), label)]),
            titles: HashMap::new(),
        });
    }
}

fn words(languages: &[Option<String>], english: &str, spanish: &str) -> Vec<(Option<String>, String)> {
    let word = |l: &Option<String>| {
        let code = l.as_deref().map(crate::forms::model::language_code);
        String::from(if code.as_deref() == Some("es") {
            spanish
        } else {
            english
        })
    };
    if languages.is_empty() {
        return vec![(None, english.to_owned())];
    }
    languages.iter().map(|l| (l.clone(), word(l))).collect()
}

pub(super) fn explain(name: &str, broken: &Broken) -> String {
    match broken {
        Broken::Missing { nearest: Some(near) } => {
            format!("There is no field called `{name}`; perhaps ${{{near}}}")
        }
        Broken::Missing { nearest: None } => {
            format!("There is no field called `{name}`; correct the name or add the field")
        }
        Broken::Ambiguous { paths } => {
            format!(
                "`{name}` is the name of several fields ({}); rename them so that each is unique",
                paths.join(", ")
            )
        }
    }
}

/// `true()`, `false()` or the expression as it stands.
pub(super) fn truth_cell(text: &str) -> String {
    if says_yes(text) {
        "true()".to_owned()
    } else if says_no(text) {
        "false()".to_owned()
    } else {
        text.to_owned()
    }
}
