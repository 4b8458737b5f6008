//! The edges of one stream that traffic shows: found by discovery, matched by the correlator, shown by health.

use serde::{Deserialize, Serialize};

use crate::board::DiscoveryBoard;
use crate::correlation::{DrawnEdges, Flow, Joined};
use crate::discovery::{Counters, Discovery, Sighting};
use crate::event::{Event, Token};
use crate::graph::{Discover, Edge, Moves, Stream, Topology};
use crate::health::StreamHealth;

/// Draws the edges of one stream.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Discovered {
    discover: Discover,
    discovery: Discovery,
    #[serde(skip)]
    edges: DrawnEdges,
    /// The [`Discovery::revision`] that is drawn.
    revision: u64,
    /// How many edges are declared.
    declared: usize,
    /// The stream with the edges that traffic shows, behind the declared ones.
    pub(super) shown: Stream,
    /// The shape of that.
    #[serde(skip)]
    pub(super) topology: Topology,
}

impl Discovered {
    /// For a stream that asks for it.
    pub(super) fn of(stream: &Stream) -> Option<Box<Self>> {
        let discover = stream.discover?;
        let (nodes, declared) = (stream.nodes.len(), ends(&stream.edges));
        let discovery = Discovery::new(nodes, &declared, discover.wait_us(), stream.memory_us());
        Some(Box::new(Self::drawing_nothing(stream, discover, discovery)))
    }

    /// Goes on in another shape of the stream, if that asks for discovery, too; `health` has been brought there.
    pub(super) fn reload(
        before: Option<&Self>,
        stream: &Stream,
        moves: &Moves,
        now_us: u64,
        health: &mut StreamHealth,
    ) -> Option<Box<Self>> {
        let (Some(before), Some(discover)) = (before, stream.discover) else {
            health.redraw(stream, &[], now_us);
            return Self::of(stream);
        };
        let (nodes, declared) = (stream.nodes.len(), ends(&stream.edges));
        let times_us = (discover.wait_us(), stream.memory_us());
        let discovery = before.discovery.reload(nodes, &declared, times_us, &moves.nodes);
        let mut next = Box::new(Self::drawing_nothing(stream, discover, discovery));
        let place = |node: usize| moves.nodes[node];
        let drawn = ends(&before.shown.edges[before.declared..]);
        let drawn: Vec<_> = drawn.into_iter().map(|(from, to)| Some((place(from)?, place(to)?))).collect();
        next.draw(&drawn, now_us, health);
        Some(next)
    }

    fn drawing_nothing(stream: &Stream, discover: Discover, discovery: Discovery) -> Self {
        Self {
            discover,
            discovery,
            edges: DrawnEdges::new(stream.nodes.len(), &[], 0),
            revision: 0,
            declared: stream.edges.len(),
            shown: stream.clone(),
            topology: Topology::new(stream),
        }
    }

    /// The inputs' delay has changed; `stream` has it. How long messages are looked at stays, which no verdict shows.
    pub(super) fn set_delays(&mut self, stream: &Stream) {
        let Some(discover) = stream.discover else { return };
        self.discover = discover;
        for (edge, declared) in self.shown.edges.iter_mut().zip(&stream.edges) {
            edge.delay_us = declared.delay_us;
        }
        for drawn in &mut self.shown.edges[self.declared..] {
            drawn.delay_us = discover.delay_us;
        }
    }

    /// Makes what follows from the rest.
    pub(super) fn restore(&mut self) {
        self.topology = Topology::new(&self.shown);
        self.edges = DrawnEdges::new(self.shown.nodes.len(), &self.shown.edges, self.declared);
    }

    /// Works off what is due before `now_us`.
    #[inline]
    pub(super) fn advance(&mut self, now_us: u64, health: &mut StreamHealth) {
        while let Some(at_us) = self.discovery.advance(now_us) {
            self.redraw(at_us, health);
        }
    }

    /// When [`Self::advance`] has something to do next; it does it when the clock has passed this.
    pub(super) fn next_due_us(&self) -> Option<u64> {
        self.discovery.next_due_us()
    }

    /// Draws what all events so far show, whether their messages have come to rest or not.
    pub(super) fn look_at_all(&mut self, now_us: u64, health: &mut StreamHealth) {
        if self.discovery.look_at_all(now_us) {
            self.redraw(now_us, health);
        }
    }

    /// Takes an event that is new to the flow, of the node at a place; `parent` is the place of the node that it names.
    pub(super) fn see(
        &mut self,
        (message, flow): (u32, &Flow),
        (node, event, parent): (usize, &Event, Option<usize>),
        now_us: u64,
        health: &mut StreamHealth,
    ) {
        let before = flow.seen_before();
        self.edges.accept(node, event, before, now_us, health);
        let named = parent.is_some_and(|parent| self.discovery.parent(parent, node));
        let sighting = Sighting { node, timestamp_us: event.timestamp_us, named };
        self.discovery.see(message, before.sightings(), sighting, now_us);
        if self.discovery.revision() != self.revision {
            self.redraw(now_us, health);
        }
    }

    /// Two messages became one, by an event with that token.
    pub(super) fn join(&mut self, joined: &Joined, token: &Token, now_us: u64, health: &mut StreamHealth) {
        self.edges.join(joined, token, now_us, health);
        let (kept, gone) = (&joined.kept, &joined.gone);
        self.discovery.join(kept.0, gone.0, kept.1.sightings().chain(gone.1.sightings()), now_us);
    }

    /// What had to be left out.
    pub(super) fn board(&self) -> DiscoveryBoard {
        let Counters { parents_refused, messages_skipped, pairs_skipped, edges_in_cycles, edges_over_limit } =
            self.discovery.counters();
        DiscoveryBoard { parents_refused, messages_skipped, pairs_skipped, edges_in_cycles, edges_over_limit }
    }

    /// Draws the edges that discovery has found. What is known to have passed a new one counts.
    fn redraw(&mut self, now_us: u64, health: &mut StreamHealth) {
        let before: Vec<_> = ends(&self.shown.edges[self.declared..]).into_iter().map(Some).collect();
        self.draw(&before, now_us, health);
    }

    /// Draws the edges that discovery has found; `before` says which were drawn, where those still can be.
    fn draw(&mut self, before: &[Option<(usize, usize)>], now_us: u64, health: &mut StreamHealth) {
        let ends = self.discovery.edges();
        let kept: Vec<_> = ends.iter().map(|&ends| before.iter().position(|&known| known == Some(ends))).collect();
        self.shown.edges.truncate(self.declared);
        self.shown.edges.extend(ends.iter().map(|&(from, to)| self.discover.edge(from, to)));
        self.topology = Topology::new(&self.shown);
        self.edges = DrawnEdges::new(self.shown.nodes.len(), &self.shown.edges, self.declared);
        health.redraw(&self.shown, &kept, now_us);
        for (at, ends) in ends.iter().enumerate().filter(|&(at, _)| kept[at].is_none()) {
            let edge = self.declared + at;
            for stamps in self.discovery.passed(*ends) {
                health.recall(&DrawnEdges::recall(edge, &self.shown.edges[edge], stamps, now_us));
            }
        }
        self.revision = self.discovery.revision();
    }
}

/// The two ends of each edge.
fn ends(edges: &[Edge]) -> Vec<(usize, usize)> {
    edges.iter().map(|edge| (edge.from, edge.to)).collect()
}
