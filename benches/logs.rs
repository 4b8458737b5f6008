//! How fast are logs read, from a file on disk to the outcomes, beside `grep -c` of the rule's leading literal?
//!
//! `cargo bench --bench logs [-- EVENTS]`. A rule of literals and fields is held against `LC_ALL=C grep -c PREFIX FILE | cat`,
//! a rule that needs a regular expression against the bare captures of the same one. All in turns within one run; a wrong
//! verdict fails, and so does a ratio below its floor.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures time and prints it")]

mod common {
    pub(crate) mod arguments;
    pub(crate) mod picture;
    pub(crate) mod random;
    pub(crate) mod system;
    pub(crate) mod truth;
    #[expect(dead_code, reason = "logs have lines of their own")]
    pub(crate) mod workload;
}

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use common::arguments::size;
use common::picture::NODES;
use common::system::system;
use common::truth::differences;
use common::workload::Workload;
use observatory::clock::Moment;
use observatory::graph::{NodeIndex, System};
use observatory::input::recording::Recording;
use observatory::input::replay;
use observatory::input::rules::{Line, LineReader, Lines, RuleSet, RuleText, Unit};
use regex::Regex;

/// Lines a second to their outcomes, to those that `grep -c` counts.
const GREP_FLOOR: f64 = 0.25;
/// The same for any rule, to bare captures of its expression.
const REGEX_FLOOR: f64 = 0.8;
const ROUNDS: usize = 7;

/// What every line begins with.
const PREFIX: &str = "shop access ";
/// A rule of literals and fields.
const SIMPLE: &str =
    r#"^shop access (?<timestamp>\S+) (?<node>\S+) \d+ "[^"]*" "[^"]*" "[^"]*" took=\S+ req=(?<token>[0-9a-f]{32})$"#;
/// One that only a regular expression can read.
const ANY: &str = r#"^shop access (?<timestamp>\S+) (?<node>\S+) (?:200|404) "(?:GET|POST) [^"]*" "[^"]*" "[^"]*" took=\S+ req=(?<token>[0-9a-f]{32})$"#;

fn main() -> ExitCode {
    let workload = Workload::new(size(1_000_000), 1_700_000_000_000_000, 7);
    let system = Arc::new(system(4_000_000));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("access.log");
    let text = log(&workload);
    fs::write(&file, &text).expect("room on the disk");
    println!("{} lines of {} bytes", workload.events.len(), text.len() / workload.events.len());
    let mut good = true;
    let grep = || grep(&file) == workload.events.len();
    let log = Log { workload: &workload, text: &text, file: &file };
    good &= measure("literals and fields, to grep -c", GREP_FLOOR, &log, &system, SIMPLE, grep);
    let bare = || captures(&text, ANY) == workload.events.len();
    good &= measure("any rule, to bare captures", REGEX_FLOOR, &log, &system, ANY, bare);
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is read.
struct Log<'a> {
    workload: &'a Workload,
    text: &'a str,
    file: &'a Path,
}

/// What browsers call themselves.
const AGENT: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

/// The events as lines of a log, such as web servers write them.
fn log(workload: &Workload) -> String {
    let mut text = String::new();
    for (place, &(at_us, node, request)) in workload.events.iter().enumerate() {
        let (at, node, token) = (Moment(at_us), NODES[usize::from(node)], workload.token(request));
        let (status, took) = (if place % 7 == 0 { 404 } else { 200 }, place % 1_000);
        text += &format!(
            "{PREFIX}{at} {node} {status} \"GET /orders/{place}?page=2 HTTP/1.1\" \"https://shop.example/search?q=cheese\" \"{AGENT}\" took=0.{took:03} req={token:032x}\n",
        );
    }
    text
}

/// Times the ways in turns, and says whether the verdicts are right and the floor is kept.
fn measure(
    name: &str,
    floor: f64,
    log: &Log<'_>,
    system: &Arc<System>,
    pattern: &str,
    beside: impl Fn() -> bool,
) -> bool {
    let rules = Arc::new(rules(pattern));
    let index = NodeIndex::new(system);
    let lines = log.workload.events.len();
    let (mut bare, mut read, mut judged) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(rate(lines, &beside));
        read.push(rate(lines, || reports(log.text, &rules, &index) == lines));
        judged.push(rate(lines, || judge(log, &rules, system)));
    }
    let all = |rates: Vec<Option<f64>>| rates.into_iter().collect::<Option<Vec<f64>>>();
    let (Some(bare), Some(read), Some(judged)) = (all(bare), all(read), all(judged)) else {
        println!("FAILED: {name}: wrong counts or verdicts");
        return false;
    };
    let ratio = |rates: &[f64]| median(rates.iter().zip(&bare).map(|(rate, bare)| rate / bare).collect());
    let (read_ratio, judged_ratio) = (ratio(&read), ratio(&judged));
    println!("{name}: {:.2} M lines/s", median(bare) / 1e6);
    println!("  lines to reports   {:>6.2} M/s, ratio {read_ratio:.2}", median(read) / 1e6);
    println!("  lines to outcomes  {:>6.2} M/s, ratio {judged_ratio:.2}", median(judged) / 1e6);
    let kept = judged_ratio >= floor;
    println!("  {}: {judged_ratio:.2}, floor {floor}", if kept { "ok" } else { "FAILED" });
    kept
}

fn rules(pattern: &str) -> RuleSet {
    let lines = Lines::Match(pattern.to_owned());
    RuleSet::compile(&[RuleText { node: None, lines, timestamp: None, timezone: None, unit: Unit::Seconds }])
        .expect("a good rule")
}

/// Lines a second of a piece of work; none where it failed.
fn rate(lines: usize, work: impl FnOnce() -> bool) -> Option<f64> {
    let started = Instant::now();
    let good = work();
    good.then(|| lines as f64 / started.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How many lines `grep` counts.
fn grep(file: &Path) -> usize {
    let command = format!("LC_ALL=C grep -c '{PREFIX}' '{}' | cat", file.display());
    let output = Command::new("sh").args(["-c", &command]).output().expect("grep runs");
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0)
}

/// How many lines match by captures, and nothing is done with them.
fn captures(text: &str, pattern: &str) -> usize {
    let regex = Regex::new(pattern).expect("an expression");
    let mut locations = regex.capture_locations();
    text.lines().filter(|line| black_box(regex.captures_read(&mut locations, line)).is_some()).count()
}

/// How many lines are events.
fn reports(text: &str, rules: &RuleSet, index: &NodeIndex) -> usize {
    let text = text.as_bytes();
    let mut reader = LineReader::new(rules, index, false);
    let mut start = 0;
    let lines = memchr::memchr_iter(b'\n', text).map(|end| &text[std::mem::replace(&mut start, end + 1)..end]);
    lines.filter(|line| matches!(black_box(reader.read(line, 0)), Line::Event { .. })).count()
}

/// All the way, as `replay` goes it.
fn judge(log: &Log<'_>, rules: &Arc<RuleSet>, system: &Arc<System>) -> bool {
    let workload = log.workload;
    let recording = Recording { path: log.file.to_owned(), rules: Some(Arc::clone(rules)), written_us: 0 };
    let report = replay::run(system, &[recording], true, &mut |_| {}).expect("the log can be read");
    let wrong = differences(&report.board, &workload.truth);
    for wrong in &wrong {
        println!("WRONG {wrong}");
    }
    wrong.is_empty() && report.counts.accepted == workload.events.len() as u64
}
