//! A compiled form: immutable, shared by every kiosk session that fills it.

use super::compile::{self, Plan};
use super::finding::{Finding, Problems, Severity};
use super::model::Model;
use super::xform;
use std::collections::BTreeMap;

/// The file of external choices.
pub(super) const ITEMSETS: &str = "itemsets.csv";

/// A form that was checked and can be filled.
pub struct Form {
    pub(super) model: Model,
    pub(super) plan: Plan,
    xml: String,
    languages: Vec<String>,
}

/// Files that stand beside a form, by name: the lists of `select_one_from_file`, `pulldata()` and external choices.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A workbook as the XForm that pyxform makes of it.
pub struct Conversion {
    /// The XForm.
    pub xml: String,
    /// `itemsets.csv`, where the workbook has a sheet external_choices; it is kept beside the XForm.
    pub itemsets: Option<String>,
    /// Warnings.
    pub findings: Vec<Finding>,
}

/// Converts a workbook without compiling the result, as pyxform does: an expression may still be nonsense.
///
/// `name` is what the file is called, without its ending; a form without form_id goes by it.
///
/// # Errors
/// What is wrong with the sheets, each finding with its cell, and the warnings among it.
pub fn convert(name: &str, bytes: &[u8]) -> Result<Conversion, Vec<Finding>> {
    let (converted, findings) = super::xlsform::convert(name, bytes)?;
    Ok(Conversion {
        xml: converted.xml,
        itemsets: converted.itemsets,
        findings,
    })
}

impl Form {
    /// Reads a workbook (XLSForm) that needs no other file. On success the findings are warnings.
    ///
    /// # Errors
    /// Everything that keeps it from being published, with sheet, row and column, and the warnings among it.
    pub fn from_xlsx(bytes: &[u8]) -> Result<(Form, Vec<Finding>), Vec<Finding>> {
        Form::from_workbook("", bytes, &Files::new())
    }

    /// Reads a workbook, `.xlsx` or `.xls`, with the files beside it. `name` is what the file is called, without its
    /// ending. On success the findings are warnings.
    ///
    /// # Errors
    /// Everything that keeps it from being published, with sheet, row and column, and the warnings among it.
    pub fn from_workbook(
        name: &str,
        bytes: &[u8],
        files: &Files,
    ) -> Result<(Form, Vec<Finding>), Vec<Finding>> {
        let (sheets, mut findings) = super::xlsform::convert(name, bytes)?;
        let mut files = files.clone();
        if let Some(itemsets) = &sheets.itemsets {
            files.insert(ITEMSETS.to_owned(), itemsets.clone().into_bytes());
        }
        let (result, problems) = compile_xml(&sheets.xml, &files);
        let mut seen = std::collections::HashSet::new();
        let located = problems
            .0
            .iter()
            .map(|p| sheets.locate(p))
            .filter(|f| seen.insert(f.to_string()));
        findings.extend(located);
        finish(result, findings)
    }

    /// Reads an XForm that needs no other file. On success the findings are warnings.
    ///
    /// # Errors
    /// Everything that keeps it from being published, with line and attribute, and the warnings among it.
    pub fn from_xform(xml: &str) -> Result<(Form, Vec<Finding>), Vec<Finding>> {
        Form::from_xform_with(xml, &Files::new())
    }

    /// Reads an XForm with the files beside it. On success the findings are warnings.
    ///
    /// # Errors
    /// Everything that keeps it from being published, with line and attribute, and the warnings among it.
    pub fn from_xform_with(xml: &str, files: &Files) -> Result<(Form, Vec<Finding>), Vec<Finding>> {
        let (result, problems) = compile_xml(xml, files);
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
        let translated = itext
            .entry("form_title", language, false)
            .and_then(|e| e.plain.as_ref());
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

fn compile_xml(xml: &str, files: &Files) -> (Option<Form>, Problems) {
    let mut problems = Problems::default();
    let Some(model) = xform::read(xml, files, &mut problems) else {
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
