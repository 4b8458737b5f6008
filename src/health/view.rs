//! Health as the board shows it.

use std::sync::Arc;

use super::edge::EdgeHealth;
use super::stream::StreamHealth;
use super::window::Placed;
use crate::board::{
    CheckBoard, EdgeBoard, EdgeDetail, LATENCY_BOUNDS_US, LatencyBucket, NodeBoard, OutcomeEntry, RECENT_FAILS,
    StreamBoard, ms,
};
use crate::clock::Moment;
use crate::graph::{Stream, System, Topology};
use crate::outcome::Freshness;

impl StreamHealth {
    /// The picture of a stream at `now_us`, to which this has been brought up.
    pub fn board(&self, system: &System, stream: &Stream, topology: &Topology, now_us: u64) -> StreamBoard {
        let freshness = self.freshness(stream, topology, now_us);
        StreamBoard {
            name: stream.name.clone(),
            description: stream.description.clone(),
            status: self.status(),
            unobserved: self.edges.iter().filter(|edge| !edge.is_observed()).count(),
            alias_conflicts: self.alias_conflicts,
            discovery: None,
            at: Moment(now_us),
            nodes: (0..self.nodes.len()).map(|node| self.node(node, system, stream, topology, now_us)).collect(),
            edges: (0..self.edges.len()).map(|edge| self.edge(edge, freshness[edge], system, stream, now_us)).collect(),
        }
    }

    /// One edge with its window and fails; `oldest_us` is the arrival of its oldest request in flight.
    pub fn detail(&self, edge: usize, board: &StreamBoard, oldest_us: Option<u64>) -> EdgeDetail {
        let health = &self.edges[edge];
        let counts = health.latencies.buckets.iter();
        let bounds = LATENCY_BOUNDS_US.iter().map(|&bound_us| Some(ms(bound_us))).chain([None]);
        EdgeDetail {
            edge: board.edges[edge].clone(),
            window: health.window.iter().map(entry).collect(),
            fails: health.fails.iter().map(|(_, placed)| entry(placed)).collect(),
            oldest_in_flight_ms: oldest_us.map(|arrival_us| ms(board.at.0.saturating_sub(arrival_us))),
            clock_difference_ms: health.behind_us.map(ms),
            latency_histogram: bounds.zip(counts).map(|(le_ms, &count)| LatencyBucket { le_ms, count }).collect(),
        }
    }

    fn node(&self, node: usize, system: &System, stream: &Stream, topology: &Topology, now_us: u64) -> NodeBoard {
        let health = &self.nodes[node];
        NodeBoard {
            name: node_name(system, stream, node),
            state: self.node_state(node, topology),
            root: topology.is_root(node),
            events: health.events,
            rate: health.rate.of_last_minute(now_us),
            last: health.last_us.map(Moment),
            clock_flagged: health.clock_flagged,
            unreported: topology.edges_in[node].iter().map(|&edge| self.edges[edge].ledger.unreported).sum(),
        }
    }

    fn edge(&self, at: usize, freshness: Freshness, system: &System, stream: &Stream, now_us: u64) -> EdgeBoard {
        let (edge, health): (_, &EdgeHealth) = (&stream.edges[at], &self.edges[at]);
        let recent = health.fails.iter().skip(health.fails.len().saturating_sub(RECENT_FAILS));
        EdgeBoard {
            from: node_name(system, stream, edge.from),
            to: node_name(system, stream, edge.to),
            name: edge.name.clone(),
            status: health.standing.status,
            status_since: Moment(health.standing.status_since_us),
            held: health.standing.held,
            held_since: Moment(health.standing.held_since_us),
            freshness,
            pass: health.window.passes,
            total: health.window.passes + health.window.fails,
            in_flight: health.ledger.in_flight,
            rate: health.rate.of_last_minute(now_us),
            last_pass: health.last_pass_us.map(Moment),
            last_fail: health.last_fail_us.map(Moment),
            discovered: at >= self.declared,
            latency_ms: health.latencies.of_last_minute(now_us),
            check: edge.check.as_ref().map(|check| CheckBoard::new(check, edge.wait_us())),
            ledger: health.ledger,
            recent_fails: recent.map(|(_, placed)| entry(placed)).collect::<Arc<[_]>>(),
            counters: health.counters(now_us),
        }
    }
}

fn node_name(system: &System, stream: &Stream, node: usize) -> String {
    system.nodes[stream.nodes[node].id.0 as usize].clone()
}

fn entry(placed: &Placed) -> OutcomeEntry {
    OutcomeEntry {
        outcome: placed.outcome,
        token: placed.token.clone(),
        latency_ms: placed.latency_us.map(ms),
        at: Moment(placed.at_us),
    }
}
