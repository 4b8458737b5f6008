//! A core whose manifest is read again at every step, turned round.

use std::sync::Arc;

use observatory::engine::Engine;
use observatory::event::Event;
use observatory::graph::{InputId, InputState, NodeId, System};
use observatory::outcome::{Ledger, Subject as About, Transition};

use crate::oracle::{Changes, Snapshot, Subject, by_subject, engine};

/// Declares the same, the last first.
fn turn(system: &System) -> System {
    let mut turned = system.clone();
    let last = system.nodes.len() as u32 - 1;
    turned.nodes.reverse();
    turned.inputs.reverse();
    for input in &mut turned.inputs {
        input.nodes.iter_mut().for_each(|node| *node = NodeId(last - node.0));
    }
    for stream in &mut turned.streams {
        let last_place = stream.nodes.len() - 1;
        stream.nodes.reverse();
        for node in &mut stream.nodes {
            node.id = NodeId(last - node.id.0);
        }
        stream.edges.reverse();
        for edge in &mut stream.edges {
            (edge.from, edge.to) = (last_place - edge.from, last_place - edge.to);
        }
    }
    turned
}

/// The core under test.
pub(super) struct Turned {
    engine: Engine,
    /// As declared, and turned.
    systems: [Arc<System>; 2],
    flipped: bool,
    transitions: Vec<Transition>,
}

impl Turned {
    fn set(&mut self, turned: bool, now_us: u64) {
        let taken = self.engine.reload(Arc::clone(&self.systems[usize::from(turned)]), now_us);
        self.keep(taken);
        self.flipped = turned;
    }

    /// The place of an input in the manifest in force.
    fn input(&self, input: InputId) -> InputId {
        let inputs = self.systems[0].inputs.len() as u16;
        if self.flipped && input.0 < inputs { InputId(inputs - 1 - input.0) } else { input }
    }

    /// Keeps transitions by the places of the manifest as declared.
    fn keep(&mut self, taken: Vec<Transition>) {
        for mut transition in taken {
            if self.flipped {
                let stream = &self.systems[0].streams[transition.stream];
                transition.subject = match transition.subject {
                    About::Edge(edge) => About::Edge(stream.edges.len() - 1 - edge),
                    About::Node(node) => About::Node(stream.nodes.len() - 1 - node),
                };
            }
            self.transitions.push(transition);
        }
    }
}

impl Subject for Turned {
    fn start(system: &System, start_us: u64) -> Self {
        let systems = [Arc::new(system.clone()), Arc::new(turn(system))];
        let engine = engine(&systems[0], start_us, (3, 4));
        Self { engine, systems, flipped: false, transitions: Vec::new() }
    }

    fn accept(&mut self, event: &Event, now_us: u64) {
        self.set(!self.flipped, now_us);
        let last = self.systems[0].nodes.len() as u32 - 1;
        let node = if self.flipped { NodeId(last - event.node.0) } else { event.node };
        let input = self.input(event.input);
        self.engine.accept(&Event { node, input, ..event.clone() }, now_us);
    }

    fn advance(&mut self, now_us: u64) {
        self.set(!self.flipped, now_us);
    }

    fn set_input(&mut self, input: InputId, state: InputState, now_us: u64) {
        self.set(!self.flipped, now_us);
        self.engine.set_input(self.input(input), state, now_us);
    }

    fn gap(&mut self, from_us: u64, until_us: u64) {
        self.set(!self.flipped, from_us);
        self.engine.gap(from_us, until_us);
    }

    fn settle(&mut self) {
        self.engine.settle();
    }

    fn ledgers(&mut self) -> Vec<Ledger> {
        self.set(false, self.engine.now_us());
        self.engine.ledgers()
    }

    fn snapshot(&mut self) -> Snapshot {
        self.set(false, self.engine.now_us());
        self.engine.snapshot()
    }

    fn take_changes(&mut self) -> Result<Changes, String> {
        let taken = self.engine.take_transitions();
        self.keep(taken);
        Ok(by_subject(&std::mem::take(&mut self.transitions)))
    }

    fn next_due_us(&mut self) -> Option<u64> {
        self.engine.next_due_us()
    }

    fn now_us(&self) -> u64 {
        self.engine.now_us()
    }
}
