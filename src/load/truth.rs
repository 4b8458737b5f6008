//! What must stand in the ledgers, from what was planned.

use std::collections::BTreeMap;

use super::groups::Groups;
use crate::clock::SECOND_US;
use crate::graph::{Edge, NodeIndex, Stream, System, Topology};
use crate::outcome::{Ledger, Outcome};

/// What one node reported of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) node: usize,
    /// By the node's own clock, from the start of the plan.
    pub(super) stamp_us: i64,
    /// When the report is sent, from the start of the plan.
    pub(super) send_us: u64,
}

/// A report as one stream takes it.
#[derive(Clone, Copy, Debug)]
struct Here {
    stream: usize,
    place: usize,
    seen: Seen,
    /// How often the stream had forgotten the message before.
    span: u32,
}

/// What becomes of the requests of one second, for those who must know whom an outage has met.
pub(super) type Second = [u32; Outcome::ALL.len() + 1];
/// The last place of a [`Second`].
pub(super) const ORPHANS: usize = Outcome::ALL.len();

/// The truth about one edge.
#[derive(Debug)]
pub(super) struct EdgeTruth {
    pub(super) ledger: Ledger,
    pub(super) groups: Option<Groups>,
    pub(super) by_second: BTreeMap<u64, Second>,
    /// The nodes that `from` reaches only through `to`.
    beyond: Vec<usize>,
}

/// What must come of a plan.
#[derive(Debug)]
pub struct Truth {
    index: NodeIndex,
    topologies: Vec<Topology>,
    /// By stream and edge.
    pub(super) edges: Vec<Vec<EdgeTruth>>,
    /// By node: reports that were sent twice.
    duplicates: Vec<u64>,
    /// By node: its reports, those that were sent twice counted once.
    pub(super) reports: Vec<u64>,
}

impl Truth {
    pub(super) fn new(system: &System) -> Self {
        let edge = |stream: &Stream, topology: &Topology, edge: &Edge| {
            let within_us = edge.check.as_ref().map_or(0, |check| check.within_us);
            let groups = edge.count().map(|count| Groups::new(count, within_us, edge.wait_us(), edge.clock_skew_us));
            EdgeTruth {
                ledger: Ledger::default(),
                groups,
                by_second: BTreeMap::new(),
                beyond: beyond(stream, topology, edge.from, edge.to),
            }
        };
        let topologies: Vec<_> = system.streams.iter().map(Topology::new).collect();
        let edges = |(stream, topology): (&Stream, &Topology)| {
            stream.edges.iter().map(|one| edge(stream, topology, one)).collect()
        };
        Self {
            index: NodeIndex::new(system),
            edges: system.streams.iter().zip(&topologies).map(edges).collect(),
            topologies,
            duplicates: vec![0; system.nodes.len()],
            reports: vec![0; system.nodes.len()],
        }
    }

    /// Notes that a report is sent: count checks go by the order.
    pub(super) fn report(&mut self, seen: Seen, token: u64) {
        let Seen { node, stamp_us, send_us } = seen;
        self.reports[node] += 1;
        for &(stream, place) in self.index.places(crate::graph::NodeId(node as u32)) {
            let topology = &self.topologies[stream];
            for &edge in &topology.edges_in[place] {
                if let Some(groups) = &mut self.edges[stream][edge].groups {
                    groups.downstream(send_us, stamp_us, token);
                }
            }
            for &edge in &topology.edges_out[place] {
                let EdgeTruth { groups, ledger, .. } = &mut self.edges[stream][edge];
                if let Some(groups) = groups {
                    groups.upstream(send_us, stamp_us, token);
                    ledger.upstream += 1;
                }
            }
        }
    }

    /// Notes that a report is sent a second time.
    pub(super) fn duplicate(&mut self, node: usize) {
        self.duplicates[node] += 1;
    }

    /// Judges a message by all that will ever be reported of it.
    pub(super) fn judge(&mut self, system: &System, seen: &[Seen]) {
        let mut here: Vec<Here> = Vec::new();
        for &seen in seen {
            let places = self.index.places(crate::graph::NodeId(seen.node as u32));
            here.extend(places.iter().map(|&(stream, place)| Here { stream, place, seen, span: 0 }));
        }
        here.sort_unstable_by_key(|here| (here.stream, here.seen.send_us));
        for here in here.chunk_by_mut(|one, other| one.stream == other.stream) {
            let stream = here[0].stream;
            let memory_us = system.streams[stream].memory_us();
            // A stream that has heard nothing for longer than it remembers begins anew.
            for next in 1..here.len() {
                let forgotten = here[next].seen.send_us - here[next - 1].seen.send_us > memory_us;
                here[next].span = here[next - 1].span + u32::from(forgotten);
            }
            here.sort_unstable_by_key(|here| here.place);
            self.judge_in(&system.streams[stream], stream, here, system.remember_us);
        }
    }

    /// Judges what one stream was told of a message, sorted by place.
    fn judge_in(&mut self, stream: &Stream, index: usize, all: &[Here], remember_us: u64) {
        let at = |place: usize| all.binary_search_by_key(&place, |here| here.place).ok().map(|at| &all[at]);
        let meets = |edge: &Edge, from: &Here, to: &Here| {
            // What comes after its upstream is forgotten finds it among the lost ones, where it has a deadline.
            let lost_us = edge.patience_us().map(|patience_us| from.seen.send_us + patience_us + remember_us);
            from.span == to.span || (from.span < to.span && lost_us.is_some_and(|until_us| to.seen.send_us <= until_us))
        };
        for here in all {
            for &edge in &self.topologies[index].edges_out[here.place] {
                let (declared, truth) = (&stream.edges[edge], &mut self.edges[index][edge]);
                if truth.groups.is_some() {
                    continue;
                }
                let to = at(declared.to).filter(|to| meets(declared, here, to));
                let beyond = || truth.beyond.iter().any(|&place| at(place).is_some_and(|at| at.span == here.span));
                let outcome = outcome(declared, here.seen.stamp_us, to.map(|to| to.seen.stamp_us), beyond);
                truth.ledger.upstream += 1;
                *truth.ledger.of_mut(outcome) += 1;
                truth.note(here.seen.send_us, outcome as usize);
            }
            for &edge in &self.topologies[index].edges_in[here.place] {
                let (declared, truth) = (&stream.edges[edge], &mut self.edges[index][edge]);
                let met = at(declared.from).is_some_and(|from| meets(declared, from, here));
                if truth.groups.is_none() && !met {
                    truth.ledger.orphans += 1;
                    truth.note(here.seen.send_us, ORPHANS);
                }
            }
        }
    }

    /// Nothing more comes.
    pub(super) fn close(&mut self, system: &System) {
        for (stream, edges) in system.streams.iter().zip(&mut self.edges) {
            for (edge, truth) in stream.edges.iter().zip(edges) {
                let duplicates = |place: usize| self.duplicates[stream.nodes[place].id.0 as usize];
                let ledger = &mut truth.ledger;
                ledger.duplicates = duplicates(edge.from) + duplicates(edge.to);
                if let Some(groups) = &mut truth.groups {
                    ledger.in_flight = u64::from(groups.settle());
                    (ledger.pass, ledger.missing) = (groups.passed, groups.missing);
                    // So far it counted events.
                    ledger.upstream = ledger.pass + ledger.missing + ledger.in_flight;
                }
            }
        }
    }

    /// An edge's ledger when all deadlines have passed, by stream and edge. `revisions` depend on how quick
    /// everybody is: they are left at 0.
    pub fn ledger(&self, stream: usize, edge: usize) -> &Ledger {
        &self.edges[stream][edge].ledger
    }
}

impl EdgeTruth {
    fn note(&mut self, send_us: u64, what: usize) {
        self.by_second.entry(send_us / SECOND_US).or_default()[what] += 1;
    }
}

/// What becomes of one request on an edge with or without a time check.
fn outcome(edge: &Edge, from_us: i64, to_us: Option<i64>, beyond: impl Fn() -> bool) -> Outcome {
    let deadline = edge.check.as_ref().is_some_and(|check| !check.optional);
    match (to_us, &edge.check) {
        (Some(_), None) => Outcome::Pass,
        (Some(to_us), Some(check)) => match to_us - from_us {
            latency_us if latency_us > check.within_us as i64 => Outcome::Late,
            latency_us if latency_us < -(edge.clock_skew_us as i64) => Outcome::Reversed,
            _ => Outcome::Pass,
        },
        (None, _) if !deadline => Outcome::Unmatched,
        (None, _) if beyond() => Outcome::Unreported,
        (None, _) => Outcome::Missing,
    }
}

/// The places that can be reached from `from`, but not when `to` is taken away.
fn beyond(stream: &Stream, topology: &Topology, from: usize, to: usize) -> Vec<usize> {
    let reach = |without: Option<usize>| {
        let mut reached = vec![false; stream.nodes.len()];
        let mut ahead = vec![from];
        while let Some(node) = ahead.pop() {
            for next in topology.edges_out[node].iter().map(|&edge| stream.edges[edge].to) {
                if Some(next) != without && !std::mem::replace(&mut reached[next], true) {
                    ahead.push(next);
                }
            }
        }
        reached
    };
    let (all, without) = (reach(None), reach(Some(to)));
    (0..stream.nodes.len()).filter(|&node| node != to && all[node] && !without[node]).collect()
}
