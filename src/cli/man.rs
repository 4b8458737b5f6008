//! `observatory man`: the manual page.

use std::io;
use std::process::ExitCode;

use clap::{Args, Command};

use super::output;

/// Print the manual page
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  observatory man | man -l -
  observatory man > /usr/local/share/man/man1/observatory.1")]
pub(super) struct Man {}

impl Man {
    pub(super) fn run(mut command: Command) -> ExitCode {
        // Fills in what every command inherits.
        command.build();
        match page(command) {
            Ok(page) => output::answer(&String::from_utf8_lossy(&page)).err().unwrap_or(ExitCode::SUCCESS),
            Err(error) => output::fail(&error),
        }
    }
}

/// The page of the whole, with the parts of each command's own page after it.
fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let commands: Vec<_> = command.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect();
    clap_mangen::Man::new(command).render(&mut page)?;
    for command in commands {
        let name = format!(".SH \"OBSERVATORY {}\"\n", command.get_name().to_uppercase());
        page.extend_from_slice(name.as_bytes());
        let man = clap_mangen::Man::new(command);
        let mut parts = Vec::new();
        man.render_synopsis_section(&mut parts)?;
        man.render_description_section(&mut parts)?;
        man.render_options_section(&mut parts)?;
        man.render_extra_section(&mut parts)?;
        // Sections of the command become subsections of the page.
        page.extend_from_slice(
            String::from_utf8_lossy(&parts).replace("\n.SH ", "\n.SS ").replacen(".SH ", ".SS ", 1).as_bytes(),
        );
    }
    Ok(page)
}
