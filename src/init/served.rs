//! What a server says it has seen: the objects of its API.

use serde::Deserialize;

use super::observed::{Groups, Latencies, ObservedEdge, ObservedStream};
use crate::clock::SECOND_US;

/// The most that a latency above all bounds is taken for.
const LONGEST_US: u64 = 7 * 86_400 * SECOND_US;

/// `GET /api/v1/streams`
#[derive(Debug, Deserialize)]
pub struct StreamsObject {
    /// The streams.
    pub streams: Vec<StreamLine>,
}

/// A stream in the list of all.
#[derive(Debug, Deserialize)]
pub struct StreamLine {
    /// Its name.
    pub name: String,
}

/// `GET /api/v1/streams/{stream}`, as far as it is read.
#[derive(Debug, Deserialize)]
pub struct StreamObject {
    name: String,
    description: String,
    nodes: Vec<NodeObject>,
    edges: Vec<EdgeLine>,
}

#[derive(Debug, Deserialize)]
struct NodeObject {
    name: String,
    events: u64,
}

#[derive(Debug, Deserialize)]
struct EdgeLine {
    from: String,
    to: String,
    name: Option<String>,
    discovered: bool,
    check: Option<CheckObject>,
    ledger: LedgerObject,
}

#[derive(Debug, Deserialize)]
struct CheckObject {
    within_ms: f64,
    every: Option<u32>,
    expect: Option<u32>,
    same_token: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct LedgerObject {
    upstream: u64,
    pass: u64,
    reversed: u64,
    late: u64,
    in_flight: u64,
}

/// `GET /api/v1/streams/{stream}/edges/{from}/{to}`, as far as it is read; the default is an edge that is gone.
#[derive(Debug, Default, Deserialize)]
pub struct EdgeObject {
    latency_histogram: Vec<Bucket>,
}

#[derive(Debug, Deserialize)]
struct Bucket {
    le_ms: Option<f64>,
    count: u64,
}

impl StreamObject {
    /// The two ends of each edge.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.edges.iter().map(|edge| (edge.from.as_str(), edge.to.as_str()))
    }

    /// What was seen of the stream; `details` are its edges' own objects, in the order of [`Self::edges`].
    pub fn observed(self, details: &[EdgeObject]) -> ObservedStream {
        let events = |name: &str| self.nodes.iter().find(|node| node.name == name).map_or(0, |node| node.events);
        let edge = |(edge, detail): (&EdgeLine, &EdgeObject)| {
            let ledger = &edge.ledger;
            let judged = ledger.upstream.saturating_sub(ledger.in_flight);
            ObservedEdge {
                from: edge.from.clone(),
                to: edge.to.clone(),
                name: edge.name.clone(),
                upstream: if edge.discovered { events(&edge.from) } else { judged },
                matches: ledger.pass + ledger.reversed + ledger.late,
                exact: !edge.discovered,
                latencies: detail.latencies(),
                groups: edge.check.as_ref().and_then(CheckObject::groups),
            }
        };
        let edges = self.edges.iter().zip(details).map(edge).collect();
        let nodes = self.nodes.iter().map(|node| node.name.clone()).collect();
        ObservedStream { name: self.name, description: self.description, nodes, edges, messages: None }
    }
}

impl CheckObject {
    fn groups(&self) -> Option<Groups> {
        let within_us = (self.within_ms * 1000.0).round().max(1.0) as u64;
        Some(Groups {
            every: self.every?,
            expect: self.expect?,
            same_token: self.same_token.unwrap_or(false),
            within_us,
        })
    }
}

impl EdgeObject {
    /// The bounds below which the latencies lie.
    fn latencies(&self) -> Option<Latencies> {
        let total: u64 = self.latency_histogram.iter().map(|bucket| bucket.count).sum();
        let bound_us = |share: f64| {
            let rank = (total as f64 * share).ceil().max(1.0) as u64;
            let mut below = 0;
            let bucket = self.latency_histogram.iter().find(|bucket| {
                below += bucket.count;
                below >= rank
            });
            bucket.and_then(|bucket| bucket.le_ms).map_or(LONGEST_US, |le_ms| (le_ms * 1000.0).round() as u64)
        };
        (total > 0).then(|| Latencies { p50_us: bound_us(0.5), p999_us: bound_us(0.999) })
    }
}
