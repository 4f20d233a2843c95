//! Tests of the module as a whole.

mod conformance;
mod findings;
mod hostile;
mod municipal;
mod workbook;
mod workbooks;
