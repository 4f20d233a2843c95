//! A compiled form: immutable, shared by every kiosk session that fills it.

use super::compile::{self, Plan};
use super::finding::{Finding, Problems, Severity};
use super::model::Model;
use super::xform;

/// A form that was checked and can be filled.
pub struct Form {
    pub(super) model: Model,
    pub(super) plan: Plan,
    xml: String,
    languages: Vec<String>,
}

impl Form {
    /// Reads a workbook (XLSForm). On success the findings are warnings.
    pub fn from_xlsx(bytes: &[u8]) -> Result<(Form, Vec<Finding>), Vec<Finding>> {
        let (sheets, mut findings) = super::xlsform::convert(bytes)?;
        let (result, problems) = compile_xml(&sheets.xml);
        let mut seen = std::collections::HashSet::new();
        let located = problems
            .0
            .iter()
            .map(|p| sheets.locate(p))
            .filter(|f| seen.insert(f.to_string()));
        findings.extend(located);
        finish(result, findings)
    }

    /// Reads an XForm. On success the findings are warnings.
    pub fn from_xform(xml: &str) -> Result<(Form, Vec<Finding>), Vec<Finding>> {
        let (result, problems) = compile_xml(xml);
        let findings = problems
            .0
            .iter()
            .map(|p| p.place.finding(p.severity, p.message.clone()))
            .collect();
        finish(result, findings)
    }

    /// The identifier that a form keeps through its versions.
    pub fn id(&self) -> &str {
        &self.model.id
    }

    /// How many questions it has when every one of them is asked, repeats once.
    pub fn questions_at_most(&self) -> usize {
        self.model.controls.len()
    }

    /// The version, empty when the author gave none.
    pub fn version(&self) -> &str {
        &self.model.version
    }

    /// The title in a language, or in the default one.
    pub fn title(&self, lang: &str) -> String {
        let itext = &self.model.itext;
        let language = itext.language(lang).unwrap_or(itext.default);
        let translated = itext.entry("form_title", language).and_then(|e| e.plain.as_ref());
        let text: Option<String> = translated.map(|pieces| {
            pieces
                .iter()
                .map(|p| {
                    if let super::model::Piece::Text(t) = p {
                        t.trim()
                    } else {
                        ""
                    }
                })
                .collect()
        });
        text.filter(|t| !t.is_empty())
            .unwrap_or_else(|| self.model.title.clone())
    }

    /// Codes of the languages of the form, the default one first; `es` when the form is not translated.
    pub fn languages(&self) -> &[String] {
        &self.languages
    }

    /// The form as an XForm, the artefact that is stored, hashed and sent to other ODK software.
    pub fn to_xform_xml(&self) -> String {
        self.xml.clone()
    }
}

fn compile_xml(xml: &str) -> (Option<Form>, Problems) {
    let mut problems = Problems::default();
    let Some(model) = xform::read(xml, &mut problems) else {
        return (None, problems);
    };
    let Some(plan) = compile::compile(&model, &mut problems) else {
        return (None, problems);
    };
    let mut languages: Vec<String> = model.itext.languages.iter().map(|l| l.code.clone()).collect();
    if !languages.is_empty() {
        let first = languages.remove(model.itext.default.min(languages.len() - 1));
        languages.insert(0, first);
    }
    for code in &mut languages {
        // pyxform calls the only language of an untranslated form `default`.
        if code == "default" {
            *code = "es".to_owned();
        }
    }
    if languages.is_empty() {
        languages.push("es".to_owned());
    }
    let mut known = std::collections::HashSet::new();
    languages.retain(|l| known.insert(l.clone()));
    (
        Some(Form {
            model,
            plan,
            xml: xml.to_owned(),
            languages,
        }),
        problems,
    )
}

fn finish(form: Option<Form>, findings: Vec<Finding>) -> Result<(Form, Vec<Finding>), Vec<Finding>> {
    match form {
        Some(form) if !findings.iter().any(|f| f.severity == Severity::Error) => Ok((form, findings)),
        _ => Err(findings),
    }
}
