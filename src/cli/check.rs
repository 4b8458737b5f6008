//! `observatory check`: validates a manifest, and shows what its rules make of a sample of a log.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::{Exit, Format, Reading, output, sample, source};
use crate::app;
use crate::manifest::{self, Manifest, Problem, Text};

/// Validate a manifest
///
/// Names every problem at once, each with file, line, the line itself, and what to write instead.
/// Ends with 0 where the manifest is good, with 2 where it is not; warnings do not fail.
///
/// With a sample of a log it shows instead which rule of `[[input.log]]` takes each line and what it
/// understands, and ends with 1 where no line is taken.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  observatory check shop.toml
  observatory check /etc/observatory.d --json
  observatory check shop.toml --sample /var/log/nginx/access.log
  journalctl -o json -n 20 | observatory check shop.toml --sample - --input journal")]
pub(super) struct Check {
    /// The manifest: a file, a folder whose *.toml are merged, or - for standard input
    manifest: PathBuf,
    /// A log, plain or gzip, of which to show what the rules understand; - for standard input
    #[arg(long, value_name = "FILE", env = "OBSERVATORY_SAMPLE")]
    sample: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Said<'a> {
    severity: &'static str,
    message: &'a str,
    file: &'a str,
    line: usize,
    rendered: &'a str,
}

#[derive(Serialize)]
struct Answer<'a> {
    ok: bool,
    streams: usize,
    nodes: usize,
    edges: usize,
    problems: Vec<Said<'a>>,
}

impl Check {
    pub(super) fn run(self) -> ExitCode {
        let dash = |path: &PathBuf| path.as_os_str() == "-";
        if dash(&self.manifest) && self.sample.as_ref().is_some_and(dash) {
            return output::wrong(&"the manifest and the sample cannot both come from standard input");
        }
        let text = Text::read(&source(&self.manifest));
        // Whoever tries out rules need not have the server's files.
        let read = if self.sample.is_some() { text.check() } else { text.check_with_files(&app::check_certificate) };
        if let (Ok(manifest), Some(file)) = (&read, &self.sample) {
            return sample::run(manifest, file, self.reading.input.as_deref(), self.format.json);
        }
        let exit = if read.is_ok() { ExitCode::SUCCESS } else { Exit::Wrong.into() };
        let printed = if self.format.json { print_json(&read) } else { print_text(&read) };
        printed.err().unwrap_or(exit)
    }
}

fn edges(manifest: &Manifest) -> usize {
    manifest.system.streams.iter().map(|stream| stream.edges.len()).sum()
}

fn print_text(read: &Result<Manifest, Vec<Problem>>) -> Result<(), ExitCode> {
    let colour = output::stdout_colour();
    let text = match read {
        Ok(manifest) => {
            let said = &manifest.warnings;
            let (streams, nodes) = (manifest.system.streams.len(), manifest.system.nodes.len());
            let summary = format!(
                "good: {}\n",
                counted(&[(streams, "stream"), (nodes, "node"), (edges(manifest), "edge"), (said.len(), "warning"),])
            );
            let gap = if said.is_empty() { "" } else { "\n" };
            manifest::render(said, colour) + gap + &summary
        }
        Err(problems) => {
            manifest::render(problems, colour) + &format!("\nbad: {}\n", counted(&[(problems.len(), "problem")]))
        }
    };
    output::answer(&text)
}

/// Numbers of things in words: `1 stream, 2 nodes`.
fn counted(things: &[(usize, &str)]) -> String {
    let word = |&(count, name): &(usize, &str)| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
    things.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn print_json(read: &Result<Manifest, Vec<Problem>>) -> Result<(), ExitCode> {
    let line = |severity| move |problem: &'_ Problem| -> (&'static str, Problem) { (severity, problem.clone()) };
    let (counts, problems): ([usize; 3], Vec<(&str, Problem)>) = match read {
        Ok(manifest) => {
            let counts = [manifest.system.streams.len(), manifest.system.nodes.len(), edges(manifest)];
            (counts, manifest.warnings.iter().map(line("warning")).collect())
        }
        Err(problems) => ([0; 3], problems.iter().map(line("error")).collect()),
    };
    let problems = problems.iter().map(|(severity, problem)| Said {
        severity,
        message: &problem.message,
        file: &problem.file,
        line: problem.line,
        rendered: &problem.rendered,
    });
    let [streams, nodes, edges] = counts;
    output::answer_json(&Answer { ok: read.is_ok(), streams, nodes, edges, problems: problems.collect() })
}
