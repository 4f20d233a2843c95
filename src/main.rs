//! The `ventanilla` command: reads the arguments and hands over to `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ventanilla::cli::main()
}
