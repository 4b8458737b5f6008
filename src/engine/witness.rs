//! Who brings the events of a node, and so who must testify that none came.

use std::sync::Arc;

use super::inputs::Inputs;
use crate::correlation::{Blank, Sight};
use crate::event::Event;
use crate::graph::{Edge, NodeId, Stream, System};

/// No input: none of them has this place.
const NOBODY: u16 = u16::MAX;

/// By node: the inputs that bring its events. Those named for it, else those that have brought one, else all.
#[derive(Debug)]
pub(super) struct Witness {
    named: Vec<Vec<u16>>,
    learned: Vec<Vec<u16>>,
    /// The input that brought the last event: most often it brings the next.
    recent: Vec<u16>,
    all: Vec<u16>,
}

impl Witness {
    pub(super) fn new(system: &System) -> Self {
        let mut named = vec![Vec::new(); system.nodes.len()];
        for (input, declared) in (0..NOBODY).zip(&system.inputs) {
            for node in &declared.nodes {
                named[node.0 as usize].push(input);
            }
        }
        let (learned, recent) = (vec![Vec::new(); named.len()], vec![NOBODY; named.len()]);
        Self { named, learned, recent, all: (0..NOBODY).take(system.inputs.len()).collect() }
    }

    /// Goes on with another manifest: what was learned stays, by the names of nodes and inputs.
    pub(super) fn reload(&mut self, old: &System, new: &System) {
        let before = std::mem::replace(self, Self::new(new));
        let input = |&input: &u16| {
            let name = &old.inputs[usize::from(input)].name;
            new.inputs.iter().position(|other| other.name == *name).map(|place| place as u16)
        };
        for (node, learned) in before.learned.iter().enumerate().filter(|(_, learned)| !learned.is_empty()) {
            if let Some(place) = new.nodes.iter().position(|name| *name == old.nodes[node]) {
                self.learned[place] = learned.iter().filter_map(input).collect();
            }
        }
    }

    /// An event has come; answers whether that changes who brings those of its node.
    #[inline]
    pub(super) fn hear(&mut self, event: &Event) -> bool {
        self.recent[event.node.0 as usize] != event.input.0 && self.learn(event)
    }

    fn learn(&mut self, event: &Event) -> bool {
        let (node, input) = (event.node.0 as usize, event.input.0);
        self.recent[node] = input;
        let new = self.all.contains(&input) && self.named[node].is_empty() && !self.learned[node].contains(&input);
        if new {
            self.learned[node].push(input);
        }
        new
    }

    /// The inputs that bring the events of a node.
    fn of(&self, node: NodeId) -> &[u16] {
        let node = node.0 as usize;
        [&self.named[node], &self.learned[node]].into_iter().find(|inputs| !inputs.is_empty()).unwrap_or(&self.all)
    }

    /// The largest delay of the inputs that bring the events of a node.
    fn delay_us(&self, system: &System, node: NodeId) -> u64 {
        self.of(node).iter().map(|&input| system.inputs[usize::from(input)].delay_us).max().unwrap_or(0)
    }

    /// Gives all edges of all streams the delay of their nodes.
    pub(super) fn set_all_delays(&self, system: &mut Arc<System>) {
        for stream in 0..system.streams.len() {
            self.set_delays(system, stream);
        }
    }

    /// Gives the edges of a stream the larger delay of their two nodes; answers whether that changes any.
    pub(super) fn set_delays(&self, system: &mut Arc<System>, stream: usize) -> bool {
        let spec = &system.streams[stream];
        let delays_us: Vec<u64> = spec.nodes.iter().map(|node| self.delay_us(system, node.id)).collect();
        let of = |edge: &Edge| delays_us[edge.from].max(delays_us[edge.to]);
        let all_us = delays_us.iter().copied().max().unwrap_or(0);
        let stays = spec.discover.is_none_or(|discover| discover.delay_us == all_us);
        if stays && spec.edges.iter().all(|edge| edge.delay_us == of(edge)) {
            return false;
        }
        let spec = &mut Arc::make_mut(system).streams[stream];
        spec.edges.iter_mut().for_each(|edge| edge.delay_us = of(edge));
        if let Some(discover) = &mut spec.discover {
            discover.delay_us = all_us;
        }
        true
    }

    /// Until when a node is blind; `u64::MAX` as long as that is not known.
    pub(super) fn node_blind_until_us(&self, inputs: &Inputs, node: NodeId) -> u64 {
        self.of(node).iter().map(|&input| inputs.sees_since_us(input)).max().unwrap_or(0)
    }

    /// When nobody could testify that a node had no event. What an input keeps it brings in the end.
    pub(super) fn blanks(&self, inputs: &Inputs, node: NodeId) -> Arc<[Blank]> {
        let brings = self.of(node);
        if brings.is_empty() {
            return inputs.blanks(None).iter().collect();
        }
        let forget = brings.iter().filter(|&&input| !inputs.keeps(input));
        forget.flat_map(|&input| inputs.blanks(Some(input)).iter()).collect()
    }

    /// Until when an edge is blind, and until when nothing on it is judged.
    pub(super) fn edge_blind_until_us(&self, inputs: &Inputs, stream: &Stream, edge: &Edge) -> (u64, u64) {
        let (mut blind_us, mut unjudged_us) = (0, 0);
        for node in [edge.from, edge.to] {
            for &input in self.of(stream.nodes[node].id) {
                let mut until_us = inputs.sees_since_us(input);
                if inputs.keeps(input) {
                    until_us = until_us.saturating_add(edge.wait_us());
                    unjudged_us = until_us.max(unjudged_us);
                }
                blind_us = until_us.max(blind_us);
            }
        }
        (blind_us, unjudged_us)
    }

    /// What may be said on the edges of a stream from `now_us` on, and until when the stream forgets nothing. What is
    /// due now is never due before.
    pub(super) fn sights(&self, inputs: &Inputs, stream: &Stream, now_us: u64) -> (Vec<Sight>, u64) {
        let blanks: Vec<_> = stream.nodes.iter().map(|node| self.blanks(inputs, node.id)).collect();
        let mut keep_until_us = now_us;
        let sight = |edge: &Edge| {
            let (blind_us, unjudged_us) = self.edge_blind_until_us(inputs, stream, edge);
            keep_until_us = keep_until_us.max(blind_us);
            let blanks = Arc::clone(&blanks[edge.to]);
            Sight { wait_us: edge.wait_us(), blind_until_us: unjudged_us.max(now_us), blanks }
        };
        (stream.edges.iter().map(sight).collect(), keep_until_us)
    }
}
