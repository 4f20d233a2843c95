//! Tests of the module as a whole.

mod conformance;
mod findings;
mod municipal;
mod workbook;
mod workbooks;
