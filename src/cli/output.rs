//! What commands print: answers to standard output, complaints to standard error.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;

use super::Exit;

/// Prints an answer. A reader that has seen enough (`| head`) is no failure.
pub(super) fn answer(text: &str) -> Result<(), ExitCode> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            say(&format!("failed to write to standard output: {error}\n"));
            Err(Exit::Failed.into())
        }
        _ => Ok(()),
    }
}

/// Prints an answer in JSON, one line.
pub(super) fn answer_json(value: &impl Serialize) -> Result<(), ExitCode> {
    match serde_json::to_string(value) {
        Ok(text) => answer(&(text + "\n")),
        Err(error) => Err(fail(&error)),
    }
}

/// Says something on standard error.
pub(super) fn say(text: &str) {
    // Where nobody listens on standard error there is nobody to tell.
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

/// Says why a command failed.
pub(super) fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    complain(error);
    Exit::Failed.into()
}

/// Says why a command cannot do what it is told.
pub(super) fn wrong(error: &dyn std::fmt::Display) -> ExitCode {
    complain(error);
    Exit::Wrong.into()
}

fn complain(error: &dyn std::fmt::Display) {
    say(&format!("observatory: {error}\n"));
}

/// Whether standard output may be shown colours.
pub(super) fn stdout_colour() -> bool {
    colour_wanted() && io::stdout().is_terminal()
}

/// Whether standard error may be shown colours.
pub(super) fn stderr_colour() -> bool {
    colour_wanted() && io::stderr().is_terminal()
}

fn colour_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
