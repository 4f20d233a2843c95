//! The body of the XForm: what is asked, in groups and repeats.

use super::element::{Element, Kind};
use super::itext::{hint_needs_itext, label_needs_itext};
use super::references::{Style, only_reference};
use super::types::Source;
use super::words::Words;
use super::write::{Writer, escape, write_attributes};
use std::fmt::Write as _;

impl Writer<'_, '_> {
    pub(super) fn body(&mut self, at: usize, out: &mut String) {
        let element = &self.survey.elements[at];
        match &element.kind {
            Kind::Root | Kind::Meta | Kind::External(_) | Kind::Loop { .. } => {}
            Kind::Group => self.group(at, out),
            Kind::Repeat => self.repeat(at, out),
            Kind::Question(_) if !element.is_asked() => {}
            Kind::Question(t) => {
                let mut attributes = self.attributes(at);
                if !t.media.is_empty() {
                    attributes.push(("mediatype".to_owned(), t.media.to_owned()));
                }
                attributes.extend(control_parameters(t.name, element));
                self.control(at, t.control, &attributes, out);
                if let ("range", Some(list)) = (t.control, element.parameter("tick_labelset")) {
                    let nodeset = format!("instance('{list}')/root/item");
                    let label = self.label_of_list(list);
                    itemset(&nodeset, "name", label, out);
                }
                self.end(at, t.control, out);
            }
            Kind::Select { control, list, from } => {
                let mut attributes = self.attributes(at);
                if *from == Source::ExternalSheet {
                    let query = format!("instance('{list}')/root/item{}", self.filter(at));
                    attributes.push(("query".to_owned(), query));
                }
                self.control(at, control, &attributes, out);
                if *from != Source::ExternalSheet {
                    self.itemset(at, list, *from, out);
                }
                self.end(at, control, out);
            }
        }
    }

    fn group(&mut self, at: usize, out: &mut String) {
        let survey = self.survey;
        let element = &survey.elements[at];
        out.push_str("<group");
        if !element.flat {
            let _ = write!(out, " ref=\"{}\"", element.path);
        }
        let attributes = self.attributes(at);
        write_attributes(&attributes, out);
        out.push('>');
        if !element.text("label").is_none() {
            self.label(at, out);
        }
        for child in &element.children {
            self.body(*child, out);
        }
        out.push_str("</group>\n");
    }

    fn repeat(&mut self, at: usize, out: &mut String) {
        let survey = self.survey;
        let element = &survey.elements[at];
        let _ = write!(out, "<group ref=\"{}\">", element.path);
        self.label(at, out);
        let _ = write!(out, "<repeat nodeset=\"{}\"", element.path);
        let mut attributes = self.attributes(at);
        if let Some(count) = element.cell("repeat_count") {
            attributes.push((
                "jr:count".to_owned(),
                self.expression(at, count, Style::default(), "repeat_count"),
            ));
        }
        write_attributes(&attributes, out);
        out.push('>');
        for child in &element.children {
            self.body(*child, out);
        }
        self.new_repeat_defaults(at, out);
        out.push_str("</repeat></group>\n");
    }

    /// The defaults of a fresh copy; inner repeats see to their own.
    fn new_repeat_defaults(&mut self, repeat: usize, out: &mut String) {
        let survey = self.survey;
        let mut rest: Vec<usize> = survey.elements[repeat].children.iter().rev().copied().collect();
        while let Some(at) = rest.pop() {
            if survey.elements[at].is_repeat() {
                continue;
            }
            self.dynamic_default(at, "odk-new-repeat", out);
            rest.extend(survey.elements[at].children.iter().rev());
        }
    }

    /// Attributes of a control that its row names.
    fn attributes(&mut self, at: usize) -> Vec<(String, String)> {
        let element = &self.survey.elements[at];
        let mut out = Vec::new();
        for (key, cell) in &element.cells {
            let name = match key.as_str() {
                "appearance" | "rows" | "autoplay" | "intent" => key.as_str(),
                other => match other.strip_prefix("body::") {
                    Some(name) => name,
                    None => continue,
                },
            };
            let value = match name {
                "appearance" => cell.clone(),
                _ => self.expression(at, cell, Style::default(), key),
            };
            out.push((name.to_owned(), value));
        }
        out
    }

    fn control(&mut self, at: usize, tag: &str, attributes: &[(String, String)], out: &mut String) {
        let element = &self.survey.elements[at];
        let _ = write!(out, "<{tag} ref=\"{}\"", element.path);
        write_attributes(attributes, out);
        out.push('>');
        self.label(at, out);
        if hint_needs_itext(element) {
            let _ = write!(out, "<hint ref=\"jr:itext('{}:hint')\"/>", element.path);
        } else if let Words::Plain(hint) = element.text("hint") {
            let hint = self.mixed(hint, Some(at));
            let _ = write!(out, "<hint>{hint}</hint>");
        }
    }

    fn label(&mut self, at: usize, out: &mut String) {
        let element = &self.survey.elements[at];
        if label_needs_itext(element) {
            let _ = write!(out, "<label ref=\"jr:itext('{}:label')\"/>", element.path);
        } else if let Words::Plain(label) = element.text("label") {
            let label = self.mixed(label, Some(at));
            let _ = write!(out, "<label>{label}</label>");
        } else {
            out.push_str("<label/>");
        }
    }

    fn end(&mut self, at: usize, tag: &str, out: &mut String) {
        for (target, value) in self.triggered.get(&at).cloned().unwrap_or_default() {
            let path = &self.survey.elements[target].path;
            let value = match value.as_str() {
                "" => String::new(),
                value => {
                    let value = self.expression(at, value, Style::default(), "calculation");
                    format!(" value=\"{}\"", escape(&value))
                }
            };
            let _ = write!(
                out,
                "<setvalue ref=\"{path}\" event=\"xforms-value-changed\"{value}/>"
            );
        }
        let _ = writeln!(out, "</{tag}>");
    }

    /// `[...]` of the choice_filter.
    fn filter(&mut self, at: usize) -> String {
        let Some(filter) = self.survey.elements[at].cell("choice_filter") else {
            return String::new();
        };
        let style = Style {
            current: true,
            ..Style::default()
        };
        format!("[{}]", self.expression(at, filter, style, "choice_filter"))
    }

    fn label_of_list(&self, list: &str) -> &'static str {
        if self
            .survey
            .lists
            .get(list)
            .is_some_and(super::choices::List::needs_itext)
        {
            "jr:itext(itextId)"
        } else {
            "label"
        }
    }

    fn itemset(&mut self, at: usize, list: &str, from: Source, out: &mut String) {
        let element = &self.survey.elements[at];
        let (mut nodeset, value, label) = match from {
            Source::Answers => self.answers(at, list),
            Source::File => {
                let (base, extension) = list.rsplit_once('.').unwrap_or((list, ""));
                let defaults = if extension == "geojson" {
                    ("id", "title")
                } else {
                    ("name", "label")
                };
                let value = element.parameter("value").unwrap_or(defaults.0).to_owned();
                let label = element.parameter("label").unwrap_or(defaults.1).to_owned();
                (
                    format!("instance('{base}')/root/item{}", self.filter(at)),
                    value,
                    label,
                )
            }
            Source::Sheet | Source::ExternalSheet => {
                let label = self.label_of_list(list).to_owned();
                (
                    format!("instance('{list}')/root/item{}", self.filter(at)),
                    "name".to_owned(),
                    label,
                )
            }
        };
        if element.parameter("randomize") == Some("true") {
            let seed = element
                .parameter("seed")
                .map(|s| self.expression(at, s, Style::default(), "parameters"));
            let seed = seed.map(|s| format!(", {}", s.trim())).unwrap_or_default();
            nodeset = format!("randomize({nodeset}{seed})");
        }
        itemset(&nodeset, &value, &label, out);
    }

    /// Choices that are answers of a repeat: the copies of the repeat, each shown by the field.
    fn answers(&mut self, at: usize, list: &str) -> (String, String, String) {
        let name = only_reference(list).unwrap_or("");
        let style = Style {
            through_repeat: true,
            ..Style::default()
        };
        let path = self.expression(at, list, style, "type");
        let path = path.trim();
        let nodeset = path.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
        let filter = match self.survey.elements[at].cell("choice_filter") {
            None => format!("./{name} != ''"),
            Some(filter) => {
                let style = Style {
                    current: true,
                    through_repeat: true,
                };
                let filter = self.expression(at, filter, style, "choice_filter");
                filter
                    .replace(&format!("current()/{nodeset}"), ".")
                    .replace(&nodeset, ".")
            }
        };
        (format!("{nodeset}[{filter}]"), name.to_owned(), name.to_owned())
    }
}

fn itemset(nodeset: &str, value: &str, label: &str, out: &mut String) {
    let _ = write!(
        out,
        "<itemset nodeset=\"{}\"><value ref=\"{}\"/><label ref=\"{}\"/></itemset>",
        escape(nodeset),
        escape(value),
        escape(label)
    );
}

/// Parameters that are attributes of the control.
fn control_parameters(type_name: &str, element: &Element) -> Vec<(String, String)> {
    let given = |key: &str, name: &str| Some((name.to_owned(), element.parameter(key)?.to_owned()));
    let mut out: Vec<(String, String)> = Vec::new();
    match type_name {
        "range" => {
            for (key, default) in [("start", "1"), ("end", "10"), ("step", "1")] {
                out.push((
                    key.to_owned(),
                    element.parameter(key).unwrap_or(default).to_owned(),
                ));
            }
            out.extend(given("tick_interval", "odk:tick-interval"));
            out.extend(given("placeholder", "odk:placeholder"));
        }
        "text" => out.extend(given("rows", "rows")),
        "photo" if matches!(element.cell("appearance"), None | Some("annotate")) => {
            out.extend(given("app", "intent"));
        }
        "geopoint" | "geotrace" | "geoshape" => {
            out.extend(given("capture-accuracy", "accuracyThreshold"));
            out.extend(given("warning-accuracy", "unacceptableAccuracyThreshold"));
            out.extend(given("incremental", "incremental"));
        }
        _ => {}
    }
    out
}
