//! Tests of the module as a whole.

mod conformance;
mod findings;
mod hostile;
mod municipal;
pub(crate) mod workbook;
mod workbooks;
