//! What is answered: choices, orders, scales, what is drawn and what is brought.

use super::super::question::{Scale, Way};
use super::super::{AnswerRow, Attachment};
use super::FormRun;
use crate::domain::redacted::Redacted;
use crate::domain::sketch::Point;
use crate::forms::{Answer, Kind, Question, QuestionId};
use crate::i18n::{self, Language};

impl FormRun {
    /// Puts an answer into the form; both are read again.
    fn set(&mut self, id: QuestionId, value: &str) -> bool {
        let taken = self.engine.set(id, value).is_ok();
        self.refresh();
        taken
    }

    /// Stores what was typed, or what the screen showed and nobody changed; says what is wrong with it.
    pub(super) fn store(&mut self, question: &Question, way: Way, language: Language) -> Result<(), String> {
        let wrong = |key: &str| i18n::say(language, key);
        let value = match way {
            // The order that is shown is the answer of whoever goes on.
            Way::Order if question.value.is_empty() => Some(order(question).join(" ")),
            Way::One
            | Way::Several
            | Way::Order
            | Way::Scale
            | Way::Confirm
            | Way::Read
            | Way::Sign
            | Way::Bring => return Ok(()),
            Way::Letters
            | Way::Code
            | Way::Email
            | Way::Digits { .. }
            | Way::Date
            | Way::Time
            | Way::Moment
            | Way::Money
            | Way::Number => way.value(self.typing.text()),
        };
        let Some(value) = value else {
            return Err(wrong(match way {
                Way::Time => "wrong-time",
                Way::Moment => "wrong-moment",
                _ => "wrong-date",
            }));
        };
        if self.set(question.id, &value) {
            Ok(())
        } else {
            Err(wrong("wrong-constraint"))
        }
    }

    /// Chooses, or takes a choice back where several are chosen.
    pub(super) fn choose(&mut self, id: QuestionId, at: usize, language: Language) {
        let question = self.asked(id);
        let way = Way::of(&question);
        let value = match (way, question.choices.get(at)) {
            (Way::Confirm, _) if question.value.is_empty() => "OK".to_owned(),
            (Way::Confirm, _) => String::new(),
            (Way::Several, Some(choice)) => {
                let mut chosen: Vec<&str> = question.value.split_whitespace().collect();
                match chosen.iter().position(|name| *name == choice.name) {
                    Some(there) => {
                        chosen.remove(there);
                    }
                    None => chosen.push(&choice.name),
                }
                chosen.join(" ")
            }
            (Way::One, Some(choice)) => choice.name.clone(),
            (_, _) => return,
        };
        let taken = self.set(id, &value);
        self.typing.wrong = (!taken).then(|| i18n::say(language, "wrong-constraint"));
        // The answer is seen in the list, not behind the keyboard.
        if self.list.is_open() {
            self.list.close();
            self.choice_page = None;
        }
    }

    /// Exchanges two places of an order.
    pub(super) fn rank(&mut self, id: QuestionId, a: usize, b: usize) {
        let question = self.asked(id);
        let mut order = order(&question);
        if Way::of(&question) == Way::Order && a < order.len() && b < order.len() {
            order.swap(a, b);
            let value = order.join(" ");
            self.set(id, &value);
            self.typing.wrong = None;
        }
    }

    /// Sets a scale to so many steps from its start.
    pub(super) fn scale(&mut self, id: QuestionId, at: usize) {
        let question = self.asked(id);
        if Way::of(&question) == Way::Scale {
            let value = Scale::of(&question).value(at);
            self.set(id, &value);
            self.typing.wrong = None;
        }
    }

    /// Adds a stroke to a signature.
    pub(super) fn stroke(&mut self, id: QuestionId, points: &[Point]) {
        let question = self.asked(id);
        if Way::of(&question) != Way::Sign {
            return;
        }
        let sketch = self.drawn.entry(id).or_default();
        sketch.add(points);
        if sketch.is_empty() {
            return;
        }
        self.at_counter.remove(&id);
        let name = file_name(&question);
        self.set(id, &name);
        self.typing.wrong = None;
    }

    /// Takes what was drawn away.
    pub(super) fn erase(&mut self, id: QuestionId) {
        if self.drawn.remove(&id).is_some() {
            self.set(id, "");
        }
    }

    /// It is signed, or brought, at the counter; a second touch takes that back.
    pub(super) fn bring(&mut self, id: QuestionId) {
        let question = self.asked(id);
        if !matches!(Way::of(&question), Way::Sign | Way::Bring) {
            return;
        }
        self.erase(id);
        if !self.at_counter.remove(&id) {
            self.at_counter.insert(id);
        }
        self.typing.wrong = None;
    }

    /// Every answer as the review shows it, with the question it belongs to.
    pub(super) fn rows(&self, language: Language) -> Vec<(QuestionId, AnswerRow)> {
        let questions = self.engine.questions();
        let counter: Vec<QuestionId> = questions
            .into_iter()
            .filter(|id| self.at_counter.contains(id) && self.engine.value(*id).is_empty())
            .collect();
        let mut rows: Vec<(QuestionId, AnswerRow)> = self
            .engine
            .answers()
            .into_iter()
            .map(|answer| (answer.id, answer_row(answer, language)))
            .collect();
        if counter.is_empty() {
            return rows;
        }
        for id in counter {
            let answer = self.engine.answer(id);
            let key = if answer.kind == Kind::Signature {
                "form-signs-at-counter"
            } else {
                "form-brings-to-counter"
            };
            let row = AnswerRow {
                value: Redacted::new(i18n::say(language, key)),
                at_counter: true,
                ..answer_row(answer, language)
            };
            rows.push((id, row));
        }
        let order = self.engine.questions();
        rows.sort_by_key(|(id, _)| order.iter().position(|other| other == id));
        rows
    }

    /// What goes with the submission: signatures of questions that are still asked.
    pub(super) fn attachments(&self) -> Vec<Attachment> {
        self.engine
            .questions()
            .into_iter()
            .filter_map(|id| {
                let sketch = self.drawn.get(&id)?;
                Some(Attachment {
                    name: self.engine.value(id).to_owned(),
                    media_type: "image/svg+xml",
                    data: Redacted::new(sketch.svg()),
                })
            })
            .filter(|file| !file.name.is_empty())
            .collect()
    }
}

/// The choices of a ranking in the order that was made, with those that nobody placed behind.
pub(super) fn order(question: &Question) -> Vec<String> {
    let mut order: Vec<String> = question
        .value
        .split_whitespace()
        .filter(|name| question.choices.iter().any(|choice| choice.name == *name))
        .map(str::to_owned)
        .collect();
    for choice in &question.choices {
        if !order.contains(&choice.name) {
            order.push(choice.name.clone());
        }
    }
    order
}

/// A name from the question, never from what somebody said; its number keeps copies of a repeat apart.
fn file_name(question: &Question) -> String {
    format!("{}-{}.svg", question.name, question.id.index())
}

fn answer_row(answer: Answer, language: Language) -> AnswerRow {
    let looks = |names: &[&str]| {
        answer
            .appearance
            .iter()
            .any(|appearance| names.contains(&appearance.as_str()))
    };
    AnswerRow {
        masked: looks(&["cedula", "ruc", "phone", "masked"]),
        // Amounts, years, numbers and choices; never a story, a name, an address or a telephone.
        on_paper: looks(&["cedula", "ruc", "money", "predio", "year"])
            || matches!(answer.kind, Kind::Decimal),
        at_counter: false,
        signs: answer.kind == Kind::Signature,
        value: Redacted::new(match answer.kind {
            Kind::Acknowledge => i18n::say(language, "form-confirmed"),
            Kind::Signature => i18n::say(language, "form-signed"),
            _ => answer.display,
        }),
        name: answer.name,
        label: answer.label,
    }
}
