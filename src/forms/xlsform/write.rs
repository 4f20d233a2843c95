//! Writes the XForm of a survey, laid out as pyxform does.

use super::references::{Part, parts, straight_quotes};
use super::survey::{Element, ElementKind, Survey, explain, truth_cell};
use super::{Origins, Settings};
use crate::forms::finding::Finding;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const NAMESPACES: &str = "xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" \
     xmlns:ev=\"http://www.w3.org/2001/xml-events\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
     xmlns:jr=\"http://openrosa.org/javarosa\" xmlns:orx=\"http://openrosa.org/xforms\" \
     xmlns:odk=\"http://www.opendatakit.org/xforms\"";

/// The language of columns that name none, beside others that do.
pub(super) const UNNAMED: &str = "default";

pub(super) fn xform(survey: &Survey, settings: &Settings, findings: &mut Vec<Finding>) -> (String, Origins) {
    let default = settings.get("default_language").cloned();
    let mut languages: Vec<String> = Vec::new();
    let translated = survey.languages.iter().any(Option::is_some);
    if translated {
        for language in &survey.languages {
            let name = language
                .clone()
                .unwrap_or_else(|| default.clone().unwrap_or_else(|| UNNAMED.to_owned()));
            if !languages.contains(&name) {
                languages.push(name);
            }
        }
    }
    let default = default
        .filter(|d| languages.contains(d))
        .or_else(|| languages.first().cloned());
    let mut writer = Writer {
        survey,
        findings,
        origins: Origins::default(),
        translated,
        default: default.unwrap_or_else(|| UNNAMED.to_owned()),
        languages,
        itext: BTreeMap::new(),
        itext_order: vec![],
        binds: String::new(),
        triggered: BTreeMap::new(),
    };
    let xml = writer.document(settings);
    (xml, writer.origins)
}

pub(super) struct Writer<'a, 'f> {
    pub(super) survey: &'a Survey,
    pub(super) findings: &'f mut Vec<Finding>,
    origins: Origins,
    pub(super) translated: bool,
    pub(super) languages: Vec<String>,
    pub(super) default: String,
    /// `<value>` elements by id and language.
    pub(super) itext: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) itext_order: Vec<String>,
    binds: String,
    /// Actions by the element whose change sets them off.
    triggered: BTreeMap<usize, String>,
}

impl Writer<'_, '_> {
    fn document(&mut self, settings: &Settings) -> String {
        let get = |key: &str| settings.get(key).map(String::as_str).filter(|v| !v.is_empty());
        let title = get("form_title")
            .or(get("form_id"))
            .unwrap_or("Formulario")
            .to_owned();
        let id = match get("form_id") {
            Some(id) => id.to_owned(),
            None => {
                self.findings.push(Finding::warning("The form has no form_id; add it to the settings sheet, as a form without one cannot be replaced by a new version"));
                "data".to_owned()
            }
        };
        let mut titles: Vec<(Option<String>, String)> = self
            .languages
            .iter()
            .filter_map(|l| {
                Some((
                    Some(l.clone()),
                    settings.get(&format!("form_title::{l}"))?.clone(),
                ))
            })
            .collect();
        if !titles.is_empty() {
            // The column without language is the title in the default one.
            if !titles.iter().any(|(l, _)| l.as_ref() == Some(&self.default)) {
                titles.push((Some(self.default.clone()), title.clone()));
            }
            self.keep_text("form_title", &titles, None, 0);
        }
        for (at, element) in self.survey.elements.iter().enumerate().skip(1) {
            self.origin(element);
            self.bind(at, element);
        }
        let lists = self.lists();
        let mut body = String::new();
        for child in &self.survey.elements[0].children {
            self.body(*child, &mut body);
        }
        self.origins.cell(
            "/data/meta/instanceName",
            "calculate",
            "settings",
            2,
            "instance_name",
        );
        let instance_name = get("instance_name").map(|expr| self.expression(0, expr, false, "instance_name"));
        let mut out = format!(
            "<?xml version=\"1.0\"?>\n<h:html {NAMESPACES}>\n<h:head>\n<h:title>{}</h:title>\n",
            escape(&title)
        );
        out.push_str("<model odk:xforms-version=\"1.0.0\">\n");
        if let (Some(key), url) = (get("public_key"), get("submission_url").unwrap_or("")) {
            let _ = writeln!(
                out,
                "<submission action=\"{}\" method=\"post\" base64RsaPublicKey=\"{}\"/>",
                escape(url),
                escape(key)
            );
        }
        self.write_itext(&mut out);
        let version = get("version")
            .map(|v| format!(" version=\"{}\"", escape(v)))
            .unwrap_or_default();
        let _ = write!(out, "<instance>\n<data id=\"{}\"{version}>", escape(&id));
        for child in &self.survey.elements[0].children {
            self.instance(*child, &mut out, true);
        }
        out.push_str("<meta><instanceID/>");
        if instance_name.is_some() {
            out.push_str("<instanceName/>");
        }
        out.push_str("</meta></data>\n</instance>\n");
        out.push_str(&lists);
        out.push_str(&self.binds);
        out.push_str("<bind nodeset=\"/data/meta/instanceID\" type=\"string\" readonly=\"true()\" jr:preload=\"uid\"/>\n");
        if let Some(expr) = instance_name {
            let _ = writeln!(
                out,
                "<bind nodeset=\"/data/meta/instanceName\" type=\"string\" calculate=\"{}\"/>",
                escape(&expr)
            );
        }
        let style = get("style")
            .map(|s| format!(" class=\"{}\"", escape(s)))
            .unwrap_or_default();
        let _ = write!(
            out,
            "</model>\n</h:head>\n<h:body{style}>\n{body}</h:body>\n</h:html>\n"
        );
        out
    }

    fn origin(&mut self, element: &Element) {
        let sheet = &self.survey.sheet;
        self.origins.row(&element.path, sheet, element.row);
        let attributes = [
            ("relevant", "relevant"),
            ("required", "required"),
            ("readonly", "readonly"),
            ("constraint", "constraint"),
            ("calculate", "calculation"),
            ("default", "default"),
            ("choice_filter", "choice_filter"),
            ("count", "repeat_count"),
            ("label", "label"),
            ("hint", "hint"),
            ("constraintMsg", "constraint_message"),
            ("requiredMsg", "required_message"),
        ];
        for (attribute, key) in attributes {
            let title = element
                .titles
                .get(key)
                .map(String::as_str)
                .filter(|t| !t.is_empty())
                .unwrap_or(key);
            self.origins
                .cell(&element.path, attribute, sheet, element.row, title);
        }
    }

    /// An expression with its references replaced.
    fn expression(&mut self, at: usize, text: &str, filter: bool, key: &str) -> String {
        match self.survey.expression(text, at, filter) {
            Ok(expr) => expr,
            Err((name, broken)) => {
                let row = self.survey.elements[at].row;
                let finding = Finding::error(explain(&name, &broken));
                let sheet = if at == 0 { "settings" } else { &self.survey.sheet };
                self.findings.push(finding.at(sheet, row, key));
                String::new()
            }
        }
    }

    fn bind(&mut self, at: usize, element: &Element) {
        let mut out = format!("<bind nodeset=\"{}\"", element.path);
        let mut readonly = element.cell("readonly").map(truth_cell);
        match &element.kind {
            ElementKind::Root => return,
            ElementKind::Group | ElementKind::Repeat => {}
            ElementKind::Select {
                control: "odk:rank", ..
            } => out.push_str(" type=\"odk:rank\""),
            ElementKind::Select { .. } => out.push_str(" type=\"string\""),
            ElementKind::Question(t) => {
                let whole = |p: &(String, String)| p.1.parse::<f64>().is_ok_and(|v| v.fract() == 0.0);
                let decimal = t.control == Some("range") && !parameters(element).iter().all(whole);
                let _ = write!(out, " type=\"{}\"", if decimal { "decimal" } else { t.bind });
                if t.readonly {
                    readonly = Some("true()".to_owned());
                }
                if let Some((kind, parameter)) = t.preload {
                    let _ = write!(out, " jr:preload=\"{kind}\" jr:preloadParams=\"{parameter}\"");
                }
            }
        }
        if let Some(readonly) = readonly {
            let expr = self.expression(at, &readonly, false, "readonly");
            let _ = write!(out, " readonly=\"{}\"", escape(&expr));
        }
        let triggered = element.cell("trigger").is_some();
        for (key, attribute) in [
            ("relevant", "relevant"),
            ("required", "required"),
            ("constraint", "constraint"),
            ("calculation", "calculate"),
        ] {
            let Some(cell) = element.cell(key) else { continue };
            if key == "calculation" && triggered
                || element.children.len() + usize::from(element.is_repeat()) > 0 && key != "relevant"
            {
                continue;
            }
            let cell = if matches!(key, "required" | "relevant") {
                truth_cell(cell)
            } else {
                cell.to_owned()
            };
            let expr = self.expression(at, &cell, false, key);
            let _ = write!(out, " {attribute}=\"{}\"", escape(&expr));
        }
        for (key, attribute) in [
            ("constraint_message", "jr:constraintMsg"),
            ("required_message", "jr:requiredMsg"),
        ] {
            let texts = element.text(key);
            if texts.is_empty() {
                continue;
            }
            let translated = texts.iter().any(|(l, t)| l.is_some() || t.contains("${"));
            let value = if translated {
                let id = format!("{}:{attribute}", element.path);
                self.keep_text(&id, texts, None, at);
                format!("jr:itext('{id}')")
            } else {
                texts[0].1.clone()
            };
            let _ = write!(out, " {attribute}=\"{}\"", escape(&value));
        }
        if out.contains("\" ") || matches!(element.kind, ElementKind::Select { .. }) {
            self.binds.push_str(&out);
            self.binds.push_str("/>\n");
        }
        self.actions(at, element);
    }

    /// Dynamic defaults and triggered calculations.
    fn actions(&mut self, at: usize, element: &Element) {
        if let Some(default) = element.cell("default").filter(|d| is_dynamic(d)) {
            let expr = self.expression(at, default, false, "default");
            let _ = writeln!(
                self.binds,
                "<setvalue ref=\"{}\" event=\"odk-instance-first-load\" value=\"{}\"/>",
                element.path,
                escape(&expr)
            );
        }
        let Some(trigger) = element.cell("trigger") else {
            return;
        };
        for part in parts(trigger) {
            let Part::Field(name) = part else { continue };
            let source = self.survey.by_name.get(name).and_then(|f| f.first()).copied();
            let Some(source) = source else { continue };
            let value = element
                .cell("calculation")
                .map(|c| self.expression(at, c, false, "calculation"));
            let value = value
                .map(|v| format!(" value=\"{}\"", escape(&v)))
                .unwrap_or_default();
            let action = format!(
                "<setvalue ref=\"{}\" event=\"xforms-value-changed\"{value}/>\n",
                element.path
            );
            self.triggered.entry(source).or_default().push_str(&action);
        }
    }

    /// Each repeat is written as a template and a first instance; templates are not repeated inside instances.
    fn instance(&self, at: usize, out: &mut String, templates: bool) {
        let element = &self.survey.elements[at];
        let name = &element.name;
        let children = |out: &mut String, templates: bool| {
            for child in &element.children {
                self.instance(*child, out, templates);
            }
            let _ = write!(out, "</{name}>");
        };
        match element.kind {
            ElementKind::Repeat => {
                if templates {
                    let _ = write!(out, "<{name} jr:template=\"\">");
                    children(out, true);
                }
                let _ = write!(out, "<{name}>");
                children(out, false);
            }
            ElementKind::Group | ElementKind::Root => {
                let _ = write!(out, "<{name}>");
                children(out, templates);
            }
            ElementKind::Question(_) | ElementKind::Select { .. } => {
                let default = element.cell("default").filter(|d| !is_dynamic(d)).unwrap_or("");
                let _ = write!(out, "<{name}>{}</{name}>", escape(default));
            }
        }
    }

    fn lists(&mut self) -> String {
        let mut out = String::new();
        let survey = self.survey;
        for list in &survey.lists.lists {
            let itext = list
                .choices
                .iter()
                .flat_map(|c| &c.labels)
                .any(|(l, t)| l.is_some() || t.contains("${"));
            let _ = write!(out, "<instance id=\"{}\"><root>", escape(&list.name));
            for (i, choice) in list.choices.iter().enumerate() {
                out.push_str("<item>");
                if itext {
                    let id = format!("{}-{i}", list.name);
                    self.origins.row(&id, &survey.lists.sheet, choice.row);
                    self.keep_text(&id, &choice.labels, None, 0);
                    let _ = write!(out, "<itextId>{}</itextId>", escape(&id));
                }
                let _ = write!(out, "<name>{}</name>", escape(&choice.name));
                if !itext {
                    let label = choice.labels.first().map_or("", |(_, t)| t.as_str());
                    let _ = write!(out, "<label>{}</label>", escape(label));
                }
                for (key, value) in &choice.extra {
                    let _ = write!(out, "<{key}>{}</{key}>", escape(value));
                }
                out.push_str("</item>");
            }
            out.push_str("</root></instance>\n");
        }
        out
    }

    fn body(&mut self, at: usize, out: &mut String) {
        let survey = self.survey;
        let element = &survey.elements[at];
        let path = &element.path;
        let appearance = element
            .cell("appearance")
            .map(|a| format!(" appearance=\"{}\"", escape(a)))
            .unwrap_or_default();
        match &element.kind {
            ElementKind::Root => {}
            ElementKind::Group => {
                let _ = write!(out, "<group ref=\"{path}\"{appearance}>");
                self.label(at, element, out);
                for child in &element.children {
                    self.body(*child, out);
                }
                out.push_str("</group>\n");
            }
            ElementKind::Repeat => {
                let _ = write!(out, "<group ref=\"{path}\">");
                self.label(at, element, out);
                let count = element
                    .cell("repeat_count")
                    .map(|c| self.expression(at, c, false, "repeat_count"));
                let count = count
                    .map(|c| format!(" jr:count=\"{}\"", escape(&c)))
                    .unwrap_or_default();
                let _ = write!(out, "<repeat nodeset=\"{path}\"{count}{appearance}>");
                for child in &element.children {
                    self.body(*child, out);
                }
                self.new_repeat_defaults(at, out);
                out.push_str("</repeat></group>\n");
            }
            ElementKind::Question(t) => {
                let Some(control) = t.control else { return };
                let mut extra = appearance;
                if control == "range" {
                    let given = parameters(element);
                    for (key, default) in [("start", "0"), ("end", "10"), ("step", "1")] {
                        let value = given
                            .iter()
                            .find(|(k, _)| k == key)
                            .map_or(default, |(_, v)| v.as_str());
                        let _ = write!(extra, " {key}=\"{}\"", escape(value));
                    }
                }
                if control == "upload" {
                    extra.push_str(" mediatype=\"application/*\"");
                }
                let _ = write!(out, "<{control} ref=\"{path}\"{extra}>");
                self.label(at, element, out);
                self.hint(at, element, out);
                out.push_str(self.triggered.get(&at).map_or("", String::as_str));
                let _ = writeln!(out, "</{control}>");
            }
            ElementKind::Select { control, list } => {
                let _ = write!(out, "<{control} ref=\"{path}\"{appearance}>");
                self.label(at, element, out);
                self.hint(at, element, out);
                self.itemset(at, element, list, out);
                out.push_str(self.triggered.get(&at).map_or("", String::as_str));
                let _ = writeln!(out, "</{control}>");
            }
        }
    }

    fn itemset(&mut self, at: usize, element: &Element, list: &str, out: &mut String) {
        let filter = element
            .cell("choice_filter")
            .map(|f| self.expression(at, f, true, "choice_filter"));
        let filter = filter.map(|f| format!("[{f}]")).unwrap_or_default();
        let mut nodeset = format!("instance('{list}')/root/item{filter}");
        let parameters = parameters(element);
        if parameters
            .iter()
            .any(|(k, v)| k == "randomize" && super::says_yes(v))
        {
            let seed = parameters
                .iter()
                .find(|(k, _)| k == "seed")
                .map(|(_, v)| self.expression(at, v, false, "parameters"));
            let seed = seed.map(|s| format!(", {s}")).unwrap_or_default();
            nodeset = format!("randomize({nodeset}{seed})");
        }
        let choices = self.survey.lists.lists.iter().find(|l| l.name == list);
        let itext = choices.is_some_and(|l| {
            l.choices
                .iter()
                .flat_map(|c| &c.labels)
                .any(|(l, t)| l.is_some() || t.contains("${"))
        });
        let label = if itext { "jr:itext(itextId)" } else { "label" };
        let _ = write!(
            out,
            "<itemset nodeset=\"{}\"><value ref=\"name\"/><label ref=\"{label}\"/></itemset>",
            escape(&nodeset)
        );
    }

    fn new_repeat_defaults(&mut self, repeat: usize, out: &mut String) {
        let survey = self.survey;
        let mut rest: Vec<usize> = survey.elements[repeat].children.iter().rev().copied().collect();
        while let Some(at) = rest.pop() {
            let element = &survey.elements[at];
            if element.is_repeat() {
                continue;
            }
            if let Some(default) = element.cell("default").filter(|d| is_dynamic(d)) {
                let expr = self.expression(at, default, false, "default");
                let _ = write!(
                    out,
                    "<setvalue ref=\"{}\" event=\"odk-new-repeat\" value=\"{}\"/>",
                    element.path,
                    escape(&expr)
                );
            }
            rest.extend(element.children.iter().rev());
        }
    }
}

/// `start=1 end=5`, with commas or semicolons too.
fn parameters(element: &Element) -> Vec<(String, String)> {
    let cell = element.cell("parameters").unwrap_or("");
    let pairs = cell.split([' ', ',', ';']).filter_map(|p| p.split_once('='));
    pairs
        .map(|(k, v)| (k.trim().to_lowercase(), v.trim().to_owned()))
        .collect()
}

/// A default that must be evaluated: it refers to a field or calls a function.
fn is_dynamic(default: &str) -> bool {
    if default.contains("${") {
        return true;
    }
    let text = straight_quotes(default);
    let call = text
        .find('(')
        .is_some_and(|at| text[..at].ends_with(|c: char| c.is_ascii_lowercase()));
    call && text.trim_end().ends_with(')') && crate::forms::xpath::parse(&text).is_ok()
}

/// For attributes: line ends too, which XML would turn into spaces.
pub(super) fn escape(text: &str) -> String {
    escape_text(text).replace('"', "&quot;").replace('\n', "&#10;")
}

pub(super) fn escape_text(text: &str) -> String {
    let allowed = |c: &char| *c >= ' ' || matches!(c, '\t' | '\n');
    let text: String = text.chars().filter(allowed).collect();
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
