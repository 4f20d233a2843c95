//! Checks of a survey that need the whole of it: references, lists, translations.

use super::references::{Part, parts};
use super::survey::{ElementKind, Survey, TEXTS, explain};
use super::{says_no, says_yes};
use crate::forms::finding::Finding;

impl Survey {
    /// Checks that need the whole tree.
    pub(super) fn finish(&mut self, findings: &mut Vec<Finding>) {
        for at in 1..self.elements.len() {
            self.check_references(at, findings);
            self.check_kind(at, findings);
        }
        let lists = &self.lists;
        // A list can also be read by an expression.
        let quoted = |name: &str| {
            let cells = self.elements.iter().flat_map(|e| e.cells.values());
            cells
                .into_iter()
                .any(|c| c.contains(&format!("'{name}'")) || c.contains(&format!("\"{name}\"")))
        };
        for list in lists.lists.iter().filter(|l| !l.used && !quoted(&l.name)) {
            let message = format!("No question uses the list {}", list.name);
            findings.push(Finding::warning(message).at(&lists.sheet, list.row, "list_name"));
        }
        self.check_translations(findings);
    }

    fn title<'a>(&'a self, at: usize, key: &'a str) -> &'a str {
        self.elements[at]
            .titles
            .get(key)
            .map(String::as_str)
            .filter(|t| !t.is_empty())
            .unwrap_or(key)
    }

    fn check_references(&self, at: usize, findings: &mut Vec<Finding>) {
        let element = &self.elements[at];
        let texts = element
            .texts
            .iter()
            .flat_map(|(k, all)| all.iter().map(move |(_, t)| (k.as_str(), t.as_str())));
        let cells = element.cells.iter().map(|(k, t)| (k.as_str(), t.as_str()));
        let mut bad: Vec<(String, String)> = Vec::new();
        for (key, text) in cells.chain(texts) {
            for part in parts(text) {
                let Part::Field(name) = part else { continue };
                if let Err(broken) = self.path_to(name, at, false) {
                    bad.push((key.to_owned(), explain(name, &broken)));
                }
            }
        }
        bad.sort();
        bad.dedup();
        for (key, message) in bad {
            findings.push(Finding::error(message).at(&self.sheet, element.row, self.title(at, &key)));
        }
    }

    fn check_kind(&mut self, at: usize, findings: &mut Vec<Finding>) {
        let element = &self.elements[at];
        let row = element.row;
        let has = |key: &str| element.cells.contains_key(key);
        let required = element.cell("required").is_some_and(|r| !says_no(r));
        let mut say =
            |finding: Finding, key: &str| findings.push(finding.at(&self.sheet, row, self.title(at, key)));
        match &element.kind {
            ElementKind::Question(t) if t.control.is_none() && t.preload.is_none() && !t.hidden => {
                if !has("calculation") && !has("default") && !has("trigger") {
                    say(
                        Finding::error("The calculation is missing; write it or remove the row"),
                        "calculation",
                    );
                }
            }
            ElementKind::Question(t) if t.foreign && required => {
                say(
                    Finding::error("A kiosk cannot ask for this, so nobody could finish; make it optional"),
                    "required",
                );
            }
            ElementKind::Group | ElementKind::Repeat => {
                if element.children.is_empty() {
                    say(Finding::warning("The group is empty"), "type");
                }
                for key in ["constraint", "calculation", "default"] {
                    if has(key) {
                        say(
                            Finding::warning(format!("A group cannot have a {key}; it has no effect")),
                            key,
                        );
                    }
                }
            }
            ElementKind::Select { list, control } => {
                let (list, multiple) = (list.clone(), *control != "select1");
                let sheet = self.lists.sheet.clone();
                match self.lists.lists.iter_mut().find(|l| l.name == list) {
                    Some(found) => {
                        found.used = true;
                        for choice in found
                            .choices
                            .iter()
                            .filter(|c| multiple && c.name.contains(char::is_whitespace))
                        {
                            let message = format!(
                                "`{}` is offered in a select_multiple, so its name cannot have spaces; join the words with _",
                                choice.name
                            );
                            findings.push(Finding::error(message).at(&sheet, choice.row, "name"));
                        }
                    }
                    None => {
                        let names: Vec<&str> = self.lists.lists.iter().map(|l| l.name.as_str()).collect();
                        let score = |n: &str| strsim::jaro_winkler(&list, n);
                        let near = names
                            .into_iter()
                            .max_by(|a, b| score(a).total_cmp(&score(b)))
                            .filter(|n| score(n) > 0.8);
                        let near = near.map(|n| format!(", or write {n}")).unwrap_or_default();
                        let message =
                            format!("The list `{list}` is not in the choices sheet; add it there{near}");
                        findings.push(Finding::error(message).at(&self.sheet, row, self.title(at, "type")));
                    }
                }
            }
            ElementKind::Question(_) | ElementKind::Root => {}
        }
        if !self.elements[at].is_repeat() && self.elements[at].cells.contains_key("repeat_count") {
            let finding = Finding::warning("repeat_count only works on begin repeat");
            findings.push(finding.at(&self.sheet, row, self.title(at, "repeat_count")));
        }
        if self.elements[at].cell("required").is_some_and(says_yes)
            && self.elements[at].cells.contains_key("calculation")
        {
            let finding = Finding::warning(
                "The field is calculated, so the citizen cannot fill it when it is required",
            );
            findings.push(finding.at(&self.sheet, row, self.title(at, "required")));
        }
    }

    fn check_translations(&self, findings: &mut Vec<Finding>) {
        let named: Vec<&String> = self.languages.iter().flatten().collect();
        if named.is_empty() {
            return;
        }
        let mut check = |texts: &[(Option<String>, String)], sheet: &str, row: u32, what: &str| {
            if texts.is_empty() {
                return;
            }
            for language in &named {
                if !texts.iter().any(|(l, _)| l.as_ref() == Some(language)) {
                    let message =
                        format!("The {what} is missing in {language}; the default language will be shown");
                    findings.push(Finding::warning(message).at(sheet, row, &format!("{what}::{language}")));
                }
            }
        };
        for element in &self.elements {
            for key in TEXTS {
                check(element.text(key), &self.sheet, element.row, key);
            }
        }
        for list in self.lists.lists.iter().filter(|l| l.used) {
            for choice in list
                .choices
                .iter()
                .filter(|c| c.labels.iter().any(|(l, _)| l.is_some()))
            {
                check(&choice.labels, &self.lists.sheet, choice.row, "label");
            }
        }
    }
}
