//! A form half filled, as data: to go on after its sheet was saved again.
//!
//! It holds answers and is never written anywhere unsealed.

use super::FormRun;
use super::course::Part;
use crate::domain::redacted::Redacted;
use crate::domain::sketch::Sketch;
use crate::forms::{Engine, QuestionId};

/// Answers by their place in the form, and where the citizen was.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    answers: Vec<(String, Redacted<String>)>,
    /// What was drawn, by its place.
    drawn: Vec<(String, Sketch)>,
    at_counter: Vec<String>,
    /// The question that was asked.
    at: Option<String>,
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
        }
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
