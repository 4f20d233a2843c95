//! The survey as a tree: groups, repeats and questions, with the cells that belong to each.

use super::choices::Lists;
use super::types::{Source, Type};
use super::words::Words;
use std::collections::{BTreeMap, HashMap};

pub(super) struct Survey {
    /// The first is the root. Others may be loose: what a loop was written as hangs nowhere.
    pub elements: Vec<Element>,
    pub by_name: BTreeMap<String, Vec<usize>>,
    pub lists: Lists,
    pub external: Lists,
    /// The language of texts whose column names none.
    pub default: String,
    pub sheet: String,
}

#[derive(Clone)]
pub(super) struct Element {
    pub name: String,
    pub path: String,
    pub parent: Option<usize>,
    pub children: Vec<usize>,
    pub row: u32,
    pub kind: Kind,
    /// Cells by canonical column.
    pub cells: BTreeMap<String, String>,
    /// Translated cells by canonical column.
    pub words: BTreeMap<String, Words>,
    /// `key=value` pairs of the parameters column.
    pub parameters: Vec<(String, String)>,
    /// Headings as written, for findings.
    pub titles: HashMap<String, String>,
    /// Whether the group leaves no trace in the answers (setting `flat`).
    pub flat: bool,
}

#[derive(Clone)]
pub(super) enum Kind {
    Root,
    Group,
    Repeat,
    /// A group written out once for each choice of a list.
    Loop {
        list: String,
    },
    /// The group of the form's own fields, which nobody sees.
    Meta,
    Question(&'static Type),
    Select {
        control: &'static str,
        list: String,
        from: Source,
    },
    /// A list in another file.
    External(&'static str),
}

const NO_WORDS: &Words = &Words::None;

impl Element {
    pub fn new(name: impl Into<String>, kind: Kind, row: u32) -> Element {
        Element {
            name: name.into(),
            path: String::new(),
            parent: None,
            children: vec![],
            row,
            kind,
            cells: BTreeMap::new(),
            words: BTreeMap::new(),
            parameters: vec![],
            titles: HashMap::new(),
            flat: false,
        }
    }

    pub fn with_cell(mut self, key: &str, text: impl Into<String>) -> Element {
        self.cells.insert(key.to_owned(), text.into());
        self
    }

    pub fn with_words(mut self, key: &str, words: Words) -> Element {
        self.words.insert(key.to_owned(), words);
        self
    }

    pub fn is_repeat(&self) -> bool {
        matches!(self.kind, Kind::Repeat)
    }

    /// Whether it holds others.
    pub fn is_section(&self) -> bool {
        matches!(
            self.kind,
            Kind::Root | Kind::Group | Kind::Repeat | Kind::Loop { .. } | Kind::Meta
        )
    }

    pub fn cell(&self, key: &str) -> Option<&str> {
        self.cells.get(key).map(String::as_str)
    }

    pub fn text(&self, key: &str) -> &Words {
        self.words.get(key).unwrap_or(NO_WORDS)
    }

    pub fn parameter(&self, key: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }

    pub fn media(&self) -> impl Iterator<Item = (&'static str, &Words)> {
        super::MEDIA
            .iter()
            .filter_map(|kind| Some((*kind, self.words.get(&format!("media::{kind}"))?)))
    }

    /// The heading of a column as the author wrote it.
    pub fn title<'a>(&'a self, key: &'a str) -> &'a str {
        self.titles
            .get(key)
            .map(String::as_str)
            .filter(|t| !t.is_empty())
            .unwrap_or(key)
    }

    /// Whether the body has a control for it.
    pub fn is_asked(&self) -> bool {
        let spoken = !self.text("label").is_none() || !self.text("hint").is_none();
        match &self.kind {
            Kind::Question(t) => {
                let silent = self.cells.contains_key("calculation") || self.cells.contains_key("trigger");
                t.asks() && (spoken || !silent)
            }
            Kind::Select { .. } => true,
            Kind::Root | Kind::Group | Kind::Repeat | Kind::Loop { .. } | Kind::Meta | Kind::External(_) => {
                false
            }
        }
    }

    /// The type of the bind, empty where it has none.
    pub fn bind_type(&self) -> &'static str {
        match &self.kind {
            Kind::Question(t) if t.control == "range" && self.has_fractions() => "decimal",
            Kind::Question(t) => t.bind,
            Kind::Select {
                control: "odk:rank", ..
            } => "odk:rank",
            Kind::Select { .. } => "string",
            Kind::Root | Kind::Group | Kind::Repeat | Kind::Loop { .. } | Kind::Meta | Kind::External(_) => {
                ""
            }
        }
    }

    fn has_fractions(&self) -> bool {
        let keys = ["start", "end", "step", "tick_interval", "placeholder"];
        let number = |k: &str| self.parameter(k).and_then(|v| v.parse::<f64>().ok());
        keys.into_iter().filter_map(number).any(|v| v.fract() != 0.0)
    }
}

impl Survey {
    /// Every element under the root, in the order of the form.
    pub fn in_order(&self) -> Vec<usize> {
        let mut out = Vec::new();
        let mut rest: Vec<usize> = self.elements[0].children.iter().rev().copied().collect();
        while let Some(at) = rest.pop() {
            out.push(at);
            rest.extend(self.elements[at].children.iter().rev());
        }
        out
    }

    /// Hangs an element under another.
    pub fn push(&mut self, parent: usize, mut element: Element) -> usize {
        let at = self.elements.len();
        element.parent = Some(parent);
        self.elements.push(element);
        self.elements[parent].children.push(at);
        at
    }

    /// Gives every element its path, and finds each by its name.
    pub fn name_paths(&mut self) {
        self.by_name.clear();
        self.elements[0].path = format!("/{}", self.elements[0].name);
        for at in self.in_order() {
            let above = self.elements[at]
                .parent
                .map_or(String::new(), |p| self.elements[p].path.clone());
            let element = &mut self.elements[at];
            element.path = if element.flat {
                above
            } else {
                format!("{above}/{}", element.name)
            };
            if !matches!(element.kind, Kind::External(_)) {
                self.by_name.entry(element.name.clone()).or_default().push(at);
            }
        }
    }
}
