//! Edges that traffic shows: every match is a pass, and nothing else is counted.

use super::flow::Joined;
use super::matching::judge;
use super::sightings::Seen;
use super::verdicts::{Decision, Verdicts};
use crate::event::{Event, Token};
use crate::graph::Edge;

/// One of the edges.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    /// Its index among all edges of the stream.
    edge: usize,
    from: usize,
    to: usize,
    clock_skew_us: u64,
}

impl Drawn {
    fn matched<'a>(&self, upstream_us: u64, downstream_us: u64, token: Option<&'a Token>, at_us: u64) -> Decision<'a> {
        let matched = judge(upstream_us, downstream_us, None, self.clock_skew_us);
        Decision {
            edge: self.edge,
            outcome: matched.outcome,
            token,
            latency_us: matched.latency_us,
            behind_us: matched.behind_us,
            at_us,
            // What is never revised need not be found again.
            place: Some(u64::MAX),
        }
    }
}

/// The edges of one stream that traffic shows.
#[derive(Debug, Default)]
pub struct DrawnEdges {
    /// By node: the edges that touch it.
    by_node: Vec<Vec<Drawn>>,
}

impl DrawnEdges {
    /// Of a stream with so many nodes: the edges from the one at `first` on.
    pub fn new(nodes: usize, edges: &[Edge], first: usize) -> Self {
        let mut by_node = vec![Vec::new(); nodes];
        for (edge, declared) in edges.iter().enumerate().skip(first) {
            let &Edge { from, to, clock_skew_us, .. } = declared;
            let drawn = Drawn { edge, from, to, clock_skew_us };
            by_node[from].push(drawn);
            by_node[to].push(drawn);
        }
        Self { by_node }
    }

    /// Matches a new event of `node` with what was seen of its message before.
    pub fn accept(&self, node: usize, event: &Event, before: &Seen, now_us: u64, out: &mut impl Verdicts) {
        for drawn in &self.by_node[node] {
            let other = if drawn.from == node { drawn.to } else { drawn.from };
            let Some(other_us) = before.at(other) else { continue };
            let (upstream_us, downstream_us) =
                if drawn.from == node { (event.timestamp_us, other_us) } else { (other_us, event.timestamp_us) };
            out.upstream(drawn.edge, true, now_us);
            out.decided(&drawn.matched(upstream_us, downstream_us, Some(&event.token), now_us));
        }
    }

    /// Matches what was seen of two messages that became one.
    pub fn join(&self, joined: &Joined, token: &Token, now_us: u64, out: &mut impl Verdicts) {
        let both = [&joined.kept.1, &joined.gone.1];
        for [up, down] in [both, [both[1], both[0]]] {
            for (node, upstream_us) in up.sightings() {
                for drawn in self.by_node[node].iter().filter(|drawn| drawn.from == node) {
                    let Some(downstream_us) = down.at(drawn.to) else { continue };
                    out.upstream(drawn.edge, true, now_us);
                    out.decided(&drawn.matched(upstream_us, downstream_us, Some(token), now_us));
                }
            }
        }
    }

    /// What a message comes to that had passed both nodes of an edge before that was drawn.
    pub fn recall(
        edge: usize,
        declared: &Edge,
        (upstream_us, downstream_us): (u64, u64),
        at_us: u64,
    ) -> Decision<'static> {
        let &Edge { from, to, clock_skew_us, .. } = declared;
        Drawn { edge, from, to, clock_skew_us }.matched(upstream_us, downstream_us, None, at_us)
    }
}
