//! All that can be seen from outside, in a form in which two implementations can be compared.

use observatory::board::{OutcomeEntry, ms};
use observatory::clock::{Moment, SECOND_US};
use observatory::event::Token;
use observatory::outcome::{Freshness, Ledger, NodeState, Status};

use super::edge::EdgeModel;
use super::stream::StreamModel;
use super::{Oracle, shape};

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) streams: Vec<StreamShot>,
    pub(crate) tokens: usize,
    pub(crate) evicted: u64,
}

/// One stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StreamShot {
    pub(crate) status: Status,
    pub(crate) unobserved: usize,
    pub(crate) alias_conflicts: u64,
    pub(crate) nodes: Vec<NodeShot>,
    pub(crate) edges: Vec<EdgeShot>,
}

/// One node in one stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NodeShot {
    pub(crate) state: NodeState,
    pub(crate) events: u64,
    pub(crate) last: Option<Moment>,
    pub(crate) clock_flagged: bool,
    pub(crate) unreported: u64,
}

/// One edge.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EdgeShot {
    pub(crate) ledger: Ledger,
    pub(crate) status: Status,
    pub(crate) status_since: Moment,
    pub(crate) held: Status,
    pub(crate) held_since: Moment,
    pub(crate) freshness: Freshness,
    pub(crate) pass: u64,
    pub(crate) total: u64,
    pub(crate) last_pass: Option<Moment>,
    pub(crate) last_fail: Option<Moment>,
    pub(crate) first_judgements: [u64; 7],
    pub(crate) blind_us: u64,
    pub(crate) window: Vec<OutcomeEntry>,
    pub(crate) fails: Vec<OutcomeEntry>,
    pub(crate) worst: Status,
    pub(crate) clock_difference_ms: Option<f64>,
    /// Of time checks only.
    pub(crate) oldest_in_flight_ms: Option<f64>,
}

impl Oracle {
    /// The ledgers, by stream and edge.
    pub(crate) fn ledgers(&self) -> Vec<Ledger> {
        self.streams.iter().flat_map(|stream| &stream.edges).map(EdgeModel::ledger).collect()
    }

    /// Everything at this moment.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            streams: self.streams.iter().map(|stream| stream_shot(stream, self.now_us)).collect(),
            tokens: self.tokens(),
            evicted: self.evicted,
        }
    }
}

fn stream_shot(stream: &StreamModel, now_us: u64) -> StreamShot {
    let observed = |edge: &&EdgeModel| !edge.decided.is_empty();
    let held = stream.edges.iter().filter(observed).map(|edge| edge.helds.last().expect("never empty").1);
    let silent_node = (0..stream.nodes.len()).any(|node| stream.node_silent_since(node, now_us).is_some());
    let silent = silent_node || stream.edges.iter().any(|edge| edge.silent_since(now_us).is_some());
    let edges = || 0..stream.edges.len();
    StreamShot {
        status: held.max().unwrap_or_default().max(if silent { Status::Nok } else { Status::Unknown }),
        unobserved: stream.edges.iter().filter(|edge| edge.decided.is_empty()).count(),
        alias_conflicts: stream.alias_conflicts,
        nodes: (0..stream.nodes.len()).map(|node| node_shot(stream, node, now_us)).collect(),
        edges: edges().map(|edge| edge_shot(stream, edge, now_us)).collect(),
    }
}

fn node_shot(stream: &StreamModel, node: usize, now_us: u64) -> NodeShot {
    let place = &stream.nodes[node];
    let mut out = stream.edges.iter().filter(|edge| edge.spec.from == node).peekable();
    let waits = out.peek().is_some() && out.all(|edge| edge.decided.is_empty());
    let state = match place.events {
        _ if stream.node_silent_since(node, now_us).is_some() => NodeState::Silent,
        0 => NodeState::Unobserved,
        _ if waits => NodeState::Waiting,
        _ => NodeState::Observed,
    };
    NodeShot {
        state,
        events: place.events,
        last: place.last_us.map(Moment),
        clock_flagged: place.clock_flagged,
        unreported: stream.edges.iter().filter(|edge| edge.spec.to == node).map(|edge| edge.ledger().unreported).sum(),
    }
}

fn edge_shot(stream: &StreamModel, index: usize, now_us: u64) -> EdgeShot {
    let edge = &stream.edges[index];
    let (pass, fail) = edge.passes_and_fails_at(now_us);
    let &(status_since_us, status) = edge.statuses.last().expect("never empty");
    let &(held_since_us, held) = edge.helds.last().expect("never empty");
    let nodes = [edge.spec.from, edge.spec.to];
    let silent_node = nodes
        .iter()
        .any(|&node| !stream.nodes[node].silences.is_empty() || stream.node_silent_since(node, now_us).is_some());
    let silent = silent_node || !edge.silences.is_empty() || edge.silent_since(now_us).is_some();
    let worst = if silent { Some(Status::Nok) } else { edge.statuses.iter().map(|status| status.1).max() };
    let entry = |&record: &usize| entry(edge, record);
    let fail_entry = |(fail, at_us, token): &(usize, u64, Option<Token>)| OutcomeEntry {
        at: Moment(*at_us),
        token: token.clone(),
        ..entry(fail)
    };
    let timed = edge.spec.count().is_none() && edge.spec.patience_us().is_some();
    let oldest = edge.records.iter().find(|record| timed && record.outcome.is_none());
    EdgeShot {
        ledger: edge.ledger(),
        status,
        status_since: Moment(status_since_us),
        held,
        held_since: Moment(held_since_us),
        freshness: freshness(stream, index, now_us),
        pass,
        total: pass + fail,
        last_pass: edge.last_pass_us.map(Moment),
        last_fail: edge.last_fail_us.map(Moment),
        first_judgements: edge.first_judgements(),
        blind_us: edge.blind.between(0, now_us),
        window: edge.window_at(now_us).iter().map(entry).collect(),
        fails: edge.fails.iter().map(fail_entry).collect(),
        worst: worst.unwrap_or_default(),
        clock_difference_ms: edge.last_behind_us.map(ms),
        oldest_in_flight_ms: oldest.map(|record| ms(now_us - record.arrival_us)),
    }
}

fn entry(edge: &EdgeModel, record: usize) -> OutcomeEntry {
    let record = &edge.records[record];
    OutcomeEntry {
        outcome: record.outcome.expect("it was decided"),
        token: record.token.clone(),
        latency_ms: record.latency_us.map(ms),
        at: Moment(record.first.expect("it was decided").1),
    }
}

fn freshness(stream: &StreamModel, index: usize, now_us: u64) -> Freshness {
    let edge = &stream.edges[index];
    let bad = |&other: &usize| {
        let other = &stream.edges[other];
        other.helds.last().expect("never empty").1 == Status::Nok || other.silent_since(now_us).is_some()
    };
    let recent = edge.last_outcome_us.is_some_and(|at_us| now_us <= at_us + 60 * SECOND_US);
    if edge.blind.is(now_us) {
        Freshness::Blind
    } else if edge.silent_since(now_us).is_some() {
        Freshness::Silent
    } else if edge.decided.is_empty() {
        Freshness::Unobserved
    } else if edge.ledger().in_flight > 0 || recent {
        Freshness::Live
    } else if shape::on_the_way_to(&stream.spec, index).iter().any(bad) {
        Freshness::Starved
    } else {
        Freshness::Idle
    }
}
