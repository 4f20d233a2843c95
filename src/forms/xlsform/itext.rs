//! The translations of a form, gathered in the order in which pyxform gathers them: choices, questions, media, and at
//! last a dash where a language has nothing.

use super::element::{Element, Survey};
use super::words::Words;
use super::write::{Writer, escape};
use std::collections::HashMap;
use std::fmt::Write as _;

/// What stands for a text nobody translated.
const MISSING: &str = "-";

/// The translations by language, then by id.
#[derive(Default)]
pub(super) struct Itext {
    languages: Vec<(String, Translation)>,
}

#[derive(Default)]
struct Translation {
    texts: Vec<(String, Vec<Value>)>,
    at: HashMap<String, usize>,
}

struct Value {
    form: String,
    text: String,
    /// The element whose place references are seen from; choices have none.
    from: Option<usize>,
}

impl Itext {
    fn put(&mut self, language: &str, id: &str, value: Value) {
        let at = match self.languages.iter().position(|(l, _)| l == language) {
            Some(at) => at,
            None => {
                self.languages.push((language.to_owned(), Translation::default()));
                self.languages.len() - 1
            }
        };
        let translation = &mut self.languages[at].1;
        let texts = &mut translation.texts;
        let at = *translation.at.entry(id.to_owned()).or_insert_with(|| {
            texts.push((id.to_owned(), vec![]));
            texts.len() - 1
        });
        let values = &mut texts[at].1;
        match values.iter_mut().find(|v| v.form == value.form) {
            Some(old) => *old = value,
            None => values.push(value),
        }
    }

    fn words(&mut self, words: &Words, default: &str, id: &str, form: &str, from: Option<usize>) {
        for (language, text) in words.by_language(default) {
            let value = Value {
                form: form.to_owned(),
                text: text.to_owned(),
                from,
            };
            self.put(language, id, value);
        }
    }

    /// Every id has the same forms in every language. Media and short forms may be missing.
    fn fill(&mut self) {
        let mut wanted: Vec<(String, Vec<String>)> = Vec::new();
        let mut at: HashMap<String, usize> = HashMap::new();
        for (_, translation) in &self.languages {
            for (id, values) in &translation.texts {
                let slot = *at.entry(id.clone()).or_insert_with(|| {
                    wanted.push((id.clone(), vec![]));
                    wanted.len() - 1
                });
                for value in values
                    .iter()
                    .filter(|v| !wanted[slot].1.contains(&v.form))
                    .collect::<Vec<_>>()
                {
                    wanted[slot].1.push(value.form.clone());
                }
            }
        }
        for (_, translation) in &mut self.languages {
            for (id, forms) in &wanted {
                let texts = &mut translation.texts;
                let at = *translation.at.entry(id.clone()).or_insert_with(|| {
                    texts.push((id.clone(), vec![]));
                    texts.len() - 1
                });
                let values = &mut texts[at].1;
                for form in forms.iter().filter(|f| matches!(f.as_str(), "long" | "guidance")) {
                    if !values.iter().any(|v| v.form == *form) {
                        values.push(Value {
                            form: form.clone(),
                            text: MISSING.to_owned(),
                            from: None,
                        });
                    }
                }
            }
        }
    }
}

/// Whether the label is a reference to a translation.
pub(super) fn label_needs_itext(element: &Element) -> bool {
    let review = !element.text("review").is_none();
    element.text("label").is_translated() || element.media().next().is_some() || review
}

/// Whether the hint is a reference to a translation.
pub(super) fn hint_needs_itext(element: &Element) -> bool {
    element.text("hint").is_translated() || !element.text("guidance_hint").is_none()
}

/// Whether a message of the bind is a reference to a translation.
pub(super) fn message_needs_itext(words: &Words) -> bool {
    words.is_translated() || words.texts().into_iter().any(|t| t.contains("${"))
}

/// Columns of messages, and their attributes.
pub(super) const MESSAGES: &[(&str, &str)] = &[
    ("constraint_message", "jr:constraintMsg"),
    ("required_message", "jr:requiredMsg"),
    ("no_app_error", "jr:noAppErrorString"),
];

/// Gathers the translations of a survey.
pub(super) fn gather(survey: &Survey, title: &Words) -> Itext {
    let mut out = Itext::default();
    let default = survey.default.as_str();
    for list in survey.lists.lists.iter().filter(|l| l.needs_itext()) {
        for (i, choice) in list.choices.iter().enumerate() {
            let id = format!("{}-{i}", list.name);
            out.words(&choice.label, default, &id, "long", None);
            for (kind, words) in &choice.media {
                out.words(words, default, &id, kind, None);
            }
        }
    }
    out.words(title, default, "form_title", "long", None);
    for at in survey.in_order() {
        let element = &survey.elements[at];
        let id = |what: &str| format!("{}:{what}", element.path);
        for (key, attribute) in MESSAGES {
            let words = element.text(key);
            if message_needs_itext(words) {
                out.words(words, default, &id(attribute), "long", Some(at));
            }
        }
        if label_needs_itext(element) {
            out.words(element.text("label"), default, &id("label"), "long", Some(at));
            out.words(element.text("review"), default, &id("label"), "short", Some(at));
        }
        if hint_needs_itext(element) {
            out.words(element.text("hint"), default, &id("hint"), "long", Some(at));
            out.words(
                element.text("guidance_hint"),
                default,
                &id("hint"),
                "guidance",
                Some(at),
            );
        }
    }
    for at in survey.in_order() {
        let element = &survey.elements[at];
        for (kind, words) in element.media() {
            out.words(words, default, &format!("{}:label", element.path), kind, None);
        }
    }
    out.fill();
    out
}

impl Writer<'_, '_> {
    pub(super) fn itext(&mut self, itext: &Itext, out: &mut String) {
        if itext.languages.is_empty() {
            return;
        }
        out.push_str("<itext>\n");
        for (language, translation) in &itext.languages {
            let default = if *language == self.survey.default {
                " default=\"true()\""
            } else {
                ""
            };
            let _ = writeln!(out, "<translation lang=\"{}\"{default}>", escape(language));
            for (id, values) in &translation.texts {
                let _ = write!(out, "<text id=\"{}\">", escape(id));
                for value in values {
                    let folder = match value.form.as_str() {
                        "long" | "guidance" | "short" => String::new(),
                        "image" | "big-image" => "jr://images/".to_owned(),
                        kind => format!("jr://{kind}/"),
                    };
                    let form = match value.form.as_str() {
                        "long" => String::new(),
                        form => format!(" form=\"{form}\""),
                    };
                    let text = self.mixed(&value.text, value.from);
                    let _ = write!(out, "<value{form}>{folder}{text}</value>");
                }
                out.push_str("</text>\n");
            }
            out.push_str("</translation>\n");
        }
        out.push_str("</itext>\n");
    }
}
