//! What the server's ledgers say.

use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::super::client::Client;
use crate::clock::Clock;
use crate::graph::System;
use crate::load::{Counts, counts};
use crate::outcome::Ledger;

/// Between two tries to reach the server.
const AGAIN: Duration = Duration::from_millis(100);

/// All ledgers at one time.
#[derive(Clone, Debug)]
pub(super) struct Ledgers {
    /// By stream and edge, as the manifest has them.
    pub(super) edges: Vec<Vec<Counts>>,
}

#[derive(Deserialize)]
struct Stream {
    edges: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    from: String,
    to: String,
    ledger: Ledger,
}

/// The server's own state, as far as it matters here.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Own {
    /// When it was started.
    pub(super) started: String,
    /// Messages that it remembers.
    pub(super) tokens: u64,
}

/// Asks one server; waits for one that does not answer.
pub(super) struct Reader<'a> {
    pub(super) client: &'a Client,
    pub(super) clock: &'a dyn Clock,
    /// How long it may not answer.
    pub(super) patience_us: u64,
}

impl Reader<'_> {
    /// All ledgers of the manifest's streams.
    pub(super) fn ledgers(&self, system: &System) -> Result<Ledgers, String> {
        let of_stream = |stream: &crate::graph::Stream| {
            let shown: Stream = self.get(&format!("/api/v1/streams/{}", stream.name))?;
            let ledger = |edge: &crate::graph::Edge| {
                let name = |place: usize| &system.nodes[stream.nodes[place].id.0 as usize];
                let (from, to) = (name(edge.from), name(edge.to));
                let found = shown.edges.iter().find(|edge| edge.from == *from && edge.to == *to);
                let missing = || {
                    format!("the server has no edge {from} -> {to} in stream {}: it runs another manifest", stream.name)
                };
                found.map(|edge| counts(&edge.ledger)).ok_or_else(missing)
            };
            stream.edges.iter().map(ledger).collect()
        };
        Ok(Ledgers { edges: system.streams.iter().map(of_stream).collect::<Result<_, _>>()? })
    }

    pub(super) fn own(&self) -> Result<Own, String> {
        self.get("/status")
    }

    fn get<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T, String> {
        let begun_us = self.clock.now_us();
        loop {
            let error = match self.client.get(path) {
                Ok(answer) if answer.status == 200 => {
                    return serde_json::from_str(&answer.body)
                        .map_err(|error| format!("what the server says at {path} cannot be read: {error}"));
                }
                Ok(answer) if answer.status != 503 => return Err(answer.refusal()),
                Ok(answer) => answer.refusal(),
                Err(error) => error.to_string(),
            };
            if self.clock.now_us() > begun_us + self.patience_us {
                return Err(error);
            }
            thread::park_timeout(AGAIN);
        }
    }
}
