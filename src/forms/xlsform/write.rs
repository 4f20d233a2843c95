//! Writes the XForm of a survey, laid out as pyxform does: translations, instances, binds, body.

use super::element::{Element, Kind, Survey};
use super::itext::{self, MESSAGES, message_needs_itext};
use super::references::{Broken, Part, Style, parts};
use super::types::Source;
use super::words::Words;
use super::{Origins, Settings, says_no, says_yes};
use crate::forms::finding::Finding;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const NAMESPACES: &str = "xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" \
     xmlns:ev=\"http://www.w3.org/2001/xml-events\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
     xmlns:jr=\"http://openrosa.org/javarosa\" xmlns:orx=\"http://openrosa.org/xforms\" \
     xmlns:odk=\"http://www.opendatakit.org/xforms\"";

/// Writes the XForm. `name` is what the file is called, for a form without form_id.
pub(super) fn xform(
    survey: &Survey,
    settings: &Settings,
    name: &str,
    findings: &mut Vec<Finding>,
) -> (String, Origins) {
    let mut writer = Writer {
        survey,
        findings,
        origins: Origins::default(),
        triggered: BTreeMap::new(),
    };
    let xml = writer.document(settings, name);
    (xml, writer.origins)
}

pub(super) struct Writer<'a, 'f> {
    pub(super) survey: &'a Survey,
    pub(super) findings: &'f mut Vec<Finding>,
    origins: Origins,
    /// Who sets values when an element changes: targets, and the expressions they are set to.
    pub(super) triggered: BTreeMap<usize, Vec<(usize, String)>>,
}

impl Writer<'_, '_> {
    fn document(&mut self, settings: &Settings, name: &str) -> String {
        let survey = self.survey;
        let get = |key: &str| settings.get(key).map(String::as_str).filter(|v| !v.is_empty());
        let id = get("form_id").unwrap_or(if name.is_empty() { "data" } else { name });
        if get("form_id").is_none() {
            self.findings.push(Finding::warning("The form has no form_id; add it to the settings sheet, as a form without one cannot be replaced by a new version"));
        }
        let title = get("form_title").unwrap_or(id);
        let itext = itext::gather(survey, &translated_title(settings, title, &survey.default));
        self.triggers();
        let mut out = format!(
            "<?xml version=\"1.0\"?>\n<h:html {NAMESPACES}{}>\n<h:head>\n",
            namespaces(settings)
        );
        let _ = writeln!(out, "<h:title>{}</h:title>", escape_text(title));
        out.push_str("<model odk:xforms-version=\"1.0.0\">\n");
        submission(settings, &mut out);
        self.itext(&itext, &mut out);
        let root = &survey.elements[0].name;
        let _ = write!(out, "<instance>\n<{root} id=\"{}\"", escape(id));
        for (key, attribute) in [
            ("version", "version"),
            ("instance_xmlns", "xmlns"),
            ("prefix", "odk:prefix"),
            ("delimiter", "odk:delimiter"),
        ] {
            if let Some(value) = get(key) {
                let _ = write!(out, " {attribute}=\"{}\"", escape(value));
            }
        }
        out.push('>');
        self.instances_of(0, false, &mut out);
        let _ = writeln!(out, "</{root}>\n</instance>");
        self.secondary_instances(&mut out);
        for at in survey.in_order() {
            self.origin(&survey.elements[at]);
            self.bind(at, &mut out);
        }
        let style = get("style")
            .map(|s| format!(" class=\"{}\"", escape(s)))
            .unwrap_or_default();
        let _ = writeln!(out, "</model>\n</h:head>\n<h:body{style}>");
        for child in &survey.elements[0].children {
            self.body(*child, &mut out);
        }
        out.push_str("</h:body>\n</h:html>\n");
        out
    }

    /// Remembers the cells that each part of the XForm came from.
    fn origin(&mut self, element: &Element) {
        let (sheet, row) = match element.name.as_str() {
            "instanceName" => ("settings", 2),
            _ => (self.survey.sheet.as_str(), element.row),
        };
        self.origins.row(&element.path, sheet, row);
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
            ("type", "type"),
        ];
        for (attribute, key) in attributes {
            let title = if element.name == "instanceName" {
                "instance_name"
            } else {
                element.title(key)
            };
            self.origins.cell(&element.path, attribute, sheet, row, title);
        }
    }

    /// An expression with its references replaced.
    pub(super) fn expression(&mut self, at: usize, text: &str, style: Style, key: &str) -> String {
        match self.survey.expression(text, at, style) {
            Ok(expr) => expr,
            Err((name, broken)) => {
                self.broken(at, key, &name, &broken);
                String::new()
            }
        }
    }

    fn broken(&mut self, at: usize, key: &str, name: &str, broken: &Broken) {
        let element = &self.survey.elements[at];
        let sheet = if element.name == "instanceName" {
            "settings"
        } else {
            &self.survey.sheet
        };
        let finding = Finding::error(broken.explain(name)).at(sheet, element.row, element.title(key));
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Text with `<output>` for each reference.
    pub(super) fn mixed(&mut self, text: &str, from: Option<usize>) -> String {
        let mut out = String::new();
        for part in parts(text) {
            match part {
                Part::Text(t) => out.push_str(&escape_text(t)),
                Part::Field(name, _) => {
                    match self.survey.path_to(name, from.unwrap_or(0), Style::default()) {
                        Ok(path) => {
                            let _ = write!(out, "<output value=\" {} \"/>", escape(&path));
                        }
                        Err(broken) => self.broken(from.unwrap_or(0), "label", name, &broken),
                    }
                }
            }
        }
        out
    }

    fn bind(&mut self, at: usize, out: &mut String) {
        let element = &self.survey.elements[at];
        if element.flat || matches!(element.kind, Kind::External(_)) {
            return;
        }
        let mut attributes: Vec<(String, String)> = Vec::new();
        if !element.bind_type().is_empty() && element.cell("bind::type").is_none() {
            attributes.push(("type".to_owned(), element.bind_type().to_owned()));
        }
        if let Kind::Question(t) = &element.kind {
            if t.readonly && element.cell("readonly").is_none() {
                attributes.push(("readonly".to_owned(), "true()".to_owned()));
            }
            if let Some((kind, parameter)) = t.preload {
                attributes.push(("jr:preload".to_owned(), kind.to_owned()));
                attributes.push(("jr:preloadParams".to_owned(), parameter.to_owned()));
            }
            attributes.extend(bind_parameters(t.name, element));
        }
        for (key, attribute) in [
            ("readonly", "readonly"),
            ("relevant", "relevant"),
            ("required", "required"),
            ("constraint", "constraint"),
            ("calculation", "calculate"),
        ] {
            let Some(cell) = element.cell(key) else { continue };
            if key == "calculation" && element.cell("trigger").is_some() {
                continue;
            }
            let cell = if key == "constraint" {
                cell.to_owned()
            } else {
                truth_cell(cell)
            };
            attributes.push((
                attribute.to_owned(),
                self.expression(at, &cell, Style::default(), key),
            ));
        }
        for (key, attribute) in MESSAGES {
            let words = element.text(key);
            if words.is_none() {
                continue;
            }
            let value = if message_needs_itext(words) {
                format!("jr:itext('{}:{attribute}')", element.path)
            } else {
                words.texts().first().map_or(String::new(), |t| (*t).to_owned())
            };
            attributes.push(((*attribute).to_owned(), value));
        }
        for (key, cell) in element.cells.iter() {
            if let Some(attribute) = key.strip_prefix("bind::") {
                let value = self.expression(at, cell, Style::default(), key);
                attributes.push((attribute.to_owned(), value));
            }
        }
        if !attributes.is_empty() {
            let _ = write!(out, "<bind nodeset=\"{}\"", element.path);
            write_attributes(&attributes, out);
            out.push_str("/>\n");
        }
        self.actions(at, out);
    }

    /// Dynamic defaults, and what a device records when the form opens.
    fn actions(&mut self, at: usize, out: &mut String) {
        let element = &self.survey.elements[at];
        if let Kind::Question(t) = &element.kind
            && t.control == "action"
        {
            let (action, event) = match t.name {
                "background-audio" => ("odk:recordaudio", "odk-instance-load"),
                _ => ("odk:setgeopoint", "odk-instance-first-load"),
            };
            let quality = element
                .parameter("quality")
                .map(|q| format!(" odk:quality=\"{}\"", escape(q)));
            let quality = quality.unwrap_or_default();
            let _ = writeln!(
                out,
                "<{action} ref=\"{}\" event=\"{event}\"{quality}/>",
                element.path
            );
        }
        self.dynamic_default(at, "odk-instance-first-load", out);
    }

    pub(super) fn dynamic_default(&mut self, at: usize, event: &str, out: &mut String) {
        let element = &self.survey.elements[at];
        let Some(default) = dynamic(element) else { return };
        let value = self.expression(at, default, Style::default(), "default");
        let (path, value) = (&element.path, escape(&value));
        let _ = writeln!(
            out,
            "<setvalue ref=\"{path}\" event=\"{event}\" value=\"{value}\"/>"
        );
    }

    /// Finds out whose change sets what.
    fn triggers(&mut self) {
        for at in self.survey.in_order() {
            let element = &self.survey.elements[at];
            let Some(trigger) = element.cell("trigger") else {
                continue;
            };
            let value = element.cell("calculation").unwrap_or("").to_owned();
            for part in parts(trigger) {
                let Part::Field(name, _) = part else { continue };
                match self.survey.target(name, at) {
                    Ok(source) if self.survey.elements[source].is_asked() => {
                        self.triggered
                            .entry(source)
                            .or_default()
                            .push((at, value.clone()));
                    }
                    Ok(_) => {
                        let message = format!("`{name}` is not asked, so nobody changes it; name a question");
                        let finding = Finding::error(message).at(
                            &self.survey.sheet,
                            element.row,
                            element.title("trigger"),
                        );
                        self.findings.push(finding);
                    }
                    Err(broken) => self.broken(at, "trigger", name, &broken),
                }
            }
        }
    }

    /// What an element holds, as empty fields. Each repeat is written as a template and a first copy; inside a copy,
    /// inner repeats need no template of their own.
    fn instances_of(&mut self, at: usize, in_copy: bool, out: &mut String) {
        let survey = self.survey;
        for child in &survey.elements[at].children {
            let element = &survey.elements[*child];
            if element.flat {
                self.instances_of(*child, in_copy, out);
            } else if element.is_repeat() && !in_copy {
                self.template(*child, out);
                self.instance(*child, true, out);
            } else {
                self.instance(*child, in_copy, out);
            }
        }
    }

    fn instance(&mut self, at: usize, in_copy: bool, out: &mut String) {
        let element = &self.survey.elements[at];
        let name = &element.name;
        if matches!(element.kind, Kind::External(_)) {
            return;
        }
        let _ = write!(out, "<{name}");
        for (key, cell) in &element.cells {
            if let Some(attribute) = key.strip_prefix("instance::") {
                let value = self.expression(at, cell, Style::default(), key);
                let _ = write!(out, " {attribute}=\"{}\"", escape(&value));
            }
        }
        out.push('>');
        if element.is_section() {
            self.instances_of(at, in_copy, out);
        } else if let Some(default) = element.cell("default").filter(|_| dynamic(element).is_none()) {
            out.push_str(&escape_text(default));
        }
        let _ = write!(out, "</{name}>");
    }

    fn template(&mut self, at: usize, out: &mut String) {
        let survey = self.survey;
        let name = &survey.elements[at].name;
        let _ = write!(out, "<{name} jr:template=\"\">");
        for child in &survey.elements[at].children {
            if survey.elements[*child].is_repeat() {
                self.template(*child, out);
            } else {
                self.instance(*child, false, out);
            }
        }
        let _ = write!(out, "</{name}>");
    }

    /// Lists in other files in the order they are asked for, then those of the choices sheet.
    fn secondary_instances(&mut self, out: &mut String) {
        let mut known: Vec<(String, String)> = Vec::new();
        for at in self.survey.in_order() {
            let element = &self.survey.elements[at];
            for (id, source) in files_of(element) {
                match known.iter().find(|(k, _)| *k == id) {
                    Some((_, s)) if *s == source => {}
                    Some(_) => {
                        let message = format!("Two files would both be the list `{id}`; rename one");
                        let finding = Finding::error(message).at(
                            &self.survey.sheet,
                            element.row,
                            element.title("type"),
                        );
                        self.findings.push(finding);
                    }
                    None => {
                        let _ = writeln!(
                            out,
                            "<instance id=\"{}\" src=\"{}\"/>",
                            escape(&id),
                            escape(&source)
                        );
                        known.push((id, source));
                    }
                }
            }
        }
        let survey = self.survey;
        for list in survey
            .lists
            .lists
            .iter()
            .filter(|l| !known.iter().any(|(id, _)| *id == l.name))
        {
            let itext = list.needs_itext();
            let _ = write!(out, "<instance id=\"{}\"><root>", escape(&list.name));
            for (i, choice) in list.choices.iter().enumerate() {
                out.push_str("<item>");
                let id = format!("{}-{i}", list.name);
                self.origins.row(&id, &survey.lists.sheet, choice.row);
                if itext {
                    let _ = write!(out, "<itextId>{}</itextId>", escape_text(&id));
                }
                let _ = write!(out, "<name>{}</name>", escape_text(&choice.name));
                if let (false, Words::Plain(label)) = (itext, &choice.label) {
                    let _ = write!(out, "<label>{}</label>", escape_text(label));
                }
                for (key, value) in &choice.extra {
                    let _ = write!(out, "<{key}>{}</{key}>", escape_text(value));
                }
                out.push_str("</item>");
            }
            out.push_str("</root></instance>\n");
        }
    }
}

/// The title in every language that has one; the column without language is the title in the default one.
fn translated_title(settings: &Settings, title: &str, default: &str) -> Words {
    let mut all: Vec<(String, String)> = Vec::new();
    for (key, text) in settings {
        if let Some(language) = key.strip_prefix("form_title::") {
            all.push((language.to_owned(), text.clone()));
        }
    }
    all.sort();
    if all.is_empty() {
        return Words::None;
    }
    if !all.iter().any(|(l, _)| l == default) {
        all.push((default.to_owned(), title.to_owned()));
    }
    Words::In(all)
}

/// `esri="http://..."` pairs of the setting `namespaces`.
fn namespaces(settings: &Settings) -> String {
    let written = settings.get("namespaces").map_or("", String::as_str);
    let mut out = String::new();
    for (prefix, uri) in written.split_whitespace().filter_map(|n| n.split_once('=')) {
        let uri = uri.replace(['"', '\''], "");
        if super::choices::is_xml_name(prefix) && !NAMESPACES.contains(&format!("xmlns:{prefix}=")) {
            let _ = write!(out, " xmlns:{prefix}=\"{}\"", escape(&uri));
        }
    }
    out
}

fn submission(settings: &Settings, out: &mut String) {
    let mut attributes: Vec<(String, String)> = Vec::new();
    if let Some(url) = settings.get("submission_url") {
        attributes.push(("action".to_owned(), url.clone()));
        attributes.push(("method".to_owned(), "post".to_owned()));
    }
    for (key, attribute) in [
        ("public_key", "base64RsaPublicKey"),
        ("auto_send", "orx:auto-send"),
        ("auto_delete", "orx:auto-delete"),
    ] {
        attributes.extend(settings.get(key).map(|v| (attribute.to_owned(), v.clone())));
    }
    if settings.get("client_editable").is_some_and(|v| says_yes(v)) {
        attributes.push(("odk:client-editable".to_owned(), "true".to_owned()));
    }
    if !attributes.is_empty() {
        out.push_str("<submission");
        write_attributes(&attributes, out);
        out.push_str("/>\n");
    }
}

/// Parameters that are attributes of the bind.
fn bind_parameters(type_name: &str, element: &Element) -> Vec<(String, String)> {
    let prefix = match type_name {
        "photo" => ("orx:", &["max-pixels"][..]),
        "audio" => ("odk:", &["quality"][..]),
        "geopoint" | "geotrace" | "geoshape" => ("odk:", &["allow-mock-accuracy"][..]),
        "audit" => (
            "odk:",
            &[
                "track-changes",
                "track-changes-reasons",
                "identify-user",
                "location-priority",
                "location-min-interval",
                "location-max-age",
            ][..],
        ),
        _ => return vec![],
    };
    let found = prefix
        .1
        .iter()
        .filter_map(|k| Some((format!("{}{k}", prefix.0), element.parameter(k)?.to_owned())));
    found.collect()
}

/// Lists in other files that an element asks for: their names, and where they are.
fn files_of(element: &Element) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let keys = [
        "calculation",
        "constraint",
        "readonly",
        "required",
        "relevant",
        "choice_filter",
        "default",
    ];
    for cell in keys.into_iter().filter_map(|k| element.cell(k)) {
        for (at, _) in cell.match_indices("pulldata") {
            let rest = cell[at + "pulldata".len()..].trim_start();
            let Some(argument) = rest.strip_prefix('(').and_then(|r| r.split_once(',')) else {
                continue;
            };
            let name = argument.0.replace(['\'', '"'], "").trim().to_owned();
            out.push((name.clone(), format!("jr://file-csv/{name}.csv")));
        }
    }
    match &element.kind {
        Kind::Select {
            list,
            from: Source::File,
            ..
        } => {
            let (name, extension) = list.rsplit_once('.').unwrap_or((list, ""));
            let folder = if extension == "csv" { "file-csv" } else { "file" };
            out.push((name.to_owned(), format!("jr://{folder}/{list}")));
        }
        Kind::External(extension) => {
            let folder = if *extension == "csv" { "file-csv" } else { "file" };
            out.push((
                element.name.clone(),
                format!("jr://{folder}/{}.{extension}", element.name),
            ));
        }
        Kind::Root | Kind::Group | Kind::Repeat | Kind::Loop { .. } | Kind::Meta => {}
        Kind::Question(_) | Kind::Select { .. } => {}
    }
    out
}

/// The default that must be evaluated, if it is one: it refers to a field, calls a function or calculates.
fn dynamic(element: &Element) -> Option<&str> {
    let default = element.cell("default").filter(|_| !element.is_section())?;
    super::defaults::is_dynamic(default, element.bind_type()).then_some(default)
}

/// `true()`, `false()` or the expression as it stands.
pub(super) fn truth_cell(text: &str) -> String {
    let bare = text.trim();
    if bare == "1" || bare == "0" {
        return text.to_owned();
    }
    if says_yes(text) {
        "true()".to_owned()
    } else if says_no(text) {
        "false()".to_owned()
    } else {
        text.to_owned()
    }
}

pub(super) fn write_attributes(attributes: &[(String, String)], out: &mut String) {
    let mut written: Vec<&str> = Vec::new();
    for (name, value) in attributes {
        let right = name.split(':').all(super::choices::is_xml_name);
        if right && !written.contains(&name.as_str()) {
            let _ = write!(out, " {name}=\"{}\"", escape(value));
            written.push(name);
        }
    }
}

/// For attributes: line ends too, which XML would turn into spaces.
pub(super) fn escape(text: &str) -> String {
    escape_text(text)
        .replace('"', "&quot;")
        .replace('\n', "&#10;")
        .replace('\t', "&#9;")
}

pub(super) fn escape_text(text: &str) -> String {
    let allowed = |c: &char| *c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}') || matches!(c, '\t' | '\n');
    let text: String = text.chars().filter(allowed).collect();
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
