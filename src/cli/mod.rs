//! The command line: one file a command.
//!
//! A flag goes before its `OBSERVATORY_*` variable, that before the manifest, that before the default.

mod check;
mod client;
mod completions;
mod demo;
mod init;
mod key;
mod load;
mod man;
mod output;
mod recordings;
mod replay;
mod replay_answer;
mod replay_journal;
mod sample;
mod send;
mod serve;
mod status;
pub mod text;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::builder::FalseyValueParser;
use clap::{Args, CommandFactory, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::manifest::{self, Manifest, Problem, Source};

/// Shows where the flow of messages through a distributed system is broken.
#[derive(Debug, Parser)]
#[command(name = "observatory", version, about, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Try `observatory demo` first: it shows a system with one OK, one WARN and one NOK edge.")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Check(check::Check),
    Replay(replay::Replay),
    Send(send::Send),
    Status(status::Status),
    Init(init::Init),
    Key(key::Key),
    Load(load::Load),
    Completions(completions::Completions),
    Man(man::Man),
}

/// How much a server says of itself.
#[derive(Debug, Args)]
struct Logging {
    /// How much to log: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", env = "OBSERVATORY_LOG", default_value = "info", value_parser = crate::logging::level)]
    log_level: LevelFilter,
}

/// Where a server listens.
#[derive(Debug, Args)]
struct Listening {
    /// The address to listen on; port 0 takes any that is free [default: the manifest's, else 127.0.0.1:8700]
    #[arg(long, value_name = "ADDR", env = "OBSERVATORY_LISTEN", value_parser = address)]
    listen: Option<SocketAddr>,
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, Args)]
struct Format {
    /// Answer in JSON
    #[arg(long, env = "OBSERVATORY_JSON", value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    json: bool,
}

/// Which input reads a file.
#[derive(Debug, Args)]
struct Reading {
    /// The [[input.log]] whose rules read files that the path of none fits
    #[arg(long, value_name = "NAME", env = "OBSERVATORY_INPUT")]
    input: Option<String>,
}

/// How a command ends where it does not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Any failure that has no number of its own.
    Failed = 1,
    /// The manifest or a flag is wrong.
    Wrong = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Runs the command that the arguments name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    // Who runs a plugin reads 2 as NOK: a wrong flag is UNKNOWN.
    let plugin = arguments.iter().any(|argument| argument == "--plugin");
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody may be left to read it.
            drop(error.print());
            let exit = u8::try_from(error.exit_code()).unwrap_or(2);
            return ExitCode::from(if plugin && exit == 2 { 3 } else { exit });
        }
    };
    // One provider for all of the process; that there is one already is no failure.
    drop(rustls::crypto::ring::default_provider().install_default());
    match cli.command {
        Command::Serve(serve) => serve.run(),
        Command::Demo(demo) => demo.run(),
        Command::Check(check) => check.run(),
        Command::Replay(replay) => replay.run(),
        Command::Send(send) => send.run(),
        Command::Status(status) => status.run(),
        Command::Init(init) => init.run(),
        Command::Key(key) => key.run(),
        Command::Load(load) => load.run(),
        Command::Completions(completions) => completions.run(&mut Cli::command()),
        Command::Man(_) => man::Man::run(Cli::command()),
    }
}

/// Reads an address; a host alone or a port alone is a mistake that is worth a word.
fn address(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().or(Err("write an IP address and a port, like 127.0.0.1:8700 or [::1]:8700".to_owned()))
}

/// Where the manifest of this name is.
fn source(manifest: &std::path::Path) -> Source {
    if manifest.as_os_str() == "-" { Source::Stdin } else { Source::Path(manifest.to_owned()) }
}

/// Reads a manifest for a command that cannot go on without; says all that is wrong with it.
fn load(manifest: &std::path::Path) -> Result<Manifest, ExitCode> {
    good(manifest::load(&source(manifest)))
}

/// A manifest that is good, or all that is wrong with it is said.
fn good(loaded: Result<Manifest, Vec<Problem>>) -> Result<Manifest, ExitCode> {
    loaded.map_err(|problems| {
        output::say(&manifest::render(&problems, output::stderr_colour()));
        Exit::Wrong.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_a_variable() {
        for command in Cli::command().get_subcommands() {
            for flag in command.get_arguments().filter(|argument| argument.get_long().is_some()) {
                let variable = flag.get_env().and_then(|name| name.to_str()).unwrap_or("");
                assert!(variable.starts_with("OBSERVATORY_"), "{} --{}", command.get_name(), flag.get_id());
            }
        }
    }
}
