//! `observatory load`: sends made-up traffic, knows the truth, compares the server's ledgers with it.

mod answer;
mod delays;
mod drive;
mod ledgers;

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use self::answer::Answer;
use self::drive::Drive;
use self::ledgers::{Ledgers, Own, Reader};
use super::client::Credentials;
use super::{Exit, Format, output};
use crate::clock::{Clock, MonotonicClock, SECOND_US, duration_text};
use crate::graph::System;
use crate::load::{EdgeExpected, Faults, Options, Plan, Rate, Rates, Share};
use crate::manifest::duration_us;

/// What is due is on the board, and in the API, this long after it at the latest.
const SHOWN_US: u64 = 2 * SECOND_US;
/// How often the server is asked while something is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The most connections.
const CONNECTIONS_MAX: u64 = 1_000;

/// Send made-up traffic and compare the server's ledgers with the truth
///
/// Messages go over the manifest's graph at a steady rate, whatever the server answers: a slow server does not slow them
/// down, and latencies count from the moment at which an event should have been sent. What the server did not
/// take (503, a lost connection) is sent again. When all deadlines have passed, the ledgers of all edges are read, less what
/// stood there before, and compared with what must stand there. Nobody else should send meanwhile.
///
/// Ends with 0 where they are equal, with 1 where they are not, or the server was not there for too long.
#[derive(Debug, Args)]
#[command(
    after_help = "Faults: a share like 1%, or PLACE=SHARE for one place, as often as you like; the last word counts.

Examples:
  observatory load shop.toml
  observatory load shop.toml --rate 5000 --requests 100000 --batch 500
  observatory load shop.toml --loss 1% --loss web-server/event-processor=5% --late 1% --duplicate 2% --disorder 200ms
  observatory load shop.toml --record acknowledged.ndjson --patience 60s --seed 7"
)]
pub(super) struct Load {
    /// The manifest that the server runs: a file or a folder whose *.toml are merged
    manifest: PathBuf,
    /// Messages that begin in a second
    #[arg(long, value_name = "R", env = "OBSERVATORY_RATE", default_value_t = 100.0)]
    rate: f64,
    /// How many messages begin
    #[arg(long, value_name = "N", env = "OBSERVATORY_REQUESTS", default_value_t = 1_000)]
    requests: u64,
    /// Messages that an edge loses; an edge is written FROM/TO
    #[arg(long, value_name = "[EDGE=]SHARE", env = "OBSERVATORY_LOSS", value_parser = Rate::parse)]
    loss: Vec<Rate>,
    /// Messages that come later than an edge's check allows
    #[arg(long, value_name = "[EDGE=]SHARE", env = "OBSERVATORY_LATE", value_parser = Rate::parse)]
    late: Vec<Rate>,
    /// Messages that a node passes on, but does not report
    #[arg(long, value_name = "[NODE=]SHARE", env = "OBSERVATORY_UNREPORTED", value_parser = Rate::parse)]
    unreported: Vec<Rate>,
    /// Reports that a node sends twice
    #[arg(long, value_name = "[NODE=]SHARE", env = "OBSERVATORY_DUPLICATE", value_parser = Rate::parse)]
    duplicate: Vec<Rate>,
    /// Messages that take an optional edge
    #[arg(long, value_name = "SHARE", env = "OBSERVATORY_OPTIONAL", default_value = "50%", value_parser = Share::parse)]
    optional: Share,
    /// Hold each report back by up to this long, so that they arrive in another order
    #[arg(long, value_name = "TIME", env = "OBSERVATORY_DISORDER", default_value = "0s", value_parser = duration_us)]
    disorder: u64,
    /// Set each node's clock wrong by up to this much, either way
    #[arg(long, value_name = "TIME", env = "OBSERVATORY_SKEW", default_value = "0s", value_parser = duration_us)]
    skew: u64,
    /// The same seed sends the same [default: by chance]. A server that still remembers the tokens of a run must be given another
    #[arg(long, env = "OBSERVATORY_SEED")]
    seed: Option<u64>,
    /// The most events in one request; what is due goes together
    #[arg(long, value_name = "N", env = "OBSERVATORY_BATCH", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    batch: u64,
    /// Connections to the server; one where the manifest has count checks, which go by the order of arrival
    #[arg(long, value_name = "N", env = "OBSERVATORY_CONNECTIONS", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=CONNECTIONS_MAX))]
    connections: u64,
    /// How long the server may not answer, or take nothing
    #[arg(long, value_name = "TIME", env = "OBSERVATORY_PATIENCE", default_value = "10s", value_parser = duration_us)]
    patience: u64,
    /// Wait for deadlines no longer than this; what they would decide may then be in flight [default: for all]
    #[arg(long, value_name = "TIME", env = "OBSERVATORY_WAIT", value_parser = duration_us)]
    wait: Option<u64>,
    /// Write what was acknowledged to a file, one event a line
    #[arg(long, value_name = "FILE", env = "OBSERVATORY_RECORD")]
    record: Option<PathBuf>,
    /// The server
    #[arg(long, value_name = "URL", env = "OBSERVATORY_TO", default_value = "http://127.0.0.1:8700")]
    to: String,
    #[command(flatten)]
    credentials: Credentials,
    #[command(flatten)]
    format: Format,
}

/// Why there is nothing to compare.
enum Stop {
    /// A flag does not fit the manifest.
    Wrong(String),
    /// The server, or the record, failed.
    Failed(String),
}

impl Load {
    pub(super) fn run(self) -> ExitCode {
        let system = match super::load(&self.manifest) {
            Ok(manifest) => manifest.system,
            Err(exit) => return exit,
        };
        let answer = match self.drive(&system) {
            Ok(answer) => answer,
            Err(Stop::Wrong(error)) => return output::wrong(&error),
            Err(Stop::Failed(error)) => return output::fail(&super::text::printable(&error)),
        };
        let printed = if self.format.json {
            output::answer_json(&answer)
        } else {
            output::answer(&answer.text(output::stdout_colour()))
        };
        printed.err().unwrap_or(if answer.equal { ExitCode::SUCCESS } else { Exit::Failed.into() })
    }

    fn drive(&self, system: &System) -> Result<Answer, Stop> {
        let seed = self.seed.unwrap_or_else(|| RandomState::new().hash_one(0_u8) >> 32);
        let plan = Plan::new(system, self.options(seed)).map_err(Stop::Wrong)?;
        let settle_us = plan.settle_us();
        let connections = if plan.is_ordered() { 1 } else { self.connections };
        let client = || self.credentials.client(&self.to, "--to").map_err(Stop::Wrong);
        let clients = (0..connections).map(|_| client()).collect::<Result<_, _>>()?;
        let (client, clock) = (client()?, MonotonicClock::start());
        let reader = Reader { client: &client, clock: &clock, patience_us: self.patience };
        let create = |path: &PathBuf| {
            File::create(path).map_err(|error| Stop::Failed(format!("failed to write {}: {error}", path.display())))
        };
        let drive = Drive {
            clock: &clock,
            seed,
            nodes: system.nodes.iter().map(|node| serde_json::Value::from(node.as_str()).to_string()).collect(),
            batch: self.batch as usize,
            patience_us: self.patience,
            record: self.record.as_ref().map(create).transpose()?.map(Mutex::new),
            bar: progress_bar(self.requests),
        };
        let (own, before) = wait_for_quiet(&reader, system, settle_us).map_err(Stop::Failed)?;
        let (plan, mut tally) = drive.run(plan, clients);
        drive.bar.finish_and_clear();
        if let Some(error) = tally.error.take() {
            let (events, acknowledged) = (tally.events, tally.acknowledged);
            return Err(Stop::Failed(format!(
                "{error}\ngiven up: {acknowledged} of {events} events were acknowledged"
            )));
        }
        let wait_us = self.wait.filter(|&wait_us| wait_us < settle_us);
        wait(&clock, tally.end_us + wait_us.unwrap_or(settle_us));
        tally.sent.waited_us = wait_us;
        let truth = plan.into_truth();
        // By then, who reads must have been shown what is due; a server that is late with it is not waited for.
        let end_us = clock.now_us() + SHOWN_US;
        loop {
            let now = reader.own().map_err(Stop::Failed)?;
            if now.started != own.started && tally.sent.outages_us.is_empty() {
                // It was away while nothing was sent, so nobody knows when.
                tally.sent.outages_us.push((0, clock.now_us()));
            }
            let after = reader.ledgers(system).map_err(Stop::Failed)?;
            let mut expected = truth.expected(system, &tally.sent);
            pass_over_half_groups(&mut expected, &before);
            let answer = Answer::new(system, (self.rate, self.requests, seed), &tally, &expected, (&before, &after));
            if answer.equal || clock.now_us() > end_us {
                return Ok(answer);
            }
            thread::park_timeout(LOOK_EVERY);
        }
    }

    fn options(&self, seed: u64) -> Options {
        let faults = Faults {
            loss: Rates(self.loss.clone()),
            late: Rates(self.late.clone()),
            unreported: Rates(self.unreported.clone()),
            duplicate: Rates(self.duplicate.clone()),
            optional: self.optional,
            disorder_us: self.disorder,
            skew_us: self.skew,
        };
        Options { seed, requests: self.requests, rate: self.rate, faults }
    }
}

/// Waits until the server remembers no message of earlier traffic, but not longer than it may remember one; answers
/// what it says then.
fn wait_for_quiet(reader: &Reader<'_>, system: &System, settle_us: u64) -> Result<(Own, Ledgers), String> {
    let end_us = reader.clock.now_us() + settle_us + SHOWN_US;
    let bar = spinner("waiting until the server has forgotten earlier messages");
    loop {
        let own = reader.own()?;
        if own.tokens == 0 || reader.clock.now_us() > end_us {
            bar.finish_and_clear();
            return Ok((own, reader.ledgers(system)?));
        }
        thread::park_timeout(LOOK_EVERY);
    }
}

/// Waits until this moment.
fn wait(clock: &MonotonicClock, until_us: u64) {
    let bar = spinner("waiting until the deadlines have passed");
    while let Some(left_us @ 1..) = until_us.checked_sub(clock.now_us()) {
        bar.set_message(duration_text(left_us.next_multiple_of(SECOND_US)));
        thread::park_timeout(Duration::from_micros(left_us).min(LOOK_EVERY));
    }
    bar.finish_and_clear();
}

/// A group that was half full before takes our events, too: then groups are not ours to predict.
fn pass_over_half_groups(expected: &mut [Vec<EdgeExpected>], before: &Ledgers) {
    const IN_FLIGHT: usize = 8;
    for (expected, before) in expected.iter_mut().flatten().zip(before.edges.iter().flatten()) {
        if before[IN_FLIGHT] != 0 {
            expected.ignore("not compared: something was in flight here before");
        }
    }
}

/// A bar over all messages; hidden where standard error is no terminal.
fn progress_bar(requests: u64) -> ProgressBar {
    let bar = ProgressBar::new(requests);
    match ProgressStyle::with_template("{bar:40} {pos}/{len} messages {per_sec} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_prefix(what);
    let bar = match ProgressStyle::with_template("{spinner} {prefix} {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    };
    bar.enable_steady_tick(LOOK_EVERY);
    bar
}
