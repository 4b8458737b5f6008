//! What a stream's edges ask for, laid out as the correlator reads it.

use crate::graph::{Stream, Topology};

/// How an edge is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A request has a deadline.
    Timed,
    /// No check, or an optional one: a request without a match comes to nothing.
    Open,
    /// By number: the index of its groups.
    Count(usize),
}

/// What one edge asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) edge: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: Kind,
    /// The longest latency of a pass; `None` without a check.
    pub(super) within_us: Option<u64>,
    /// From an upstream event's arrival to its deadline, before the correlator was told another.
    pub(super) patience_us: u64,
    pub(super) clock_skew_us: u64,
}

/// The rules of a node's edges.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) incoming: Vec<Rule>,
    pub(super) outgoing: Vec<Rule>,
}

impl Ends {
    /// The other ends of the edges on which messages are matched, a bit each.
    fn company(&self) -> u64 {
        let ends = self.incoming.iter().map(|rule| (rule.kind, rule.from));
        let ends = ends.chain(self.outgoing.iter().map(|rule| (rule.kind, rule.to)));
        let matched = ends.filter(|(kind, _)| !matches!(kind, Kind::Count(_)));
        matched.fold(0, |places, (_, place)| places | 1 << place)
    }
}

/// A stream as the correlator reads it.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) topology: Topology,
    /// By edge.
    pub(super) rules: Vec<Rule>,
    /// By node.
    pub(super) nodes: Vec<Ends>,
    pub(super) memory_us: u64,
    pub(super) remember_us: u64,
    /// Edges are drawn from traffic, too.
    pub(super) discovers: bool,
    /// The stream has at most 64 nodes: a bit for each fits a number.
    pub(super) small: bool,
    /// By node, where the stream is small: those that must have been seen, too, if it was, a bit each.
    company: Vec<u64>,
}

impl Shape {
    pub(super) fn new(stream: &Stream, remember_us: u64) -> Self {
        let mut counts = 0..;
        let mut rules = Vec::with_capacity(stream.edges.len());
        let mut nodes: Vec<Ends> = stream.nodes.iter().map(|_| Ends::default()).collect();
        for (index, edge) in stream.edges.iter().enumerate() {
            let kind = if edge.count().is_some() {
                Kind::Count(counts.next().unwrap_or_default())
            } else if edge.patience_us().is_some() {
                Kind::Timed
            } else {
                Kind::Open
            };
            let rule = Rule {
                edge: index,
                from: edge.from,
                to: edge.to,
                kind,
                within_us: edge.check.as_ref().map(|check| check.within_us),
                patience_us: edge.patience_us().unwrap_or(0),
                clock_skew_us: edge.clock_skew_us,
            };
            nodes[edge.from].outgoing.push(rule);
            nodes[edge.to].incoming.push(rule);
            rules.push(rule);
        }
        let (memory_us, discovers) = (stream.memory_us(), stream.discover.is_some());
        let small = nodes.len() <= 64;
        let company = if small { nodes.iter().map(Ends::company).collect() } else { Vec::new() };
        Self { topology: Topology::new(stream), rules, nodes, memory_us, remember_us, discovers, small, company }
    }

    /// Whether a message that was seen at these places, a bit each, and nowhere else, has met all that it should.
    #[inline]
    pub(super) fn is_whole(&self, places: u64) -> bool {
        let mut left = places;
        while left != 0 {
            let missed = self.company.get(left.trailing_zeros() as usize).map_or(1, |company| company & !places);
            if missed != 0 {
                return false;
            }
            left &= left - 1;
        }
        true
    }
}
