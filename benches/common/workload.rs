//! Requests through the known picture, as a live system would report them.

use std::io::Write;

use observatory::clock::Moment;
use observatory::outcome::Ledger;

use super::picture::{EDGES, NODES};
use super::random::Random;

/// Requests a second of simulated time.
const REQUESTS_A_SECOND: u64 = 10_000;
/// Of so many requests at an edge, one is lost and one is late.
const ONE_IN: u64 = 100;

/// How timestamps are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamps {
    /// As an integer of microseconds.
    Integer,
    /// As RFC 3339 with microseconds in UTC.
    Rfc3339,
}

/// Made-up traffic: its events in the order of their time, and what is true of them.
pub(crate) struct Workload {
    /// When, which node, which request.
    pub(crate) events: Vec<(u64, u8, u32)>,
    /// By edge: what must be judged when everything is settled.
    pub(crate) truth: [Ledger; EDGES.len()],
    seed: u64,
}

impl Workload {
    /// Requests that begin at `start_us`, about `events` events of them; the same seed, the same traffic.
    pub(crate) fn new(events: usize, start_us: u64, seed: u64) -> Self {
        let mut random = Random(seed);
        let mut workload = Self { events: Vec::with_capacity(events + 4), truth: [Ledger::default(); 3], seed };
        let mut request = 0;
        while workload.events.len() < events {
            let at_us = start_us + u64::from(request) * 1_000_000 / REQUESTS_A_SECOND + below(&mut random, 100);
            workload.events.push((at_us, 0, request));
            let mut seen = [Some(at_us), None, None, None];
            for (edge, &(from, to, within_ms)) in EDGES.iter().enumerate() {
                let Some(at_us) = seen[from] else { continue };
                seen[to] = workload.hop(edge, at_us, within_ms * 1_000, &mut random);
                workload.events.extend(seen[to].map(|at_us| (at_us, to as u8, request)));
            }
            request += 1;
        }
        workload.events.sort_unstable();
        workload
    }

    /// When a request that `from` saw at `at_us` comes to `to`, if it does.
    fn hop(&mut self, edge: usize, at_us: u64, within_us: u64, random: &mut Random) -> Option<u64> {
        let truth = &mut self.truth[edge];
        truth.upstream += 1;
        match below(random, ONE_IN) {
            0 => {
                truth.missing += 1;
                None
            }
            1 => {
                // Partly after the deadline, too: first judged missing, then found to be late.
                truth.late += 1;
                Some(at_us + within_us + 10_000 + below(random, 1_400_000))
            }
            _ => {
                truth.pass += 1;
                Some(at_us + 2_000 + below(random, (within_us / 2).min(400_000)))
            }
        }
    }

    /// The token of a request: 128 random bits.
    pub(crate) fn token(&self, request: u32) -> u128 {
        let mut random = Random(self.seed ^ (u64::from(request) << 20));
        (u128::from(random.next()) << 64) | u128::from(random.next())
    }

    /// The events as NDJSON.
    pub(crate) fn ndjson(&self, stamps: Stamps) -> Vec<u8> {
        let mut lines = Vec::with_capacity(self.events.len() * 108);
        for &(at_us, node, request) in &self.events {
            let (node, token) = (NODES[node as usize], self.token(request));
            let stamp = match stamps {
                Stamps::Integer => at_us.to_string(),
                Stamps::Rfc3339 => format!("\"{}\"", Moment(at_us)),
            };
            writeln!(lines, r#"{{"node":"{node}","token":"{token:032x}","timestamp":{stamp}}}"#)
                .expect("a vector takes all that is written to it");
        }
        lines
    }
}

/// A number below `bound`.
fn below(random: &mut Random, bound: u64) -> u64 {
    random.next() % bound
}
