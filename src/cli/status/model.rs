//! What the server's API tells of a stream, as far as it is shown here.

use serde::Deserialize;

use crate::board::Tone;
use crate::clock::Moment;
use crate::outcome::{Freshness, Ledger, NodeState, Outcome, Status};

/// A stream object.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) status: Status,
    pub(super) unobserved: usize,
    pub(super) at: Moment,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

/// A node of it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) state: NodeState,
    pub(super) unreported: u64,
}

/// An edge of it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Edge {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) status: Status,
    pub(super) held: Status,
    pub(super) held_since: Moment,
    pub(super) freshness: Freshness,
    pub(super) tone: Tone,
    pub(super) label: Vec<String>,
    pub(super) pass: u64,
    pub(super) total: u64,
    pub(super) in_flight: u64,
    pub(super) latency_ms: Option<Latency>,
    pub(super) ledger: Ledger,
    pub(super) fails: Vec<Fail>,
}

/// The latency of an edge in the last minute.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Latency {
    pub(super) p95: f64,
}

/// A lost or late token.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Fail {
    pub(super) outcome: Outcome,
    pub(super) token: Option<String>,
    pub(super) latency_ms: Option<f64>,
    pub(super) at: Moment,
}

/// What has changed in a stream.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    at: Moment,
    status: Status,
    unobserved: usize,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

impl Stream {
    /// Takes what has changed; what the stream does not have is left out: the whole will follow.
    pub(super) fn apply(&mut self, change: Change) {
        (self.at, self.status, self.unobserved) = (change.at, change.status, change.unobserved);
        for node in change.nodes {
            if let Some(known) = self.nodes.iter_mut().find(|known| known.name == node.name) {
                *known = node;
            }
        }
        for edge in change.edges {
            if let Some(known) = self.edges.iter_mut().find(|known| (&known.from, &known.to) == (&edge.from, &edge.to))
            {
                *known = edge;
            }
        }
    }

    /// Whether any edge has an outcome.
    pub(super) fn is_judged(&self) -> bool {
        self.edges.iter().any(|edge| edge.ledger.decided() > 0)
    }

    /// The edges by what counts of them, in the order of [`Status::ALL`].
    pub(super) fn counts(&self) -> [usize; 4] {
        Status::ALL.map(|status| self.edges.iter().filter(|edge| edge.counts_as() == status).count())
    }
}

impl Edge {
    /// The held status; silence counts as NOK.
    pub(super) fn counts_as(&self) -> Status {
        if self.freshness == Freshness::Silent { Status::Nok } else { self.held }
    }
}
