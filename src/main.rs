//! The `ventanilla` command.
fn main() {}
