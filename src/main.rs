//! The `observatory` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    observatory::cli::run(std::env::args_os())
}
