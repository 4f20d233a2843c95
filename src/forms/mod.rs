//! Forms: XLSForm and XForms in, a running form out, with the behaviour of ODK Collect.
//!
//! Pure: no file, no clock, no randomness; everything impure is an argument ([`Env`]). An author's workbook becomes an
//! XForm ([`Form::from_xlsx`]), the XForm becomes a checked model with an order of recalculation ([`Form::from_xform`]),
//! and an [`Engine`] holds one citizen's answers and wipes them when dropped. What an author did wrong is a [`Finding`];
//! a citizen sees only [`Violation`]s with the author's own words.

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
mod tests;

pub use engine::{
    Answer, Choice, Engine, EngineError, Env, Kind, Question, QuestionId, RepeatView, Violation,
};
pub use finding::{Finding, Severity};
pub use form::{Conversion, Files, Form, convert};
pub use walk::{eval, eval_in, walk, walk_form, walk_in};
