//! The answers as XML, as Collect writes them: what is not relevant is left out.

use super::Engine;
use crate::forms::xpath::dates;
use std::fmt::Write as _;

impl Engine {
    /// The instance to submit. The caller keeps these bytes; writing again gives the same bytes.
    pub fn instance_xml(&self) -> String {
        self.document(None)
    }

    /// The instance to submit, finished at a moment: the fields of type `end` say so.
    pub fn instance_xml_at(&self, end: jiff::Timestamp) -> String {
        let end = end.to_zoned_datetime(self.env.now.time_zone().clone());
        self.document(Some(&dates::moment_text(&end)))
    }

    fn document(&self, end: Option<&str>) -> String {
        let mut out = String::from("<?xml version='1.0' ?>");
        for &root in &self.tree().get(0).children {
            self.write(root, true, end, &mut out);
        }
        out
    }

    fn write(&self, node: u32, is_root: bool, end: Option<&str>, out: &mut String) {
        let Some(def) = self.instance.def_of(node) else {
            return;
        };
        let this = self.tree().get(node);
        if !this.relevant {
            return;
        }
        let field = &self.form.model.defs[def];
        let name = &field.written;
        out.push('<');
        out.push_str(name);
        if is_root {
            for (key, value) in &self.form.model.root_attributes {
                let _ = write!(out, " {key}=\"{}\"", escape(value));
            }
            out.push_str(
                " xmlns:jr=\"http://openrosa.org/javarosa\" xmlns:orx=\"http://openrosa.org/xforms\"",
            );
        }
        let preload = field.bind.preload.as_ref();
        let is_end = preload.is_some_and(|(kind, parameter)| kind == "timestamp" && parameter == "end");
        let text = end.filter(|_| is_end).unwrap_or(&this.text);
        if this.children.is_empty() && text.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        out.push_str(&escape(text));
        for &child in &this.children {
            self.write(child, false, end, out);
        }
        let _ = write!(out, "</{name}>");
    }

    /// Path and value of each field that would be submitted, without positions.
    pub(in crate::forms) fn submitted(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let mut rest: Vec<u32> = self.tree().get(0).children.iter().rev().copied().collect();
        while let Some(node) = rest.pop() {
            let (this, def) = (self.tree().get(node), self.instance.def_of(node));
            let Some(def) = def.filter(|_| this.relevant) else {
                continue;
            };
            let field = &self.form.model.defs[def];
            if field.children.is_empty() {
                out.push((field.path.clone(), this.text.clone()));
            }
            rest.extend(this.children.iter().rev());
        }
        out
    }
}

/// Escapes text; characters that XML 1.0 forbids are dropped.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}
