//! Whether an answer may stand: type, required, constraint.

use super::{Engine, QuestionId};
use crate::forms::ecuador;
use crate::forms::model::{ControlKind, DataType};
use crate::forms::xpath::dates;
use crate::forms::xpath::value::parse_number;

/// What is wrong with an answer. The messages are the author's, in the citizen's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// The question must be answered.
    Required {
        /// The author's words, if there are any.
        message: Option<String>,
    },
    /// The answer breaks the rule of the form.
    Constraint {
        /// The author's words, if there are any.
        message: Option<String>,
    },
    /// The answer is not a number, a date or a choice of the list.
    Type,
}

impl Engine {
    /// Checks one question as it stands; one that is not relevant is always right.
    ///
    /// # Errors
    /// What is wrong with its answer, or that there is none where one is needed.
    pub fn check(&self, q: QuestionId) -> Result<(), Violation> {
        let node = q.0;
        let Some(def) = self.instance.def_of(node) else {
            return Ok(());
        };
        if !self.tree().get(node).relevant {
            return Ok(());
        }
        self.budget.set(crate::forms::limits::STEPS);
        let bind = &self.form.model.defs[def].bind;
        let message = |text| Some(self.text_of(text, node)).filter(|m| !m.is_empty());
        if self.instance.text(node).is_empty() {
            // An expression that cannot be evaluated within its budget asks, rather than lets pass.
            let required = bind
                .required
                .as_ref()
                .is_some_and(|e| self.holds(e, node).unwrap_or(true));
            return if required {
                Err(Violation::Required {
                    message: message(&bind.required_message),
                })
            } else {
                Ok(())
            };
        }
        if !self.type_is_right(def, node) {
            return Err(Violation::Type);
        }
        match &bind.constraint {
            Some(expr) if !self.holds(expr, node).unwrap_or(false) => Err(Violation::Constraint {
                message: message(&bind.constraint_message),
            }),
            _ => Ok(()),
        }
    }

    /// Every visible question that stands in the way of submitting.
    pub fn violations(&self) -> Vec<(QuestionId, Violation)> {
        self.questions()
            .into_iter()
            .filter_map(|q| Some((q, self.check(q).err()?)))
            .collect()
    }

    fn type_is_right(&self, def: usize, node: u32) -> bool {
        let text = self.instance.text(node);
        let zone = self.env.now.time_zone();
        let right = match self.form.model.defs[def].bind.data_type {
            DataType::Integer => {
                parse_number(text).fract() == 0.0 && !text.contains(['.', ',']) && text.len() < 16
            }
            DataType::Decimal => parse_number(text).is_finite(),
            DataType::Date => dates::parse_date(text, zone).is_some(),
            DataType::DateTime => dates::parse_moment(text, zone).is_some(),
            DataType::Time => dates::parse_time(text).is_some(),
            DataType::Boolean => matches!(text, "0" | "1" | "true" | "false"),
            DataType::Text | DataType::Barcode | DataType::Binary | DataType::Geo => true,
        };
        right && self.choices_are_offered(def, node)
    }

    fn choices_are_offered(&self, def: usize, node: u32) -> bool {
        let Some(index) = self.form.plan.control_of.get(&def) else {
            return true;
        };
        let control = &self.form.model.controls[*index];
        let text = self.instance.text(node);
        let chosen: Vec<&str> = match control.kind {
            ControlKind::SelectOne => vec![text],
            ControlKind::SelectMultiple | ControlKind::Rank => text.split_whitespace().collect(),
            ControlKind::Trigger => return text == "OK",
            ControlKind::Input | ControlKind::Range | ControlKind::Upload | ControlKind::Secret => {
                return true;
            }
        };
        self.choice_values(control, node)
            .is_ok_and(|offered| chosen.iter().all(|c| offered.iter().any(|o| o == c)))
    }
}

/// The stored form of what was typed: no outer spaces, a decimal point, an ISO date. What cannot be read stays as typed
/// and is reported by [`Engine::check`].
pub(super) fn conform(value: &str, data_type: DataType) -> String {
    match data_type {
        DataType::Integer | DataType::Decimal => {
            let text = value.trim();
            if parse_number(text).is_nan() {
                text.to_owned()
            } else {
                text.replace(',', ".")
            }
        }
        DataType::Date => {
            let text = value.trim();
            // A moment is cut to its day.
            let day = text
                .get(..10)
                .filter(|_| text.get(10..11) == Some("T"))
                .unwrap_or(text);
            ecuador::date(day).map_or_else(|| text.to_owned(), |d| d.to_string())
        }
        DataType::Time | DataType::DateTime | DataType::Boolean => value.trim().to_owned(),
        DataType::Text | DataType::Barcode | DataType::Binary | DataType::Geo => value.to_owned(),
    }
}
