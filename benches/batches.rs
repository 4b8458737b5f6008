//! How fast is the way from batches over HTTP to outcomes, beside a bare parse of the same lines?
//!
//! `cargo bench --bench batches [-- EVENTS]`. The real server, on one core, takes NDJSON over loopback, in bodies of 64 KiB; what counts is
//! events a second of the server's own CPU, from the first body until the last is acknowledged, beside a bare parse on this
//! process's: by then all is correlated, and what is left waits for its deadline. A wrong verdict, when all is settled,
//! fails, and so does a ratio below [`FLOOR`].
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and may panic")]

mod common {
    pub(crate) mod arguments;
    pub(crate) mod bare;
    pub(crate) mod bodies;
    pub(crate) mod cpu;
    pub(crate) mod ledgers;
    pub(crate) mod picture;
    pub(crate) mod random;
    pub(crate) mod served;
    pub(crate) mod workload;
}

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use common::arguments::size;
use common::bare::bare_parse;
use common::bodies::bodies;
use common::cpu::{rate, summary};
use common::ledgers::{agent, await_truth};
use common::served::Served;
use common::workload::{Stamps, Workload};
use observatory::clock::{Clock, MonotonicClock};
use ureq::Agent;

/// Events a CPU second, of those of a bare parse, of events of about 107 bytes: those with RFC 3339 stamps.
const FLOOR: f64 = 0.6;
const ROUNDS: usize = 3;
/// Each sends its next body when the last one is acknowledged.
const CONNECTIONS: usize = 4;

fn main() -> ExitCode {
    let mut good = true;
    for stamps in [Stamps::Integer, Stamps::Rfc3339] {
        good &= measure(size(1_000_000), stamps);
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Times both in turns, and says whether the verdicts are right and the floor is kept.
fn measure(events: usize, stamps: Stamps) -> bool {
    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // Of what happened before it ran the server would not say that it is missing. It believes in a clock that is a
        // little ahead.
        let server = Served::observatory();
        let now_us = MonotonicClock::start().now_us();
        let workload = Workload::new(events, now_us, 7);
        let (lines, events) = (workload.ndjson(stamps), workload.events.len());
        let bare = || rate(events, || black_box(bare_parse(&lines, stamps)) == events).unwrap();
        let before = bare();
        let ours = events as f64 / serve(&server, &lines, &workload);
        let (bare, _) = summary(vec![before, bare()]);
        ratios.push(ours / bare);
        rates.push(ours);
    }
    let ((_, ratio), (_, rate)) = (summary(ratios), summary(rates));
    let kept = stamps == Stamps::Integer || ratio >= FLOOR;
    println!(
        "{}: {:.2} M events/CPU s by batches over HTTP, stamps {stamps:?}, at {ratio:.2} of a bare parse, floor {FLOOR:.1}",
        if kept { "ok" } else { "FAILED" },
        rate / 1e6,
    );
    kept
}

/// The server's CPU time in seconds, from the first body until the last is acknowledged.
fn serve(server: &Served, lines: &[u8], workload: &Workload) -> f64 {
    let bodies: Vec<&[u8]> = bodies(lines).collect();
    let before_s = server.cpu_s();
    std::thread::scope(|scope| {
        for first in 0..CONNECTIONS {
            let (bodies, url) = (&bodies, format!("{}/events", server.url));
            scope.spawn(move || {
                let agent = agent();
                for body in bodies.iter().skip(first).step_by(CONNECTIONS) {
                    post(&agent, &url, body);
                }
            });
        }
    });
    let taken_s = server.cpu_s() - before_s;
    await_truth(&server.url, &workload.truth);
    taken_s
}

/// Sends a body until it is taken: the server may push back.
fn post(agent: &Agent, url: &str, body: &[u8]) {
    loop {
        let answer = agent.post(url).content_type("application/x-ndjson").send(body).unwrap();
        match answer.status().as_u16() {
            202 => return,
            status => assert_eq!(status, 503),
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
