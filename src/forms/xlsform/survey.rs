//! Reads the survey sheet, row by row, into a tree.

use super::choices::{Lists, is_xml_name};
use super::element::{Element, Kind, Survey};
use super::references::only_reference;
use super::sheet::{Row, Sheet};
use super::types::{self, Source};
use super::words::Words;
use super::{Settings, says_yes};
use crate::forms::finding::Finding;
use crate::forms::limits;

pub(super) const CELLS: &[&str] = &[
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
    "rows",
    "autoplay",
    "intent",
];
pub(super) const TEXTS: &[&str] = &[
    "label",
    "hint",
    "guidance_hint",
    "review",
    "constraint_message",
    "required_message",
    "no_app_error",
    "media::image",
    "media::big-image",
    "media::audio",
    "media::video",
];
const OTHER: &[&str] = &[
    "type",
    "name",
    "note",
    "notes",
    "disabled",
    "comment",
    "comments",
    "buttontext",
];

pub(super) fn read(
    sheet: &Sheet,
    settings: &Settings,
    lists: Lists,
    external: Lists,
    findings: &mut Vec<Finding>,
) -> Survey {
    let root = settings
        .get("name")
        .filter(|n| is_xml_name(n))
        .map_or("data", String::as_str);
    let survey = Survey {
        elements: vec![Element::new(root, Kind::Root, 0)],
        by_name: std::collections::BTreeMap::new(),
        lists,
        external,
        default: super::default_language(settings).to_owned(),
        sheet: sheet.name.clone(),
    };
    let collapse = settings
        .get("clean_text_values")
        .is_none_or(|v| !super::says_no(v));
    let mut reader = Reader {
        sheet,
        findings,
        open: vec![0],
        table_list: None,
        collapse,
        survey,
    };
    reader.header();
    for row in &sheet.rows {
        reader.row(row);
    }
    reader.close();
    super::groups::meta(&mut reader.survey, settings);
    super::groups::write_out_loops(&mut reader.survey, reader.findings);
    if settings.contains_key("flat") {
        super::groups::flatten(&mut reader.survey);
    }
    let mut survey = reader.survey;
    survey.name_paths();
    survey
}

struct Reader<'a, 'f> {
    sheet: &'a Sheet,
    findings: &'f mut Vec<Finding>,
    /// Groups that are open, the root first.
    open: Vec<usize>,
    /// Inside a table-list: the list that its questions share, once the first of them was read.
    table_list: Option<Option<String>>,
    /// Whether several spaces are one.
    collapse: bool,
    survey: Survey,
}

impl Reader<'_, '_> {
    fn error(&mut self, row: u32, key: &str, message: impl Into<String>) {
        let title = self.title(key);
        self.findings
            .push(Finding::error(message).at(&self.sheet.name, row, &title));
    }

    fn warning(&mut self, row: u32, key: &str, message: impl Into<String>) {
        let title = self.title(key);
        self.findings
            .push(Finding::warning(message).at(&self.sheet.name, row, &title));
    }

    fn title(&self, key: &str) -> String {
        let title = self.sheet.title(key);
        String::from(if title.is_empty() { key } else { title })
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
                || [CELLS, TEXTS, OTHER]
                    .iter()
                    .any(|keys| keys.contains(&column.key.as_str()))
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
            if self.sheet.get(row, "name").is_some() || !self.sheet.texts(row, "label").is_empty() {
                let message = "The row has a name or a label and no type; write the type or clear the row";
                self.error(row.number, "type", message);
            }
            return;
        };
        match types::row(&text) {
            types::Row::Question(t) => {
                if t.is_foreign() || t.control == "action" {
                    let message = format!(
                        "A kiosk cannot ask for `{text}`; citizens will be told to bring it to the counter"
                    );
                    self.warning(row.number, "type", message);
                }
                self.question(row, t);
            }
            types::Row::Select {
                control,
                list,
                from,
                or_other,
            } => {
                self.select(row, control, &list, from, or_other);
            }
            types::Row::External(extension) => {
                self.element(row, Kind::External(extension));
            }
            types::Row::BeginGroup => self.open_group(row, Kind::Group),
            types::Row::BeginRepeat => self.open_repeat(row),
            types::Row::BeginLoop { list } => {
                if self.survey.lists.get(&list).is_none() {
                    let message = format!("The loop needs a list of the choices sheet, and `{list}` is none");
                    self.error(row.number, "type", message);
                }
                self.open_group(row, Kind::Loop { list });
            }
            types::Row::End(word) => self.end(row, word),
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

    fn question(&mut self, row: &Row, t: &'static types::Type) {
        let Some(mut element) = self.read_element(row, Kind::Question(t)) else {
            return;
        };
        if let Some((rule, hint)) = t.rule {
            element
                .cells
                .entry("constraint".to_owned())
                .or_insert_with(|| rule.to_owned());
            if !hint.is_empty() && element.text("hint").is_none() {
                element = element.with_words("hint", Words::Plain(hint.to_owned()));
            }
        }
        if t.name == "audit" {
            element.name = "audit".to_owned();
            // The log of an interview belongs to the form's own fields; they are gathered at the end.
            super::groups::meta_child(&mut self.survey, element);
            return;
        }
        if t.name == "photo"
            && let Some(default) = element
                .cells
                .get_mut("default")
                .filter(|d| !d.contains("jr://images/"))
        {
            *default = format!("jr://images/{default}");
        }
        self.range(&element, row.number);
        self.push(element);
    }

    fn range(&mut self, element: &Element, row: u32) {
        if !matches!(element.kind, Kind::Question(t) if t.control == "range") {
            return;
        }
        let read = |key: &str, default: f64| match element.parameter(key) {
            None => Ok(default),
            Some(text) => text
                .parse::<f64>()
                .ok()
                .filter(|v| v.is_finite())
                .ok_or(key.to_owned()),
        };
        let limits = (read("start", 1.0), read("end", 10.0), read("step", 1.0));
        match limits {
            (Ok(start), Ok(end), Ok(step)) if step == 0.0 || step.abs() > (end - start).abs() => {
                self.error(
                    row,
                    "parameters",
                    "The step of the range must be bigger than 0 and fit into it",
                );
            }
            (Ok(_), Ok(_), Ok(_)) => {}
            (start, end, step) => {
                for key in [start, end, step].into_iter().filter_map(Result::err) {
                    self.error(
                        row,
                        "parameters",
                        format!("`{key}` of the range must be a number"),
                    );
                }
            }
        }
    }

    fn select(&mut self, row: &Row, control: &'static str, list: &str, from: Source, or_other: bool) {
        let kind = Kind::Select {
            control,
            list: list.to_owned(),
            from,
        };
        let Some(mut element) = self.read_element(row, kind) else {
            return;
        };
        if or_other && element.cell("choice_filter").is_some() {
            let message = "A filtered question cannot have or_other; write the choice `other` into the list";
            self.error(row.number, "choice_filter", message);
        }
        if from == Source::Sheet
            && let Some(table) = self.table_list.clone()
        {
            match table {
                None => {
                    self.table_list = Some(Some(list.to_owned()));
                    let header = super::groups::table_header(&element, control, list);
                    self.push(header);
                }
                Some(shared) if shared != list => {
                    let message =
                        format!("All questions of a table-list share one list; write {shared} here too");
                    self.error(row.number, "type", message);
                }
                Some(_) => {}
            }
            element = element.with_cell("appearance", "list-nolabel");
        }
        let name = element.name.clone();
        self.push(element);
        if or_other {
            super::groups::other_choice(&mut self.survey, list, row.number);
            let specify = super::groups::specify_other(&name, row.number);
            self.push(specify);
        }
    }

    fn open_repeat(&mut self, row: &Row) {
        let Some(mut element) = self.read_element(row, Kind::Repeat) else {
            self.open.push(self.open[self.open.len() - 1]);
            return;
        };
        // A count that is more than a reference gets a field of its own, so that every engine can follow it.
        if let Some(count) = element
            .cell("repeat_count")
            .filter(|c| only_reference(c).is_none())
        {
            let name = format!("{}_count", element.name);
            let field = Element::new(name.as_str(), Kind::Question(&types::CALCULATE), row.number)
                .with_cell("readonly", "true()")
                .with_cell("calculation", count);
            let field = Element {
                titles: renamed(&element, "calculation", "repeat_count"),
                ..field
            };
            element = element.with_cell("repeat_count", format!("${{{name}}}"));
            self.push(field);
        }
        self.open_element(element);
    }

    fn open_group(&mut self, row: &Row, kind: Kind) {
        match self.read_element(row, kind) {
            Some(element) => self.open_element(element),
            // A group without a usable name still opens, so that its end is not reported too.
            None => self.open.push(self.open[self.open.len() - 1]),
        }
    }

    fn open_element(&mut self, mut element: Element) {
        if self.open.len() > limits::DEPTH {
            self.error(element.row, "type", "Groups are nested too deeply; flatten them");
            return;
        }
        let appearance: Vec<String> = element
            .cell("appearance")
            .unwrap_or("")
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let mut note = None;
        if appearance.iter().any(|a| a == "table-list") {
            self.table_list = Some(None);
            let rest = appearance.iter().filter(|a| *a != "table-list");
            let all: Vec<&str> = std::iter::once("field-list")
                .chain(rest.map(String::as_str))
                .collect();
            note = super::groups::table_label(&mut element);
            element = element.with_cell("appearance", all.join(" "));
        }
        let at = self.push(element);
        self.open.push(at);
        if let Some(note) = note {
            self.push(note);
        }
    }

    fn end(&mut self, row: &Row, word: &str) {
        self.table_list = None;
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
        let right = word_of(&element.kind);
        if right != word && at != 0 {
            let (name, begin) = (element.name.clone(), element.row);
            self.error(
                row.number,
                "type",
                format!("`{name}` of row {begin} is a {right}; write end {right}"),
            );
        }
    }

    fn close(&mut self) {
        for at in self.open.split_off(1) {
            let (row, word) = (
                self.survey.elements[at].row,
                word_of(&self.survey.elements[at].kind),
            );
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

    fn element(&mut self, row: &Row, kind: Kind) {
        if let Some(element) = self.read_element(row, kind) {
            self.push(element);
        }
    }

    fn read_element(&mut self, row: &Row, kind: Kind) -> Option<Element> {
        let named = match (self.sheet.get(row, "name"), &kind) {
            (Some(name), _) => Some(name.to_owned()),
            (None, Kind::Question(t)) if t.name == "note" => {
                Some(format!("generated_note_name_{}", row.number))
            }
            (None, Kind::Question(t)) if t.name == "audit" => Some("audit".to_owned()),
            (None, _) => None,
        };
        let Some(name) = named else {
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
        let mut element = Element::new(name, kind, row.number);
        let clean = |text: &str| super::clean(text, self.collapse);
        for (at, column) in self.sheet.header.iter().enumerate() {
            let custom = ["bind::", "body::", "instance::"]
                .iter()
                .any(|p| column.key.starts_with(p));
            if CELLS.contains(&column.key.as_str()) || custom {
                element.titles.insert(column.key.clone(), column.title.clone());
                if let Some(text) = row.text(at) {
                    element.cells.insert(column.key.clone(), clean(text));
                }
            }
        }
        for key in TEXTS {
            let found = self
                .sheet
                .texts(row, key)
                .into_iter()
                .map(|(l, t)| (l, clean(&t)))
                .collect();
            let words = Words::join(found, &self.survey.default);
            if !words.is_none() {
                element.words.insert((*key).to_owned(), words);
            }
            element
                .titles
                .insert((*key).to_owned(), self.sheet.title(key).to_owned());
        }
        element
            .titles
            .insert("type".to_owned(), self.sheet.title("type").to_owned());
        element.parameters = self.parameters(&element);
        if element.cell("appearance") == Some("label") && element.text("label").is_none() {
            element = element.with_words("label", Words::Plain(" ".to_owned()));
        }
        // Excel gives a day as a moment at midnight.
        if element.bind_type() == "date"
            && let Some(default) = element.cells.get_mut("default")
            && let Some(day) = default.strip_suffix(" 00:00:00")
        {
            *default = day.to_owned();
        }
        Some(element)
    }

    /// `start=1 end=5`, with commas or semicolons too.
    fn parameters(&mut self, element: &Element) -> Vec<(String, String)> {
        let cell = element.cell("parameters").unwrap_or("").to_owned();
        let spaced = cell.replace(" =", "=").replace("= ", "=");
        let mut out = Vec::new();
        for pair in spaced.split([' ', ',', ';']).filter(|p| !p.is_empty()) {
            match pair.split_once('=') {
                Some((key, value)) if !key.is_empty() && !value.is_empty() => {
                    let key = key.trim().to_lowercase();
                    let keeps_case = matches!(key.as_str(), "label" | "value") || value.contains("${");
                    let value = if keeps_case {
                        value.to_owned()
                    } else {
                        value.to_lowercase()
                    };
                    out.push((key, value));
                }
                _ => {
                    let message =
                        format!("`{pair}` is not a parameter; write key=value pairs with a space between");
                    self.error(element.row, "parameters", message);
                }
            }
        }
        out
    }

    fn push(&mut self, element: Element) -> usize {
        let parent = self.open[self.open.len() - 1];
        let twin = |e: &usize| self.survey.elements[*e].name == element.name;
        let reserved = element.name == "meta" && parent == 0;
        if let Some(twin) = self.survey.elements[parent].children.iter().copied().find(twin) {
            let (name, row) = (element.name.clone(), self.survey.elements[twin].row);
            let message =
                format!("The name `{name}` is already used in row {row} of the same group; rename one");
            self.error(element.row, "name", message);
        } else if reserved {
            self.error(
                element.row,
                "name",
                "`meta` is the name of the form's own fields; choose another",
            );
        }
        self.survey.push(parent, element)
    }
}

fn word_of(kind: &Kind) -> &'static str {
    match kind {
        Kind::Repeat => "repeat",
        Kind::Loop { .. } => "loop",
        Kind::Root
        | Kind::Group
        | Kind::Meta
        | Kind::Question(_)
        | Kind::Select { .. }
        | Kind::External(_) => "group",
    }
}

/// The headings of a field made from a cell of another, so that a finding names the right column.
fn renamed(of: &Element, key: &str, column: &str) -> std::collections::HashMap<String, String> {
    std::collections::HashMap::from([(key.to_owned(), of.title(column).to_owned())])
}
