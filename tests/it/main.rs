//! Tests through the outside: the real program, its pages, its files.

mod day;
mod faults;
mod resume;
mod support;
mod tidy;
mod together;
