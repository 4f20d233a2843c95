//! The filled form that comes with a ticket, as a counter sees it.

use std::sync::Arc;

use super::OfficeApp;
use crate::domain::redacted::Redacted;

/// Opens the sealed form of a submission id; slow work and file access are allowed in it.
pub type FormOpener = Arc<dyn Fn(&str) -> FormLook + Send + Sync>;

/// What there is to see of a form.
#[derive(Clone, Debug)]
pub enum FormLook {
    /// The kiosk has not sent it yet.
    NotYet,
    /// It is here and open.
    Ready(FormView),
    /// This ticket has no form, or this office may not open it.
    None,
}

/// An open form.
#[derive(Clone, Debug)]
pub struct FormView {
    /// Name of the procedure.
    pub title: String,
    /// Code of the receipt.
    pub code: String,
    /// Where and when it was made, in words.
    pub made_at: String,
    /// Questions and answers.
    pub rows: Vec<FormRow>,
    /// What the form worked out.
    pub result: Option<FormResult>,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct FormRow {
    /// The question, short.
    pub label: String,
    /// The answer.
    pub value: Redacted<String>,
    /// Whether it is shown only on demand, and on record.
    pub masked: bool,
    /// What was drawn, as the address of a picture.
    pub drawing: Option<Redacted<String>>,
}

/// What the form worked out.
#[derive(Clone, Debug)]
pub struct FormResult {
    /// Good, attention or bad.
    pub tone: Tone,
    /// The outcome.
    pub title: String,
    /// Its reason.
    pub text: String,
}

/// How an outcome is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// In favour of the person.
    Good,
    /// To be looked at.
    Warn,
    /// Against.
    Bad,
}

impl OfficeApp {
    /// The form of a submission; may be slow, call it off the async threads.
    pub fn open_form(&self, submission: &str) -> FormLook {
        match self.forms() {
            Some(open) => open(submission),
            None => FormLook::None,
        }
    }
}
