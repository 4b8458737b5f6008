//! How fast is the way from bytes to outcomes, beside a bare parse of the same lines?
//!
//! `cargo bench --bench core [-- EVENTS]`. In process, on one core: NDJSON in, ledgers out. A wrong
//! verdict fails, and so does a ratio to the bare parse below [`FLOOR`].
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

mod common {
    pub(crate) mod arguments;
    pub(crate) mod bare;
    pub(crate) mod bodies;
    pub(crate) mod cpu;
    pub(crate) mod picture;
    pub(crate) mod random;
    pub(crate) mod system;
    pub(crate) mod truth;
    pub(crate) mod workload;
}

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;

use common::arguments::size;
use common::bare::bare_parse;
use common::bodies::bodies;
use common::cpu::{rate, summary};
use common::system::system;
use common::truth::differences;
use common::workload::{Stamps, Workload};
use observatory::board::Board;
use observatory::engine::Engine;
use observatory::graph::{InputId, NodeIndex, System};
use observatory::input::body::{Format, parse};

/// Outcomes must come out at least this many times as fast as a bare parse goes, of events of about 107 bytes: those with
/// RFC 3339 stamps. Integers are shorter, and only told.
const FLOOR: f64 = 1.0;
const ROUNDS: usize = 7;

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
    let kept = stamps == Stamps::Integer || judge_ratio.1 >= FLOOR;
    println!(
        "  {}: bytes to outcomes at {:.2} of a bare parse, floor {FLOOR:.1}",
        if kept { "ok" } else { "FAILED" },
        judge_ratio.1
    );
    kept
}

fn all(rates: Vec<Option<f64>>) -> Option<Vec<f64>> {
    rates.into_iter().collect()
}

fn reports(body: &[u8], index: &NodeIndex) -> Vec<observatory::event::Report> {
    parse(body, Format::Ndjson, index, false).expect("all lines are events").reports
}

/// All the way: parse, correlate, judge, settle.
fn judge(lines: &[u8], system: &Arc<System>, index: &NodeIndex, start_us: u64) -> Board {
    let mut engine = Engine::new(Arc::clone(system), start_us, (1, 2));
    let mut events = Vec::new();
    for body in bodies(lines) {
        let reports = reports(body, index);
        // A body arrives when its last event has happened.
        let arrival_us = reports.last().and_then(|last| last.timestamp_us).unwrap_or(start_us);
        events.clear();
        events.extend(reports.into_iter().map(|report| report.arrive(InputId::default(), arrival_us, arrival_us)));
        engine.accept_all(&events, arrival_us);
        drop(engine.take_transitions());
    }
    engine.settle();
    engine.board()
}
