//! How much memory does a remembered token take?
//!
//! `cargo bench --bench memory [-- TOKENS]`. Each token is seen at all four nodes and still
//! remembered at the end; what the process has grown by, a token, must stay below [`CEILING`].
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures and prints")]

mod common {
    pub(crate) mod arguments;
    pub(crate) mod picture;
    pub(crate) mod random;
    pub(crate) mod system;
    pub(crate) mod truth;
}

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use common::arguments::size;
use common::random::Random;
use common::system::system;
use common::truth::differences;
use observatory::engine::Engine;
use observatory::event::{Event, Token};
use observatory::graph::{InputId, NodeId};
use observatory::outcome::Ledger;

/// Resident bytes that a token may take.
const CEILING: f64 = 96.0;
/// One request a microsecond: all are remembered for longer than this takes.
const START_US: u64 = 1_700_000_000_000_000;
/// How long after the first node each node sees a request, in microseconds.
const DELAYS_US: [u64; 4] = [0, 100_000, 200_000, 300_000];

fn main() -> ExitCode {
    let tokens = size(10_000_000);
    let mut engine = Engine::new(Arc::new(system(2 * tokens)), START_US, (1, 2));
    let (before, started) = (resident_bytes(), Instant::now());
    for after_us in 0..tokens as u64 + DELAYS_US[3] {
        let now_us = START_US + after_us;
        for (node, delay_us) in (0..).zip(DELAYS_US) {
            let Some(request) = after_us.checked_sub(delay_us).filter(|&request| request < tokens as u64) else {
                continue;
            };
            let event = Event {
                node: NodeId(node),
                clock_flagged: false,
                input: InputId::default(),
                token: token(request),
                timestamp_us: now_us,
                parent: None,
                alias: None,
            };
            engine.accept(&event, now_us);
        }
    }
    let (grown, took) = (resident_bytes() - before, started.elapsed());
    let a_token = grown as f64 / tokens as f64;
    println!(
        "{tokens} tokens, each seen at 4 nodes: {} MiB resident, {a_token:.1} bytes a token, ceiling {CEILING}; {:.2} M events/s",
        grown >> 20,
        4.0 * tokens as f64 / took.as_secs_f64() / 1e6,
    );
    let truth = Ledger { upstream: tokens as u64, pass: tokens as u64, ..Ledger::default() };
    let board = engine.board();
    let mut wrong = differences(&board, &[truth; 3]);
    if board.tokens != tokens {
        wrong.push(format!("{} tokens are remembered", board.tokens));
    }
    for wrong in &wrong {
        println!("WRONG {wrong}");
    }
    if wrong.is_empty() && a_token <= CEILING { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn token(request: u64) -> Token {
    let mut random = Random(request << 20);
    Token::new(&format!("{:016x}{:016x}", random.next(), random.next())).expect("32 digits are a token")
}

/// What the kernel says this process has in memory.
fn resident_bytes() -> u64 {
    const PAGE_BYTES: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells it there");
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * PAGE_BYTES
}
