//! Forms: XLSForm and XForms in, a running form out, with the behaviour of ODK Collect.
//!
//! Pure: no file, no clock, no randomness; everything impure is an argument ([`Env`]). An author's workbook becomes an
//! XForm ([`Form::from_workbook`]), the XForm becomes a checked model with an order of recalculation
//! ([`Form::from_xform`]), and an [`Engine`] holds one citizen's answers and wipes them when dropped. What an author did
//! wrong is a [`Finding`]; a citizen sees only [`Violation`]s with the author's own words.
//!
//! # From a sheet to the answers
//!
//! ```
//! use std::sync::Arc;
//! use ventanilla::forms::{Engine, Env, Form, Violation};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The sheet, compiled once and shared by everybody who fills it.
//! let workbook = std::fs::read("catalogue/quito/procedures/irm.xlsx")?;
//! let (form, warnings) = Form::from_xlsx(&workbook).map_err(|findings| findings[0].to_string())?;
//! assert!(warnings.is_empty());
//! assert_eq!((form.id(), form.languages()), ("irm", &["es".to_owned(), "en".to_owned()][..]));
//!
//! // One citizen's form. The moment, chance and the ids come from outside.
//! let env = Env {
//!     now: "2026-11-24T09:30-05:00[America/Guayaquil]".parse()?,
//!     seed: 7,
//!     instance_id: "0192f0aa-0000-4000-8000-000000000001".to_owned(),
//!     device_id: "Q-01".to_owned(),
//! };
//! let mut engine = Engine::new(Arc::new(form), env)?;
//! engine.set_language("en");
//!
//! // A face shows the questions that there are now, one after the other; an answer may open others.
//! let first = engine.questions()[0];
//! assert_eq!(engine.question(first).label, "Which number do you have at hand?");
//! engine.set(first, "predio")?;
//!
//! // Any answer is kept; whether it may stand is asked apart, and refused in the author's words.
//! let property = engine.questions()[1];
//! engine.set(property, "0512034")?;
//! let Err(Violation::Constraint { message: Some(words) }) = engine.check(property) else {
//!     panic!("no property number begins with zero");
//! };
//! assert_eq!(words, "Check the numbers. There are 1 to 8, with no zeros in front.");
//! engine.set(property, "512034")?;
//! assert_eq!(engine.check(property), Ok(()));
//! engine.set_path("/data/motivo", "comprar")?;
//! assert!(engine.violations().is_empty());
//!
//! // What was answered, for people and for programs.
//! let answers = engine.answers();
//! assert_eq!((answers[1].label.as_str(), answers[1].display.as_str()), ("Property", "512034"));
//! assert!(engine.instance_xml().contains("<numero_predio>512034</numero_predio>"));
//! # Ok(())
//! # }
//! ```
//!
//! A form with lists in other files takes them by name in [`Files`].
//! A workbook for ODK Central or KoboToolbox is made by [`convert`]; a form is filled from a list of steps by [`walk`].
//! Numbers of Ecuador (cédula, RUC, telephone, plate, property) are in [`ecuador`], the sizes beyond which a form is
//! refused in [`limits`].

mod compile;
pub mod ecuador;
mod engine;
mod finding;
mod form;
pub mod limits;
mod model;
mod walk;
mod xform;
mod xlsform;
mod xpath;

#[cfg(test)]
pub(crate) mod tests;

pub use engine::review;
pub use engine::{
    Answer, Choice, CopyOf, Engine, EngineError, Env, Kind, Question, QuestionId, RepeatView, Stop, Violation,
};
pub use finding::{Finding, Severity};
pub use form::{Conversion, Files, Form, convert};
pub use walk::{eval, eval_in, walk, walk_form, walk_in};
