//! Labels, hints and messages of a workbook as XForm text: inline, or as translations when there are any.

use super::references::{Part, parts};
use super::survey::{Element, explain};
use super::write::{UNNAMED, Writer, escape, escape_text};
use crate::forms::finding::Finding;
use std::fmt::Write as _;

impl Writer<'_, '_> {
    pub(super) fn label(&mut self, at: usize, element: &Element, out: &mut String) {
        let id = format!("{}:label", element.path);
        if let Some(text) = self.text_element(
            "label",
            &id,
            element.text("label"),
            ("short", element.text("review")),
            at,
        ) {
            out.push_str(&text);
        }
    }

    pub(super) fn hint(&mut self, at: usize, element: &Element, out: &mut String) {
        let id = format!("{}:hint", element.path);
        if let Some(text) = self.text_element(
            "hint",
            &id,
            element.text("hint"),
            ("guidance", element.text("guidance_hint")),
            at,
        ) {
            out.push_str(&text);
        }
    }

    fn text_element(
        &mut self,
        tag: &str,
        id: &str,
        texts: &[(Option<String>, String)],
        (form, second): (&str, &[(Option<String>, String)]),
        at: usize,
    ) -> Option<String> {
        if texts.is_empty() && second.is_empty() {
            return None;
        }
        let translated = texts.iter().any(|(l, _)| l.is_some());
        if second.is_empty() && !translated {
            return Some(format!("<{tag}>{}</{tag}>", self.mixed(&texts[0].1, at)));
        }
        if !texts.is_empty() {
            self.keep_text(id, texts, None, at);
        }
        if !second.is_empty() {
            self.keep_text(id, second, Some(form), at);
        }
        Some(format!("<{tag} ref=\"jr:itext('{id}')\"/>"))
    }

    pub(super) fn keep_text(
        &mut self,
        id: &str,
        texts: &[(Option<String>, String)],
        form: Option<&str>,
        at: usize,
    ) {
        for (language, text) in texts {
            let language = language.clone().unwrap_or_else(|| self.unnamed_language());
            let form = form.map(|f| format!(" form=\"{f}\"")).unwrap_or_default();
            let value = format!("<value{form}>{}</value>", self.mixed(text, at));
            if !self.itext.contains_key(id) {
                self.itext_order.push(id.to_owned());
            }
            self.itext
                .entry(id.to_owned())
                .or_default()
                .entry(language)
                .or_default()
                .push_str(&value);
        }
    }

    /// The language that texts without one are in.
    fn unnamed_language(&self) -> String {
        if self.translated && !self.languages.iter().any(|l| l == UNNAMED) {
            self.default.clone()
        } else {
            UNNAMED.to_owned()
        }
    }

    pub(super) fn write_itext(&self, out: &mut String) {
        if self.itext.is_empty() {
            return;
        }
        let mut languages = self.languages.clone();
        if languages.is_empty() {
            languages.push(UNNAMED.to_owned());
        }
        out.push_str("<itext>\n");
        for language in &languages {
            let default = if *language == self.default {
                " default=\"true()\""
            } else {
                ""
            };
            let _ = writeln!(out, "<translation lang=\"{}\"{default}>", escape(language));
            for id in &self.itext_order {
                let value = self.itext.get(id).and_then(|all| all.get(language));
                // Where a language is missing the engine shows the default one; other readers need the entry.
                let value = value.or_else(|| self.itext.get(id).and_then(|all| all.get(&self.default)));
                let value = value.map_or("<value>-</value>", String::as_str);
                let _ = writeln!(out, "<text id=\"{}\">{value}</text>", escape(id));
            }
            out.push_str("</translation>\n");
        }
        out.push_str("</itext>\n");
    }

    /// Text with `<output>` for each reference.
    fn mixed(&mut self, text: &str, at: usize) -> String {
        let mut out = String::new();
        for part in parts(text) {
            match part {
                Part::Text(t) => out.push_str(&escape_text(t)),
                Part::Field(name) => match self.survey.path_to(name, at, false) {
                    Ok(path) => {
                        let _ = write!(out, "<output value=\" {path} \"/>");
                    }
                    Err(broken) => {
                        let row = self.survey.elements[at].row;
                        self.findings.push(Finding::error(explain(name, &broken)).at(
                            &self.survey.sheet,
                            row,
                            "label",
                        ));
                    }
                },
            }
        }
        out
    }
}
