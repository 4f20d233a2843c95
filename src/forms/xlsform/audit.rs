//! Checks of a survey that need the whole of it: references, lists, translations.

use super::choices::Lists;
use super::element::{Element, Kind, Survey};
use super::references::{Part, parts};
use super::says_yes;
use super::survey::TEXTS;
use super::types::Source;
use super::words::Words;
use crate::forms::finding::Finding;
use std::collections::BTreeSet;

impl Survey {
    /// Checks that need the whole tree.
    pub(super) fn check(&mut self, findings: &mut Vec<Finding>) {
        for at in self.in_order() {
            self.check_references(at, findings);
            self.check_kind(at, findings);
            self.check_list(at, findings);
        }
        self.check_repeat_names(findings);
        self.check_unused_lists(findings);
        self.check_translations(findings);
    }

    fn say(&self, at: usize, finding: Finding, key: &str, findings: &mut Vec<Finding>) {
        let element = &self.elements[at];
        let own = matches!(element.parent, Some(p) if matches!(self.elements[p].kind, Kind::Meta));
        let sheet = if own && element.name == "instanceName" {
            "settings"
        } else {
            &self.sheet
        };
        let finding = finding.at(sheet, element.row, element.title(key));
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }

    fn check_references(&self, at: usize, findings: &mut Vec<Finding>) {
        let element = &self.elements[at];
        let texts = element
            .words
            .iter()
            .flat_map(|(k, all)| all.texts().into_iter().map(move |t| (k.as_str(), t)));
        let cells = element.cells.iter().map(|(k, t)| (k.as_str(), t.as_str()));
        let list = match &element.kind {
            Kind::Select {
                list,
                from: Source::Answers,
                ..
            } => Some(("type", list.as_str())),
            _ => None,
        };
        let mut bad: BTreeSet<(String, String)> = BTreeSet::new();
        for (key, text) in cells.chain(texts).chain(list) {
            for part in parts(text) {
                let Part::Field(name, _) = part else { continue };
                if let Err(broken) = self.target(name, at) {
                    bad.insert((key.to_owned(), broken.explain(name)));
                }
            }
        }
        for (key, message) in bad {
            self.say(at, Finding::error(message), &key, findings);
        }
    }

    fn check_kind(&self, at: usize, findings: &mut Vec<Finding>) {
        let element = &self.elements[at];
        let has = |key: &str| element.cells.contains_key(key);
        let mut say = |finding: Finding, key: &str| self.say(at, finding, key, findings);
        match &element.kind {
            Kind::Question(t) if t.name == "calculate" => {
                if !has("calculation")
                    && !has("trigger")
                    && !has("bind::jr:preload")
                    && !is_evaluated(element)
                {
                    say(
                        Finding::error("The calculation is missing; write it or remove the row"),
                        "calculation",
                    );
                }
            }
            Kind::Group | Kind::Repeat => {
                if element.children.is_empty() {
                    say(Finding::warning("The group is empty"), "type");
                }
                for key in ["constraint", "calculation", "default"]
                    .into_iter()
                    .filter(|k| has(k))
                {
                    say(
                        Finding::warning(format!("A group cannot have a {key}; it has no effect")),
                        key,
                    );
                }
                if element.is_repeat() && element.text("label").is_none() {
                    say(
                        Finding::warning("The repeat has no label; the citizen will not know what is added"),
                        "label",
                    );
                }
            }
            Kind::Root | Kind::Meta | Kind::Loop { .. } | Kind::External(_) => {}
            Kind::Question(_) | Kind::Select { .. } => {}
        }
        if element.is_asked() {
            let silent = element.text("label").is_none() && element.media().next().is_none();
            if silent && element.text("hint").is_none() {
                let message = format!(
                    "The question `{}` has no label; write what the citizen reads",
                    element.name
                );
                say(Finding::error(message), "label");
            }
            if element.media().any(|(k, _)| k == "big-image") && !element.media().any(|(k, _)| k == "image") {
                say(
                    Finding::error("A big-image needs an image too; add it"),
                    "media::big-image",
                );
            }
        }
        if !element.is_repeat() && has("repeat_count") {
            say(
                Finding::warning("repeat_count only works on begin repeat"),
                "repeat_count",
            );
        }
        if element.cell("required").is_some_and(says_yes) && has("calculation") {
            let message = "The field is calculated, so the citizen cannot fill it when it is required";
            say(Finding::warning(message), "required");
        }
    }

    fn check_list(&mut self, at: usize, findings: &mut Vec<Finding>) {
        let Kind::Select { list, control, from } = &self.elements[at].kind else {
            return;
        };
        let (name, multiple, from) = (list.clone(), *control == "select", *from);
        match from {
            Source::Answers => {}
            Source::File => {
                if !super::types::is_file(&name) {
                    let message =
                        format!("`{name}` is not the name of a file; it ends in .csv, .xml or .geojson");
                    self.say(at, Finding::error(message), "type", findings);
                }
            }
            Source::ExternalSheet => {
                if self.external.get(&name).is_none() {
                    let message =
                        format!("The list `{name}` is not in the sheet external_choices; add it there");
                    self.say(at, Finding::error(message), "type", findings);
                }
            }
            Source::Sheet => {
                let sheet = self.lists.sheet.clone();
                let Some(found) = self.lists.find(&name) else {
                    let near = nearest(&self.lists, &name)
                        .map(|n| format!(", or write {n}"))
                        .unwrap_or_default();
                    let message =
                        format!("The list `{name}` is not in the choices sheet; add it there{near}");
                    self.say(at, Finding::error(message), "type", findings);
                    return;
                };
                found.used = true;
                for choice in found.choices.iter().filter(|c| multiple && c.name.contains(' ')) {
                    let message = format!(
                        "`{}` is offered in a select_multiple, so its name cannot have spaces; join the words with _",
                        choice.name
                    );
                    findings.push(Finding::error(message).at(&sheet, choice.row, "name"));
                }
            }
        }
    }

    /// Two repeats of one name would be one table where answers are exported.
    fn check_repeat_names(&self, findings: &mut Vec<Finding>) {
        let mut known: Vec<&str> = vec![&self.elements[0].name];
        for at in self.in_order() {
            let element = &self.elements[at];
            if !element.is_repeat() {
                continue;
            }
            if known.contains(&element.name.as_str()) {
                let message = format!(
                    "Another repeat, or the form, is called `{}`; rename one",
                    element.name
                );
                self.say(at, Finding::error(message), "name", findings);
            }
            known.push(&element.name);
        }
    }

    fn check_unused_lists(&self, findings: &mut Vec<Finding>) {
        // A list can also be read by an expression.
        let quoted = |name: &str| {
            let cells = self.elements.iter().flat_map(|e| e.cells.values());
            let mut parameters = self.elements.iter().flat_map(|e| &e.parameters);
            let (single, double) = (format!("'{name}'"), format!("\"{name}\""));
            cells
                .into_iter()
                .any(|c| c.contains(&single) || c.contains(&double))
                || parameters.any(|(k, v)| k == "tick_labelset" && v == name)
        };
        for list in self.lists.lists.iter().filter(|l| !l.used && !quoted(&l.name)) {
            let message = format!("No question uses the list {}", list.name);
            findings.push(Finding::warning(message).at(&self.lists.sheet, list.row, "list_name"));
        }
    }

    fn check_translations(&self, findings: &mut Vec<Finding>) {
        let mut named: BTreeSet<&str> = BTreeSet::new();
        let used = self.lists.lists.iter().filter(|l| l.used);
        let choices: Vec<_> = used.flat_map(|l| &l.choices).collect();
        let labels = self
            .elements
            .iter()
            .map(|e| e.text("label"))
            .chain(choices.iter().map(|c| &c.label));
        for words in labels {
            if let Words::In(all) = words {
                named.extend(all.iter().map(|(l, _)| l.as_str()));
            }
        }
        if named.is_empty() {
            return;
        }
        let mut check = |words: &Words, sheet: &str, row: u32, what: &str| {
            let Words::In(all) = words else { return };
            for language in named.iter().filter(|n| !all.iter().any(|(l, _)| l == *n)) {
                let message =
                    format!("The {what} is missing in {language}; the default language will be shown");
                findings.push(Finding::warning(message).at(sheet, row, &format!("{what}::{language}")));
            }
        };
        for at in self.in_order() {
            let element = &self.elements[at];
            for key in TEXTS.iter().filter(|k| !k.starts_with("media::")) {
                check(element.text(key), &self.sheet, element.row, key);
            }
        }
        for choice in choices {
            check(&choice.label, &self.lists.sheet, choice.row, "label");
        }
    }
}

/// A calculation may hide in the default.
fn is_evaluated(element: &Element) -> bool {
    element
        .cell("default")
        .is_some_and(|d| super::defaults::is_dynamic(d, "string"))
}

fn nearest(lists: &Lists, name: &str) -> Option<String> {
    let score = |n: &str| strsim::jaro_winkler(name, n);
    let names = lists.lists.iter().map(|l| l.name.as_str());
    let best = names.max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(best) > 0.8).then(|| best.to_owned())
}
