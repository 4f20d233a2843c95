//! `${field}`: found in text, replaced by the path that pyxform would write.
//!
//! Inside a repeat a reference to a field of the same repeat is relative, so that it means the same member of the
//! household; anywhere else it is absolute.

use super::element::Survey;

/// A piece of a cell.
pub(super) enum Part<'a> {
    Text(&'a str),
    /// A name and the place of its `$` in the cell.
    Field(&'a str, usize),
}

/// Cuts a cell at its references.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut out = Vec::new();
    let mut done = 0;
    while let Some(begin) = text[done..].find("${").map(|b| b + done) {
        let Some(end) = text[begin..].find('}') else { break };
        if begin > done {
            out.push(Part::Text(&text[done..begin]));
        }
        out.push(Part::Field(text[begin + 2..begin + end].trim(), begin));
        done = begin + end + 1;
    }
    if done < text.len() {
        out.push(Part::Text(&text[done..]));
    }
    out
}

/// The name in a cell that is one reference and nothing else.
pub(super) fn only_reference(text: &str) -> Option<&str> {
    match parts(text.trim()).as_slice() {
        [Part::Field(name, _)] => Some(name),
        _ => None,
    }
}

/// Why a reference leads nowhere.
pub(super) enum Broken {
    Missing {
        nearest: Option<String>,
    },
    Ambiguous {
        paths: Vec<String>,
    },
    /// `${last-saved#field}`
    LastSaved,
}

impl Broken {
    pub fn explain(&self, name: &str) -> String {
        match self {
            Broken::Missing { nearest: Some(near) } => {
                format!("There is no field called `{name}`; perhaps ${{{near}}}")
            }
            Broken::Missing { nearest: None } => {
                format!("There is no field called `{name}`; correct the name or add the field")
            }
            Broken::Ambiguous { paths } => format!(
                "`{name}` is the name of several fields ({}); rename them so that each is unique",
                paths.join(", ")
            ),
            Broken::LastSaved => {
                format!(
                    "`{name}` asks for the answers of the citizen before, which are never kept; remove it"
                )
            }
        }
    }
}

/// How a reference is to be written.
#[derive(Clone, Copy, Default)]
pub(super) struct Style {
    /// The reference stands inside a predicate on a list, where `.` is the choice.
    pub current: bool,
    /// The path must pass through the repeat, so that a predicate can be put on it.
    pub through_repeat: bool,
}

impl Survey {
    /// The path of a reference as seen from an element.
    pub fn path_to(&self, name: &str, from: usize, style: Style) -> Result<String, Broken> {
        let target = self.target(name, from)?;
        let (above_target, above_from) = (self.above(target), self.above(from));
        let shared = above_target
            .iter()
            .zip(&above_from)
            .take_while(|(a, b)| a == b)
            .count();
        let repeat = above_target[..shared]
            .iter()
            .rposition(|e| self.elements[*e].is_repeat());
        let Some(repeat) = repeat else {
            return Ok(self.elements[target].path.clone());
        };
        let mut meeting = shared;
        if style.through_repeat {
            let nearest = |chain: &[usize]| chain.iter().rposition(|e| self.elements[*e].is_repeat());
            let in_repeat = above_target[..repeat]
                .iter()
                .any(|e| self.elements[*e].is_repeat());
            if nearest(&above_target) == Some(repeat) && (!in_repeat || nearest(&above_from) != Some(repeat))
            {
                meeting = repeat;
            }
        }
        let ups = above_from.len() + 1 - meeting;
        let mut steps: Vec<&str> = vec![".."; ups];
        let down = above_target[meeting..]
            .iter()
            .filter(|e| !self.elements[**e].flat);
        steps.extend(down.map(|e| self.elements[*e].name.as_str()));
        steps.push(&self.elements[target].name);
        let prefix = if style.current { "current()/" } else { "" };
        Ok(format!("{prefix}{}", steps.join("/")))
    }

    /// What encloses an element, from the root down.
    fn above(&self, element: usize) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut next = self.elements[element].parent;
        while let Some(at) = next {
            chain.push(at);
            next = self.elements[at].parent;
        }
        chain.reverse();
        chain
    }

    pub fn target(&self, name: &str, from: usize) -> Result<usize, Broken> {
        if name.starts_with("last-saved#") {
            return Err(Broken::LastSaved);
        }
        let found = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        match found {
            [one] => Ok(*one),
            [] => {
                let score = |n: &str| strsim::jaro_winkler(name, n);
                let nearest = self.by_name.keys().max_by(|a, b| score(a).total_cmp(&score(b)));
                Err(Broken::Missing {
                    nearest: nearest.filter(|n| score(n) > 0.8).cloned(),
                })
            }
            many => {
                // A field beside the reference wins over one of the same name elsewhere.
                let parent = self.elements[from].parent;
                let beside: Vec<usize> = many
                    .iter()
                    .copied()
                    .filter(|e| self.elements[*e].parent == parent)
                    .collect();
                match beside.as_slice() {
                    [one] => Ok(*one),
                    _ => Err(Broken::Ambiguous {
                        paths: many.iter().map(|e| self.elements[*e].path.clone()).collect(),
                    }),
                }
            }
        }
    }

    /// Replaces the references of an expression.
    pub fn expression(&self, text: &str, from: usize, style: Style) -> Result<String, (String, Broken)> {
        let mut out = String::new();
        for part in parts(text) {
            match part {
                Part::Text(t) => out.push_str(t),
                Part::Field(name, at) => {
                    let broken = |b| (name.to_owned(), b);
                    let path = if names_all_copies(text, at) {
                        let target = self.target(name, from).map_err(broken)?;
                        self.elements[target].path.clone()
                    } else {
                        let current = style.current || in_list_predicate(text, at);
                        self.path_to(name, from, Style { current, ..style })
                            .map_err(broken)?
                    };
                    out.push_str(&format!(" {path} "));
                }
            }
        }
        Ok(out)
    }
}

/// Whether a place is inside a `[...]` of an expression that reads a list.
fn in_list_predicate(text: &str, at: usize) -> bool {
    let opened = text[..at].rfind('[');
    let closed = text[..at].rfind(']');
    text.contains("instance(") && opened.is_some() && opened > closed && text[at..].contains(']')
}

/// Whether a place is an argument of `indexed-repeat()` that stands for every copy: the field and the repeats.
fn names_all_copies(text: &str, at: usize) -> bool {
    let Some(begin) = text[..at].rfind("indexed-repeat(") else {
        return false;
    };
    let mut depth = 0_usize;
    let mut argument = 0_usize;
    for c in text[begin + "indexed-repeat(".len()..at].chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' if depth == 0 => return false,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => argument += 1,
            _ => {}
        }
    }
    depth == 0 && (argument == 0 || argument % 2 == 1)
}
