//! `${field}`: found in text, replaced by the path that pyxform would write.
//!
//! Inside a repeat a reference to a field of the same repeat is relative, so that it means the same member of the
//! household; anywhere else it is absolute.

use super::survey::Survey;

/// A piece of a cell.
pub(super) enum Part<'a> {
    Text(&'a str),
    Field(&'a str),
}

/// Cuts a cell at its references.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find("${") {
        let Some(end) = rest[begin..].find('}') else { break };
        if begin > 0 {
            out.push(Part::Text(&rest[..begin]));
        }
        out.push(Part::Field(rest[begin + 2..begin + end].trim()));
        rest = &rest[begin + end + 1..];
    }
    if !rest.is_empty() {
        out.push(Part::Text(rest));
    }
    out
}

/// Why a reference leads nowhere.
pub(super) enum Broken {
    Missing { nearest: Option<String> },
    Ambiguous { paths: Vec<String> },
}

impl Survey {
    /// The path of a reference as seen from an element.
    pub fn path_to(&self, name: &str, from: usize, with_current: bool) -> Result<String, Broken> {
        let target = self.target(name, from)?;
        // The innermost repeat that holds both, the target itself not counting as its own holder.
        let above = |mut at: usize| {
            let mut chain = vec![at];
            while let Some(parent) = self.elements[at].parent {
                chain.push(parent);
                at = parent;
            }
            chain.reverse();
            chain
        };
        let (to, here) = (above(target), above(from));
        let shared = to[..to.len() - 1]
            .iter()
            .zip(&here)
            .take_while(|(a, b)| a == b)
            .count();
        let in_repeat = to[..shared].iter().any(|e| self.elements[*e].is_repeat());
        if !in_repeat {
            return Ok(self.elements[target].path.clone());
        }
        let ups = here.len() - shared;
        let mut steps: Vec<&str> = vec![".."; ups];
        steps.extend(to[shared..].iter().map(|e| self.elements[*e].name.as_str()));
        let prefix = if with_current { "current()/" } else { "" };
        Ok(format!("{prefix}{}", steps.join("/")))
    }

    fn target(&self, name: &str, from: usize) -> Result<usize, Broken> {
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

    /// Replaces the references of an expression. `filter`: the expression is a choice_filter, whose context is the list.
    pub fn expression(&self, text: &str, from: usize, filter: bool) -> Result<String, (String, Broken)> {
        let text = straight_quotes(text);
        let mut out = String::new();
        for part in parts(&text) {
            match part {
                Part::Text(t) => out.push_str(t),
                Part::Field(name) => {
                    let with_current = filter || in_list_predicate(&out);
                    let path = self
                        .path_to(name, from, with_current)
                        .map_err(|b| (name.to_owned(), b))?;
                    out.push_str(&format!(" {path} "));
                }
            }
        }
        Ok(out)
    }
}

/// Whether the text so far ends inside `instance('x')/root/item[...`.
fn in_list_predicate(before: &str) -> bool {
    let mut depth = 0_i32;
    let mut in_list = Vec::new();
    let mut quote = None;
    for (at, c) in before.char_indices() {
        match (quote, c) {
            (Some(q), _) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => {
                depth += 1;
                // The path that the bracket belongs to begins after the last operator, comma or space outside it.
                let path = before[..at]
                    .rfind("instance(")
                    .is_some_and(|i| !before[i..at].contains([',', ' ', '=']));
                in_list.push(path);
            }
            (None, ']') => {
                depth -= 1;
                in_list.pop();
            }
            (None, _) => {}
        }
    }
    depth > 0 && in_list.iter().any(|l| *l)
}

/// Word processors bend quotes; expressions need them straight.
pub(super) fn straight_quotes(text: &str) -> String {
    text.replace(['“', '”'], "\"").replace(['‘', '’'], "'")
}
