//! Reads the board and the pipeline at each scrape.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use super::family::Family;
pub(super) use super::table::Read;
use crate::board::{Board, DiscoveryBoard, EdgeBoard, LATENCY_BOUNDS_US, NodeBoard};
use crate::graph::InputState;
use crate::outcome::{Freshness, NodeState, Outcome};
use crate::pipeline::{DELAY_BOUNDS_US, JournalState, Pipeline, WAITING_EVENTS_MAX};

/// Makes families from the latest board.
pub(super) struct Reader {
    pipeline: Pipeline,
}

impl Reader {
    pub(super) fn new(pipeline: Pipeline) -> Self {
        Self { pipeline }
    }
}

impl Collector for Reader {
    /// None: descriptions serve to find names that are registered twice; these stand in one table.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut read = Read::new();
        fill_board(&mut read, &self.pipeline.board());
        fill_pipeline(&mut read, &self.pipeline);
        fill_inputs(&mut read, &self.pipeline);
        read.into_families().into_iter().filter_map(Family::finish).collect()
    }
}

fn fill_board(read: &mut Read, board: &Board) {
    let mut last_events = BTreeMap::new();
    for stream in &board.streams {
        for node in &stream.nodes {
            fill_node(read, &stream.name, node);
            if let Some(last) = node.last {
                let newest = last_events.entry(node.name.as_str()).or_insert(last);
                *newest = last.max(*newest);
            }
        }
        for edge in &stream.edges {
            fill_edge(read, &stream.name, edge);
        }
        if let Some(discovery) = &stream.discovery {
            fill_discovery(read, &stream.name, discovery);
        }
    }
    for (node, last) in last_events {
        read.node_last_event_timestamp_seconds.add(&[("node", node)], last.0 as f64 / 1e6);
    }
    read.tokens.add(&[], board.tokens as f64);
    read.tokens_limit.add(&[], board.tokens_limit as f64);
    read.tokens_evicted_total.add(&[], board.tokens_evicted as f64);
    let unknown: u64 = board.unknown_senders.iter().map(|sender| sender.events).sum();
    read.unknown_sender_events_total.add(&[], unknown as f64);
}

fn fill_inputs(read: &mut Read, pipeline: &Pipeline) {
    let alive = pipeline.is_alive();
    for input in &pipeline.board().inputs {
        let labels = [("input", input.name.as_str())];
        let up = alive && input.state == InputState::Up;
        read.input_up.add(&labels, f64::from(u8::from(up)));
        // What keeps nothing is never behind.
        if let Some(lag_ms) = input.lag_ms.or((!input.kind.keeps()).then_some(0.0)) {
            read.input_lag_seconds.add(&labels, lag_ms / 1e3);
        }
    }
}

fn fill_discovery(read: &mut Read, stream: &str, discovery: &DiscoveryBoard) {
    let skipped = [
        ("parents", discovery.parents_refused),
        ("messages", discovery.messages_skipped),
        ("pairs", discovery.pairs_skipped),
    ];
    for (what, count) in skipped {
        read.discovery_skipped_total.add(&[("stream", stream), ("what", what)], count as f64);
    }
    for (reason, count) in [("cycle", discovery.edges_in_cycles), ("limit", discovery.edges_over_limit)] {
        read.discovery_edges_left_out.add(&[("stream", stream), ("reason", reason)], count as f64);
    }
}

fn fill_node(read: &mut Read, stream: &str, node: &NodeBoard) {
    for state in NodeState::ALL {
        let labels = [("stream", stream), ("node", node.name.as_str()), ("state", state.name())];
        read.node_state.add(&labels, f64::from(u8::from(node.state == state)));
    }
}

fn fill_edge(read: &mut Read, stream: &str, edge: &EdgeBoard) {
    let labels = [("stream", stream), ("from", edge.from.as_str()), ("to", edge.to.as_str())];
    let with = |name, value| [labels[0], labels[1], labels[2], (name, value)];
    read.edge_status.add(&labels, f64::from(edge.status as u8));
    read.edge_held_status.add(&labels, f64::from(edge.held as u8));
    for freshness in Freshness::ALL {
        let is = f64::from(u8::from(edge.freshness == freshness));
        read.edge_freshness.add(&with("state", freshness.name()), is);
    }
    read.edge_upstream_total.add(&labels, edge.ledger.upstream as f64);
    for (outcome, &count) in Outcome::ALL.iter().zip(&edge.counters.outcomes) {
        read.edge_outcomes_total.add(&with("outcome", outcome.name()), count as f64);
    }
    read.edge_in_flight.add(&labels, edge.in_flight as f64);
    let counters = &edge.counters;
    let sum_us = counters.latency_sum_us;
    read.edge_latency_seconds.add_histogram(&labels, &LATENCY_BOUNDS_US, &counters.latency_buckets, sum_us);
    read.edge_orphans_total.add(&labels, edge.ledger.orphans as f64);
    read.edge_duplicates_total.add(&labels, edge.ledger.duplicates as f64);
    read.edge_revisions_total.add(&labels, edge.ledger.revisions as f64);
    read.edge_blind_seconds_total.add(&labels, edge.counters.blind_us as f64 / 1e6);
}

fn fill_pipeline(read: &mut Read, pipeline: &Pipeline) {
    let figures = pipeline.figures();
    read.waiting_events.add(&[], pipeline.waiting().events as f64);
    read.waiting_events_limit.add(&[], WAITING_EVENTS_MAX as f64);
    read.overloaded_total.add(&[], figures.overloaded.load(Ordering::Relaxed) as f64);
    read.gaps_total.add(&[], figures.gaps.load(Ordering::Relaxed) as f64);
    read.boards_total.add(&[], figures.boards.load(Ordering::Relaxed) as f64);
    read.clock_ahead_seconds.add(&[], pipeline.ahead_us() as f64 / 1e6);
    read.correlator_restarts_total.add(&[], figures.restarts.load(Ordering::Relaxed) as f64);
    if let Some(journal) = pipeline.journal() {
        fill_journal(read, &journal, pipeline);
    }
    let (counts, sum_us) = figures.verdict_delay.read();
    read.verdict_delay_seconds.add_histogram(&[], &DELAY_BOUNDS_US, &counts, sum_us);
}

fn fill_journal(read: &mut Read, journal: &JournalState, pipeline: &Pipeline) {
    read.journal_up.add(&[], f64::from(u8::from(pipeline.is_keeping())));
    if let Some((segments, bytes)) = journal.files {
        read.journal_segments.add(&[], segments as f64);
        read.journal_bytes.add(&[], bytes as f64);
    }
    if let Some(at_us) = journal.snapshot_us {
        read.journal_snapshot_timestamp_seconds.add(&[], at_us as f64 / 1e6);
    }
    let figures = &pipeline.figures().journal;
    read.journal_written_bytes_total.add(&[], figures.written_bytes.load(Ordering::Relaxed) as f64);
    read.journal_errors_total.add(&[], figures.failures.load(Ordering::Relaxed) as f64);
    let (counts, sum_us) = figures.sync_time.read();
    read.journal_sync_seconds.add_histogram(&[], &DELAY_BOUNDS_US, &counts, sum_us);
}
