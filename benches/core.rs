//! How fast is the way from bytes to outcomes, beside a bare parse of the same lines?
//!
//! `cargo bench --bench core [-- EVENTS]`. In process, on one core: NDJSON in, ledgers out. A wrong
//! verdict fails, and so does a ratio to the bare parse below [`FLOOR`].
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures time and prints it")]

mod common {
    pub(crate) mod random;
    pub(crate) mod system;
    pub(crate) mod truth;
    pub(crate) mod workload;
}

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use common::system::system;
use common::truth::{differences, size};
use common::workload::{Stamps, Workload};
use observatory::board::Board;
use observatory::engine::Engine;
use observatory::graph::{InputId, NodeIndex, System};
use observatory::input::body::{Format, parse};
use serde::Deserialize;

/// Outcomes must come out at least this many times as fast as a bare parse goes.
const FLOOR: f64 = 1.0;
const ROUNDS: usize = 7;
/// The size of the bodies in which events come.
const BODY_BYTES: usize = 64 * 1024;

fn main() -> ExitCode {
    let workload = Workload::new(size(1_000_000), 1_700_000_000_000_000, 7);
    let system = Arc::new(system(4_000_000));
    let mut good = true;
    for stamps in [Stamps::Integer, Stamps::Rfc3339] {
        good &= measure(&workload, &system, stamps);
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Times the three ways in turns, and says whether the verdicts are right and the floor is kept.
fn measure(workload: &Workload, system: &Arc<System>, stamps: Stamps) -> bool {
    let (lines, events) = (workload.ndjson(stamps), workload.events.len());
    println!("{events} events of {} bytes, stamps {stamps:?}", lines.len() / events);
    let index = NodeIndex::new(system);
    let (mut bare, mut parsed, mut judged) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(rate(events, || black_box(bare_parse(&lines, stamps)) == events));
        parsed.push(rate(events, || bodies(&lines).map(|body| reports(body, &index).len()).sum::<usize>() == events));
        judged.push(rate(events, || {
            let board = judge(&lines, system, &index, workload.events[0].0);
            let wrong = differences(&board, &workload.truth);
            for wrong in &wrong {
                println!("WRONG {wrong}");
            }
            wrong.is_empty()
        }));
    }
    let (Some(bare), Some(parsed), Some(judged)) = (all(bare), all(parsed), all(judged)) else {
        println!("FAILED: wrong verdicts");
        return false;
    };
    let ratio = |rates: &[f64]| summary(rates.iter().zip(&bare).map(|(rate, bare)| rate / bare).collect());
    let (parse_ratio, judge_ratio) = (ratio(&parsed), ratio(&judged));
    for (name, rates, (best, median)) in [
        ("bare serde_json parse", &bare, (1.0, 1.0)),
        ("bytes to reports", &parsed, parse_ratio),
        ("bytes to outcomes", &judged, judge_ratio),
    ] {
        let (best_rate, median_rate) = summary(rates.clone());
        println!(
            "  {name:<22} best {:>6.2} M/s, median {:>6.2} M/s; to bare: best {best:.2}, median {median:.2}",
            best_rate / 1e6,
            median_rate / 1e6,
        );
    }
    let kept = judge_ratio.1 >= FLOOR;
    println!(
        "  {}: bytes to outcomes at {:.2} of a bare parse, floor {FLOOR:.1}",
        if kept { "ok" } else { "FAILED" },
        judge_ratio.1
    );
    kept
}

/// Events a second of a piece of work; none where it failed.
fn rate(events: usize, work: impl FnOnce() -> bool) -> Option<f64> {
    let started = Instant::now();
    let good = work();
    good.then(|| events as f64 / started.elapsed().as_secs_f64())
}

fn all(rates: Vec<Option<f64>>) -> Option<Vec<f64>> {
    rates.into_iter().collect()
}

/// The best and the median.
fn summary(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() - 1], values[values.len() / 2])
}

/// The lines in bodies of about [`BODY_BYTES`], cut between lines.
fn bodies(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        let cut = memchr::memrchr(b'\n', &rest[..rest.len().min(BODY_BYTES)])? + 1;
        let body;
        (body, rest) = rest.split_at(cut);
        Some(body)
    })
}

fn reports(body: &[u8], index: &NodeIndex) -> Vec<observatory::event::Report> {
    parse(body, Format::Ndjson, index, false).expect("all lines are events").reports
}

/// All the way: parse, correlate, judge, settle.
fn judge(lines: &[u8], system: &Arc<System>, index: &NodeIndex, start_us: u64) -> Board {
    let mut engine = Engine::new(Arc::clone(system), start_us, (1, 2));
    for body in bodies(lines) {
        for report in reports(body, index) {
            let event = report.arrive(InputId::default(), start_us + 1_000_000_000);
            let now_us = engine.now_us().max(event.timestamp_us);
            engine.accept(&event, now_us);
        }
        drop(engine.take_transitions());
    }
    engine.settle();
    engine.board()
}

/// What everybody would do at the least: borrow the fields from each line.
fn bare_parse(lines: &[u8], stamps: Stamps) -> usize {
    #[derive(Deserialize)]
    struct Integer<'a> {
        node: &'a str,
        token: &'a str,
        timestamp: u64,
    }
    #[derive(Deserialize)]
    struct Rfc3339<'a> {
        node: &'a str,
        token: &'a str,
        timestamp: &'a str,
    }
    let mut start = 0;
    let lines = memchr::memchr_iter(b'\n', lines).map(|end| &lines[std::mem::replace(&mut start, end + 1)..end]);
    let parsed = lines.map(|line| match stamps {
        Stamps::Integer => {
            let event: Integer<'_> = serde_json::from_slice(line).expect("an event");
            black_box((event.node, event.token, event.timestamp)).0.len()
        }
        Stamps::Rfc3339 => {
            let event: Rfc3339<'_> = serde_json::from_slice(line).expect("an event");
            black_box((event.node, event.token, event.timestamp)).0.len()
        }
    });
    parsed.filter(|&length| length > 0).count()
}
