//! What is observed, as the manifest declares it: nodes, streams, edges and what each edge owes.
//!
//! A [`System`] is plain data, checked by the manifest before anything reads it. [`Topology`] holds
//! what follows from a stream's edges alone.

mod input;
mod moves;
mod topology;

pub use input::{Input, InputId, InputKind, InputState};
pub use moves::Moves;
pub use topology::Topology;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// The most nodes that one stream may have.
pub const STREAM_NODES_MAX: usize = 4096;
/// The most outcomes that a window in time holds.
pub const WINDOW_OUTCOMES_MAX: usize = 1_000_000;
/// The window of an edge without a check, in outcomes.
pub const UNCHECKED_WINDOW: u32 = 100;

/// A node among all nodes of the system: the index in [`System::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// All that a manifest declares for the core.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct System {
    /// The system's name.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// The names of all nodes of all streams, each once.
    pub nodes: Vec<String>,
    /// The inputs in force, in the order http, amqp, log.
    pub inputs: Vec<Input>,
    /// The streams, in the order of the manifest.
    pub streams: Vec<Stream>,
    /// The most tokens remembered, over all streams.
    pub max_tokens: usize,
    /// How long a missing token can still turn out late, from its deadline.
    pub remember_us: u64,
    /// Whether events of nodes that no stream knows are counted rather than refused.
    pub accept_unknown: bool,
}

impl System {
    /// The input of this name. One that is not there has no place: what it brings counts for its nodes alone.
    pub fn input(&self, name: &str) -> InputId {
        let place = self.inputs.iter().position(|input| input.name == name);
        place.map_or(InputId::NONE, |place| InputId(place as u16))
    }
}

/// A named directed acyclic graph of nodes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Stream {
    /// 1 to 64 of letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// What flows here, for people.
    pub description: String,
    /// The nodes, in the order in which the manifest names them; at most [`STREAM_NODES_MAX`].
    pub nodes: Vec<StreamNode>,
    /// The edges, in the order of the manifest.
    pub edges: Vec<Edge>,
    /// How long an edge without a check waits for its match.
    pub horizon_us: u64,
    /// Whether edges are drawn as traffic shows them, and what those have instead of a declaration.
    pub discover: Option<Discover>,
}

/// What edges that traffic shows have instead of a declaration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discover {
    /// How long a report may take to reach us, without the inputs' delay.
    pub grace_us: u64,
    /// The largest `delay` of the inputs that bring the events of the stream's nodes.
    pub delay_us: u64,
    /// How far a downstream stamp may lie before its upstream's without being reversed.
    pub clock_skew_us: u64,
    /// How long a bad status stays on show.
    pub hold_us: u64,
}

impl Discover {
    /// `grace` with the inputs' delay.
    pub fn wait_us(&self) -> u64 {
        self.grace_us + self.delay_us
    }

    /// An edge between two nodes, given by their places.
    pub fn edge(&self, from: usize, to: usize) -> Edge {
        let Self { grace_us, delay_us, clock_skew_us, hold_us } = *self;
        Edge { name: None, from, to, check: None, grace_us, delay_us, clock_skew_us, hold_us, silence_us: None }
    }
}

/// A node's place in a stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StreamNode {
    /// Which node.
    pub id: NodeId,
    /// With no event for longer than this the node is silent.
    pub silence_us: Option<u64>,
}

/// What `from` sees, `to` must see.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Edge {
    /// What people call it.
    pub name: Option<String>,
    /// The upstream node: an index in [`Stream::nodes`].
    pub from: usize,
    /// The downstream node: an index in [`Stream::nodes`].
    pub to: usize,
    /// What it owes; without one the edge is only drawn.
    pub check: Option<Check>,
    /// How long the downstream's report may take to reach us, without the inputs' delay.
    pub grace_us: u64,
    /// The largest `delay` of the inputs that bring the events of the edge's two nodes.
    pub delay_us: u64,
    /// How far a downstream stamp may lie before its upstream's and still be a pass.
    pub clock_skew_us: u64,
    /// How long a bad status stays on show.
    pub hold_us: u64,
    /// With no new upstream event for longer than this the edge is silent.
    pub silence_us: Option<u64>,
}

impl Edge {
    /// How long after an upstream event's arrival it is judged; `None` without a deadline.
    ///
    /// A count check has one too: it runs from the arrival of its group's last event.
    pub fn patience_us(&self) -> Option<u64> {
        match &self.check {
            Some(check) if !check.optional => Some(check.within_us + self.wait_us()),
            _ => None,
        }
    }

    /// `grace` with the inputs' delay.
    pub fn wait_us(&self) -> u64 {
        self.grace_us + self.delay_us
    }

    /// The count check's parameters, where it is one.
    pub fn count(&self) -> Option<CountCheck> {
        match self.check.as_ref()?.kind {
            CheckKind::Count(count) => Some(count),
            CheckKind::Time => None,
        }
    }
}

impl Stream {
    /// How long after the arrival of its last new event a token is remembered.
    ///
    /// The largest `within` (the horizon, for an edge without a check, drawn or to be drawn) and twice the largest `grace`.
    pub fn memory_us(&self) -> u64 {
        let within = |edge: &Edge| edge.check.as_ref().map_or(self.horizon_us, |check| check.within_us);
        let horizon_us = self.discover.map(|_| self.horizon_us);
        let within_us = self.edges.iter().map(within).chain(horizon_us).max().unwrap_or(self.horizon_us);
        let waits_us = self.edges.iter().map(Edge::wait_us).chain(self.discover.map(|discover| discover.wait_us()));
        let wait_us = waits_us.max().unwrap_or(0);
        within_us + 2 * wait_us
    }
}

/// What an edge demands: a deadline and thresholds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Check {
    /// By time or by count.
    pub kind: CheckKind,
    /// The deadline.
    pub within_us: u64,
    /// The deadline as the manifest writes it.
    pub within_text: String,
    /// When it is OK, WARN and NOK.
    pub thresholds: Thresholds,
    /// A way that only some messages take: no deadline.
    pub optional: bool,
}

/// How a check judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckKind {
    /// Every message, by its token.
    Time,
    /// Groups of messages, by their number.
    Count(CountCheck),
}

/// Of `every` upstream events, `expect` must be seen downstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountCheck {
    /// Upstream events in a group, 1 to 65,536.
    pub every: u32,
    /// Downstream events that make a group pass, 1 or more.
    pub expect: u32,
    /// Whether a downstream event counts only for a group that holds its token.
    pub same_token: bool,
}

/// When an edge is OK, WARN and NOK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Passes in the window that make it OK, 1 or more.
    pub ok: u32,
    /// Fails in the window that make it WARN.
    pub warn: Threshold,
    /// Fails in the window that make it NOK.
    pub fail: Threshold,
    /// The window, where the check says one; else `ok + warn + fail` outcomes.
    pub window: Option<Window>,
}

impl Thresholds {
    /// Those of an edge without a check.
    pub const UNCHECKED: Self = Self {
        ok: 1,
        warn: Threshold::Count(0),
        fail: Threshold::Count(0),
        window: Some(Window::Outcomes(UNCHECKED_WINDOW)),
    };

    /// The window in force.
    pub fn window(&self) -> Window {
        let count = |threshold| match threshold {
            Threshold::Count(count) => count,
            Threshold::Percent(_) => 0,
        };
        let sum = self.ok.saturating_add(count(self.warn)).saturating_add(count(self.fail));
        self.window.unwrap_or(Window::Outcomes(sum))
    }
}

/// A number of fails, or a share of the outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Threshold {
    /// This many fails; 0 means no tolerance.
    Count(u32),
    /// This share, in ten-thousandths of a percent: `"1%"` is 10,000.
    Percent(u32),
}

/// The last outcomes of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    /// So many outcomes.
    Outcomes(u32),
    /// What was decided at most this long ago, in microseconds; at most [`WINDOW_OUTCOMES_MAX`].
    Time(u64),
}

/// Finds nodes by name, and the streams that they stand in.
#[derive(Clone, Debug, Default)]
pub struct NodeIndex {
    by_name: HashMap<Box<[u8]>, NodeId, hashbrown::DefaultHashBuilder>,
    /// By node: its stream and its place there.
    places: Vec<Vec<(usize, usize)>>,
}

impl NodeIndex {
    /// Indexes all nodes of a system.
    pub fn new(system: &System) -> Self {
        let by_name = system.nodes.iter().zip(0..).map(|(name, id)| (name.as_bytes().into(), NodeId(id))).collect();
        let mut places = vec![Vec::new(); system.nodes.len()];
        for (stream_index, stream) in system.streams.iter().enumerate() {
            for (place, node) in stream.nodes.iter().enumerate() {
                places[node.id.0 as usize].push((stream_index, place));
            }
        }
        Self { by_name, places }
    }

    /// The node of this name.
    #[inline]
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.find_bytes(name.as_bytes())
    }

    /// The node of this name, which need not even be UTF-8.
    #[inline]
    pub fn find_bytes(&self, name: &[u8]) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// The streams that the node stands in, each with its place there.
    #[inline]
    pub fn places(&self, node: NodeId) -> &[(usize, usize)] {
        &self.places[node.0 as usize]
    }

    /// The known name nearest to a wrong one, where one is near enough to be meant.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.by_name.keys().filter_map(|name| str::from_utf8(name).ok()))
    }
}

/// Of some names the one nearest to a wrong one, where one is near enough to be meant.
pub fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |name: &str| strsim::damerau_levenshtein(&wrong.to_lowercase(), &name.to_lowercase());
    names
        .filter(|name| name.len().abs_diff(wrong.len()) <= 3)
        .map(|name| (distance(name), name))
        .filter(|&(distance, name)| distance <= 1 + name.chars().count() / 4)
        .min()
        .map(|(_, name)| name)
}
