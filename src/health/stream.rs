//! The health of one stream: its edges and its nodes.

use serde::{Deserialize, Serialize};

use super::edge::{Dated, EdgeHealth, silence_change};
use super::rate::Rate;
use super::silence::Silence;
use crate::correlation::{Decision, Verdicts};
use crate::event::Event;
use crate::graph::{Moves, Stream, Topology};
use crate::outcome::{Freshness, NodeState, Outcome, Status, Subject, Transition};

/// An outcome this recent keeps an edge live.
const LIVE_US: u64 = 60 * crate::clock::SECOND_US;

/// What a node of the stream has shown of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NodeHealth {
    pub(super) events: u64,
    pub(super) rate: Rate,
    pub(super) last_us: Option<u64>,
    pub(super) clock_flagged: bool,
    pub(super) silence: Silence,
}

/// Takes the verdicts on one stream and keeps the health of its edges and nodes.
#[derive(Debug, Serialize, Deserialize)]
pub struct StreamHealth {
    stream: usize,
    pub(super) nodes: Vec<NodeHealth>,
    pub(super) edges: Vec<EdgeHealth>,
    /// How many of the edges are declared; the others are drawn from traffic.
    pub(super) declared: usize,
    pub(super) alias_conflicts: u64,
    #[serde(skip)]
    transitions: Vec<Transition>,
    #[serde(skip)]
    changes: Vec<Dated>,
}

impl StreamHealth {
    /// The health of the stream at `index` of the system, from `start_us` on.
    pub fn new(index: usize, stream: &Stream, start_us: u64) -> Self {
        let node = |silence_us| NodeHealth {
            events: 0,
            rate: Rate::new(),
            last_us: None,
            clock_flagged: false,
            silence: Silence::new(silence_us, start_us),
        };
        Self {
            stream: index,
            nodes: stream.nodes.iter().map(|declared| node(declared.silence_us)).collect(),
            edges: stream.edges.iter().map(|edge| EdgeHealth::new(edge, start_us)).collect(),
            declared: stream.edges.len(),
            alias_conflicts: 0,
            transitions: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Other edges are drawn from traffic now: those of `shown` behind the declared ones. `kept` says which of those
    /// so far each of them is, if it was drawn before.
    pub fn redraw(&mut self, shown: &Stream, kept: &[Option<usize>], now_us: u64) {
        let mut before: Vec<_> = self.edges.drain(self.declared..).map(Some).collect();
        for (edge, kept) in shown.edges[self.declared..].iter().zip(kept) {
            let kept = kept.and_then(|at| before[at].take());
            let ends = [edge.from, edge.to].map(|node| self.nodes[node].silence.blind.until_us());
            self.edges.push(kept.unwrap_or_else(|| {
                let mut health = EdgeHealth::new(edge, now_us);
                health.silence.blind.set(ends[0].max(ends[1]), now_us);
                health
            }));
        }
    }

    /// A message had passed an edge before that was drawn.
    pub fn recall(&mut self, decision: &Decision<'_>) {
        let edge = decision.edge;
        self.edges[edge].recall(decision, &mut self.changes);
        self.date(Subject::Edge(edge));
    }

    /// Goes on in another shape of the stream, which stands at `index` now. Edges that are drawn from traffic stand behind
    /// the declared ones as they did, until [`Self::redraw`] says what becomes of them.
    #[must_use]
    pub fn reload(mut self, index: usize, stream: &Stream, moves: &Moves, now_us: u64) -> Self {
        let mut next = Self::new(index, stream, now_us);
        next.alias_conflicts = self.alias_conflicts;
        let drawn = self.edges.split_off(self.declared);
        for (mut node, place) in self.nodes.into_iter().zip(&moves.nodes) {
            let &Some(place) = place else { continue };
            next.changes.extend(node.silence.set_after(stream.nodes[place].silence_us, now_us).map(silence_change));
            next.changes.extend(node.silence.advance(now_us).map(silence_change));
            next.nodes[place] = node;
            next.date(Subject::Node(place));
        }
        for (mut edge, place) in self.edges.into_iter().zip(&moves.edges) {
            let &Some(place) = place else { continue };
            edge.reload(&stream.edges[place], now_us, &mut next.changes);
            next.edges[place] = edge;
            next.date(Subject::Edge(place));
        }
        next.edges.extend(drawn);
        next
    }

    /// An event of a node was accepted, be it a duplicate.
    #[inline]
    pub fn hear(&mut self, node: usize, event: &Event, now_us: u64) {
        let health = &mut self.nodes[node];
        health.events += 1;
        health.rate.add(now_us);
        health.clock_flagged |= event.clock_flagged;
        // Whether it is silent does not change by what comes at the same moment.
        if health.last_us != Some(now_us) {
            self.break_silence(node, now_us);
        }
    }

    #[inline(never)]
    fn break_silence(&mut self, node: usize, now_us: u64) {
        let health = &mut self.nodes[node];
        health.last_us = Some(now_us);
        let hushes = [health.silence.advance(now_us), health.silence.hear(now_us)];
        for hush in hushes.into_iter().flatten() {
            self.changes.push(silence_change(hush));
            self.date(Subject::Node(node));
        }
    }

    /// A node is blind until a moment; all has been brought up to `now_us`.
    pub fn blind_node(&mut self, node: usize, until_us: u64, now_us: u64) {
        self.nodes[node].silence.blind.set(until_us, now_us);
    }

    /// An edge is blind until a moment; all has been brought up to `now_us`.
    pub fn blind_edge(&mut self, edge: usize, until_us: u64, now_us: u64) {
        self.edges[edge].silence.blind.set(until_us, now_us);
    }

    /// Brings all edges and nodes up to a moment.
    pub fn advance(&mut self, now_us: u64) {
        for edge in 0..self.edges.len() {
            self.edges[edge].advance(now_us, &mut self.changes);
            self.date(Subject::Edge(edge));
        }
        for node in 0..self.nodes.len() {
            self.changes.extend(self.nodes[node].silence.advance(now_us).map(silence_change));
            self.date(Subject::Node(node));
        }
    }

    /// The first moment at which something changes if nothing arrives.
    pub fn next_due_us(&self) -> Option<u64> {
        let edges = self.edges.iter().filter_map(EdgeHealth::next_due_us);
        let nodes = self.nodes.iter().filter_map(|node| node.silence.next_due_us());
        edges.chain(nodes).min()
    }

    /// The changes since the last call, as they were found.
    pub fn take_transitions(&mut self) -> impl Iterator<Item = Transition> {
        self.transitions.drain(..)
    }

    /// The worst status that an edge had at any time; NOK where it or a node of it was ever silent.
    pub fn worst(&self, edge: usize, ends: [usize; 2]) -> Status {
        let health = &self.edges[edge];
        let silent = health.silence.ever || ends.iter().any(|&node| self.nodes[node].silence.ever);
        if silent { Status::Nok } else { health.standing.worst }
    }

    /// The worst `held` of the edges that have an outcome; what is silent counts as NOK.
    pub fn status(&self) -> Status {
        let silent = |silence: &Silence| silence.silent.then_some(Status::Nok);
        let edges = self.edges.iter().filter(|edge| edge.is_observed()).map(|edge| edge.standing.held);
        let hushed = self.edges.iter().filter_map(|edge| silent(&edge.silence));
        let nodes = self.nodes.iter().filter_map(|node| silent(&node.silence));
        edges.chain(hushed).chain(nodes).max().unwrap_or(Status::Unknown)
    }

    /// The state of a node.
    pub fn node_state(&self, node: usize, topology: &Topology) -> NodeState {
        let out = &topology.edges_out[node];
        let health = &self.nodes[node];
        if health.silence.silent {
            NodeState::Silent
        } else if health.events == 0 {
            NodeState::Unobserved
        } else if !out.is_empty() && out.iter().all(|&edge| !self.edges[edge].is_observed()) {
            NodeState::Waiting
        } else {
            NodeState::Observed
        }
    }

    /// How fresh each edge's status is.
    pub fn freshness(&self, stream: &Stream, topology: &Topology, now_us: u64) -> Vec<Freshness> {
        let mut starved = vec![false; self.nodes.len()];
        for &node in &topology.order {
            starved[node] = topology.edges_in[node].iter().any(|&edge| {
                let health = &self.edges[edge];
                health.silence.silent || health.standing.held == Status::Nok || starved[stream.edges[edge].from]
            });
        }
        let of_edge = |(edge, health): (usize, &EdgeHealth)| {
            let recent = health.last_outcome_us.map(|last_us| now_us.saturating_sub(last_us) <= LIVE_US);
            if health.silence.blind.is(now_us) {
                Freshness::Blind
            } else if health.silence.silent {
                Freshness::Silent
            } else if recent.is_none() {
                Freshness::Unobserved
            } else if health.ledger.in_flight > 0 || recent == Some(true) {
                Freshness::Live
            } else if starved[stream.edges[edge].from] {
                Freshness::Starved
            } else {
                Freshness::Idle
            }
        };
        self.edges.iter().enumerate().map(of_edge).collect()
    }

    /// Makes transitions of the changes of one edge or node. An edge that is drawn from traffic has none: it can only
    /// become OK, and its number may mean another edge tomorrow.
    #[inline]
    fn date(&mut self, subject: Subject) {
        if self.changes.is_empty() {
            return;
        }
        let stream = self.stream;
        if matches!(subject, Subject::Edge(edge) if edge >= self.declared) {
            self.changes.clear();
            return;
        }
        let changes = self.changes.drain(..);
        self.transitions.extend(changes.map(|(change, at_us)| Transition { at_us, stream, subject, change }));
    }
}

impl Verdicts for StreamHealth {
    #[inline]
    fn upstream(&mut self, edge: usize, opened: bool, at_us: u64) {
        self.edges[edge].upstream(opened, at_us, &mut self.changes);
        self.date(Subject::Edge(edge));
    }

    fn decided(&mut self, decision: &Decision<'_>) {
        let edge = decision.edge;
        self.edges[edge].decided(decision, &mut self.changes);
        self.date(Subject::Edge(edge));
    }

    fn revised(&mut self, decision: &Decision<'_>, from: Outcome) {
        let edge = decision.edge;
        self.edges[edge].revised(decision, from, &mut self.changes);
        self.date(Subject::Edge(edge));
    }

    fn orphan(&mut self, edge: usize) {
        self.edges[edge].ledger.orphans += 1;
    }

    fn duplicate(&mut self, edge: usize) {
        self.edges[edge].ledger.duplicates += 1;
    }

    fn alias_conflict(&mut self) {
        self.alias_conflicts += 1;
    }
}
