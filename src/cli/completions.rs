//! `observatory completions`: for the shell.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use super::output;

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:
  observatory completions bash > ~/.local/share/bash-completion/completions/observatory")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, command: &mut Command) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "observatory", &mut script);
        output::answer(&String::from_utf8_lossy(&script)).err().unwrap_or(ExitCode::SUCCESS)
    }
}
