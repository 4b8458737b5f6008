//! `observatory replay`: judges recorded events without a server.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use clap::builder::FalseyValueParser;
use indicatif::{ProgressBar, ProgressStyle};

use super::replay_journal::{self, Asked};
use super::{Format, Reading, output, recordings, replay_answer};
use crate::input::replay::{self, ReplayCounts, ReplayReport};
use crate::outcome::Status;

/// Judge recorded events by their own timestamps
///
/// Ends with the worst status that an edge had at any time: 0 OK, 3 WARN, 4 NOK; with 5 where no edge
/// has an outcome.
///
/// With --journal it judges again what a server kept in its data directory, from the oldest snapshot on, by the arrivals,
/// the states of inputs and the gaps of the time; with the manifests of the time, or with the one that is named. The
/// server may be running.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  observatory replay shop.toml yesterday.ndjson
  observatory replay shop.toml web.ndjson journal.ndjson --settle --json
  observatory replay shop.toml /var/log/nginx/access.log* journal.ndjson.gz
  observatory replay --journal /var/lib/observatory --transitions
  observatory replay --journal /var/lib/observatory stricter.toml")]
pub(super) struct Replay {
    /// The manifest: a file or a folder whose *.toml are merged
    #[arg(required_unless_present = "journal")]
    manifest: Option<PathBuf>,
    /// Recorded events, one JSON object a line, or logs that an [[input.log]] reads; plain or gzip; - for standard input
    #[arg(required_unless_present = "journal", conflicts_with = "journal", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Judge the journal in this data directory instead of recorded events
    #[arg(long, value_name = "DIR", env = "OBSERVATORY_JOURNAL")]
    journal: Option<PathBuf>,
    /// With --journal: print every change as a line of JSON, with the sequence of its record, instead of the verdicts
    #[arg(long, requires = "journal", env = "OBSERVATORY_TRANSITIONS", value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    transitions: bool,
    /// Judge what is in flight at the end, too
    #[arg(long, env = "OBSERVATORY_SETTLE", value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    settle: bool,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    format: Format,
}

/// How a replay ends, by the worst that it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok = 0,
    Warn = 3,
    Nok = 4,
    Nothing = 5,
}

impl Replay {
    pub(super) fn run(self) -> ExitCode {
        let report = match self.judge() {
            Ok(report) => report,
            Err(exit) => return exit,
        };
        complain(&report.counts);
        let printed = if self.transitions {
            Ok(())
        } else if self.format.json {
            output::answer_json(&replay_answer::streams(&report))
        } else {
            output::answer(&replay_answer::table(&report, output::stdout_colour()))
        };
        printed.err().unwrap_or(ExitCode::from(verdict(&report) as u8))
    }

    fn judge(&self) -> Result<ReplayReport, ExitCode> {
        let dash = |path: &PathBuf| path.as_os_str() == "-";
        if self.manifest.iter().any(dash) && self.files.iter().any(dash) {
            return Err(output::wrong(&"the manifest and the events cannot both come from standard input"));
        }
        let manifest = self.manifest.as_deref().map(super::load).transpose()?;
        if let Some(folder) = &self.journal {
            let (settle, transitions) = (self.settle, self.transitions);
            let instead = manifest.map(|manifest| manifest.system);
            return replay_journal::run(Asked { folder, instead, settle, transitions });
        }
        // Without a journal there is one: the command line asks for it.
        let Some(manifest) = manifest else { return Err(output::wrong(&"name a manifest")) };
        let recordings = recordings::recordings(&manifest.settings, &self.files, self.reading.input.as_deref());
        let recordings = recordings.map_err(|error| output::wrong(&error))?;
        let bar = progress_bar(&self.files);
        let report =
            replay::run(&Arc::new(manifest.system), &recordings, self.settle, &mut |bytes| bar.set_position(bytes));
        bar.finish_and_clear();
        report.map_err(|error| output::fail(&error))
    }
}

/// A bar over all bytes of all files; hidden where standard error is no terminal.
fn progress_bar(files: &[PathBuf]) -> ProgressBar {
    let bytes = files.iter().map(|file| file.metadata().map_or(0, |file| file.len())).sum();
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    let bar = ProgressBar::new(bytes);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Says which lines were refused.
fn complain(counts: &ReplayCounts) {
    for line in &counts.first_rejected {
        output::say(&format!("refused: {}\n", super::text::printable(&line.to_string())));
    }
    let more = counts.rejected.saturating_sub(counts.first_rejected.len() as u64);
    if more > 0 {
        output::say(&format!("refused: {more} more lines\n"));
    }
}

fn verdict(report: &ReplayReport) -> Verdict {
    let worst = report.worst.iter().flatten().max().copied().unwrap_or_default();
    let mut edges = report.board.streams.iter().flat_map(|stream| &stream.edges);
    match worst {
        Status::Nok => Verdict::Nok,
        Status::Warn => Verdict::Warn,
        Status::Ok | Status::Unknown if edges.any(|edge| edge.ledger.decided() > 0) => Verdict::Ok,
        Status::Ok | Status::Unknown => Verdict::Nothing,
    }
}
