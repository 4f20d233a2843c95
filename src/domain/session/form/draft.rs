//! A form half filled, as data: to go on another time, at another kiosk, or after its sheet was saved again.
//!
//! It holds answers and is never written anywhere unsealed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::question::Way;
use super::course::Part;
use super::{FormRun, Notice};
use crate::domain::procedure::ProcedureId;
use crate::domain::redacted::Redacted;
use crate::domain::resume::{DIGITS, DraftId};
use crate::domain::sketch::Sketch;
use crate::domain::ticket::time_text;
use crate::forms::{Engine, QuestionId};
use crate::i18n::Language;

/// Answers by their place in the form, and where the citizen was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Draft {
    answers: Vec<(String, Redacted<String>)>,
    /// What was drawn, by its place.
    drawn: Vec<(String, Sketch)>,
    at_counter: Vec<String>,
    /// The question that was asked.
    at: Option<String>,
    /// Whether every question had been asked once.
    #[serde(default)]
    reviewed: bool,
}

/// A form that its citizen goes on with later: what is sealed for a kiosk and, in words, for a counter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptForm {
    /// How it is written; 1.
    pub v: u32,
    /// The procedure.
    pub procedure: ProcedureId,
    /// Its name in Spanish, as staff read it.
    pub title: String,
    /// The form's id and version.
    pub form: (String, String),
    /// Language in which it was filled.
    pub language: Language,
    /// When it was stopped.
    #[serde(with = "time_text")]
    pub kept_at: Timestamp,
    /// Answers in words, in order.
    pub rows: Vec<KeptRow>,
    /// Answers as the form takes them.
    pub draft: Draft,
}

/// An answer in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptRow {
    /// The question, short.
    pub label: String,
    /// The answer.
    pub value: Redacted<String>,
    /// Whether it is shown masked.
    pub masked: bool,
}

impl FormRun {
    /// The form as it stands.
    pub(in crate::domain::session) fn draft(&self) -> Draft {
        let place = |id: &QuestionId| self.engine.path_of(*id);
        Draft {
            answers: self
                .engine
                .questions()
                .into_iter()
                .map(|id| (place(&id), self.engine.value(id).to_owned()))
                .filter(|(_, value)| !value.is_empty())
                .map(|(path, value)| (path, Redacted::new(value)))
                .collect(),
            drawn: self
                .drawn
                .iter()
                .map(|(id, sketch)| (place(id), sketch.clone()))
                .collect(),
            at_counter: self.at_counter.iter().map(place).collect(),
            at: self.here().as_ref().map(place),
            reviewed: self.from_review || self.here().is_none(),
        }
    }

    /// Whether the citizen answered anything: what would be lost by leaving.
    pub(in crate::domain::session) fn is_begun(&self) -> bool {
        let typed =
            !self.typing.text().is_empty() && self.asked.as_ref().is_some_and(|asked| asked.value.is_empty());
        typed
            || !self.drawn.is_empty()
            || !self.at_counter.is_empty()
            || self.resumed.is_some()
            || self.engine.answers().len() != self.given
    }

    /// The last digits of the identity number in the form, with which its citizen opens it again.
    pub(in crate::domain::session) fn digits(&self) -> Option<Redacted<String>> {
        self.engine.answers().into_iter().find_map(|answer| {
            let is_id = answer.appearance.iter().any(|word| word == "cedula");
            let from = answer.raw.len().checked_sub(DIGITS)?;
            let last = answer.raw.get(from..)?;
            (is_id && self.engine.check(answer.id).is_ok() && last.bytes().all(|b| b.is_ascii_digit()))
                .then(|| Redacted::new(last.to_owned()))
        })
    }

    /// The form as it is sealed; what stands in the field counts where it is an answer.
    pub(in crate::domain::session) fn kept(&mut self, language: Language, now: Timestamp) -> KeptForm {
        if let super::Step::Question(id) = self.step {
            let question = self.asked(id);
            // What is half typed is no answer: it is asked again.
            let _ = self.store(&question, Way::of(&question), language);
        }
        let rows = self.rows(Language::Spanish);
        KeptForm {
            v: 1,
            procedure: self.procedure.clone(),
            title: self.name.get(Language::Spanish).to_owned(),
            form: (self.form.id().to_owned(), self.form.version().to_owned()),
            language,
            kept_at: now,
            rows: rows
                .into_iter()
                .map(|(_, row)| KeptRow {
                    label: row.label.clone(),
                    value: row.value.clone(),
                    masked: row.masked,
                })
                .collect(),
            draft: self.draft(),
        }
    }

    /// The draft that this form was opened from.
    pub(in crate::domain::session) fn resumed(&self) -> Option<DraftId> {
        self.resumed
    }

    /// Goes on where the citizen stopped, and says so; another version of the form keeps what still fits.
    pub(in crate::domain::session) fn resume(&mut self, kept: &KeptForm, id: DraftId, language: Language) {
        let changed = (self.form.id(), self.form.version()) != (kept.form.0.as_str(), kept.form.1.as_str());
        self.restore(&kept.draft);
        if kept.draft.reviewed {
            let there = kept.draft.at.as_ref().and_then(|path| self.engine.at_path(path));
            self.from_review = true;
            if there.is_none() {
                self.review(language);
            }
        }
        self.resumed = Some(id);
        self.notice = Some(Notice::Back { changed });
    }

    /// Answers as before, as far as the form still asks for them, and goes to the question of then.
    pub(in crate::domain::session) fn restore(&mut self, draft: &Draft) {
        for (path, value) in &draft.answers {
            if let Some(id) = grown(&mut self.engine, path) {
                // What the form no longer takes is left out.
                let _ = self.engine.set(id, value.reveal());
            }
        }
        for (path, sketch) in &draft.drawn {
            if let Some(id) = self.engine.at_path(path) {
                self.drawn.insert(id, sketch.clone());
            }
        }
        for path in &draft.at_counter {
            self.at_counter.extend(self.engine.at_path(path));
        }
        let asked = self.engine.questions();
        let there = draft.at.as_ref().and_then(|path| self.engine.at_path(path));
        match there.filter(|id| asked.contains(id)) {
            Some(id) => self.go_to(id),
            None => drop(self.start()),
        }
    }

    /// The first question of the present screen.
    fn here(&self) -> Option<QuestionId> {
        match &self.step {
            super::Step::Question(id) => Some(*id),
            super::Step::Page(path) => self.on_page(path).into_iter().find_map(|part| match part {
                Part::Asks(id) => Some(id),
                Part::Says(_) => None,
            }),
            super::Step::Cards(_) | super::Step::Review { .. } | super::Step::Lane | super::Step::Consent => {
                None
            }
        }
    }
}

/// The field at a path, with the copies of repeats that it needs.
fn grown(engine: &mut Engine, path: &str) -> Option<QuestionId> {
    if let Some(id) = engine.at_path(path) {
        return Some(id);
    }
    let mut at = 0;
    while let Some(open) = path[at..].find('[').map(|open| at + open) {
        let close = open + path[open..].find(']')?;
        let wanted: usize = path[open + 1..close].parse().ok()?;
        let repeat = &path[..open];
        let there = |engine: &Engine| {
            engine
                .repeats()
                .into_iter()
                .find(|one| one.path == repeat)
                .map_or(0, |one| one.copies)
        };
        while there(engine) < wanted {
            engine.add_repeat(repeat).ok()?;
        }
        at = close + 1;
    }
    engine.at_path(path)
}
