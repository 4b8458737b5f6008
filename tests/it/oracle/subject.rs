//! What the tests hold to the law: the core and the oracle, behind one door.

use std::sync::Arc;

use observatory::board::RECENT_FAILS;
use observatory::engine::Engine;
use observatory::event::Event;
use observatory::graph::{InputId, InputState, System};
use observatory::outcome::Ledger;

use super::Oracle;
use super::snapshot::{EdgeShot, NodeShot, Snapshot, StreamShot};
use super::transitions::{Changes, by_subject};

/// An implementation of the law.
pub(crate) trait Subject {
    /// One that starts at a moment of the arrival clock.
    fn start(system: &System, start_us: u64) -> Self
    where
        Self: Sized;
    /// Judges what is due, then takes an event.
    fn accept(&mut self, event: &Event, now_us: u64);
    /// Judges what is due.
    fn advance(&mut self, now_us: u64);
    /// An input says how it is.
    fn set_input(&mut self, input: InputId, state: InputState, now_us: u64);
    /// We did not run from one moment until another.
    fn gap(&mut self, from_us: u64, until_us: u64);
    /// Lets the clock run out.
    fn settle(&mut self);
    /// The ledgers of all edges, by stream.
    fn ledgers(&mut self) -> Vec<Ledger>;
    /// All that can be seen.
    fn snapshot(&mut self) -> Snapshot;
    /// Every change since the last call, by what it is about; `Err` where they are not in the order of time.
    fn take_changes(&mut self) -> Result<Changes, String>;
    /// The moment after which there is something to do.
    fn next_due_us(&mut self) -> Option<u64>;
    /// The greatest moment seen so far.
    fn now_us(&self) -> u64;
}

impl Subject for Oracle {
    fn start(system: &System, start_us: u64) -> Self {
        Self::new(system, start_us)
    }

    fn accept(&mut self, event: &Event, now_us: u64) {
        Self::accept(self, event, now_us);
    }

    fn advance(&mut self, now_us: u64) {
        Self::advance(self, now_us);
    }

    fn set_input(&mut self, input: InputId, state: InputState, now_us: u64) {
        Self::set_input(self, input, state, now_us);
    }

    fn gap(&mut self, from_us: u64, until_us: u64) {
        Self::gap(self, from_us, until_us);
    }

    fn settle(&mut self) {
        Self::settle(self);
    }

    fn ledgers(&mut self) -> Vec<Ledger> {
        Self::ledgers(self)
    }

    fn snapshot(&mut self) -> Snapshot {
        Self::snapshot(self)
    }

    fn take_changes(&mut self) -> Result<Changes, String> {
        Ok(self.changes())
    }

    fn next_due_us(&mut self) -> Option<u64> {
        Some(0)
    }

    fn now_us(&self) -> u64 {
        Self::now_us(self)
    }
}

impl Subject for Engine {
    fn start(system: &System, start_us: u64) -> Self {
        engine(&Arc::new(system.clone()), start_us, (start_us ^ system.remember_us, system.max_tokens as u64))
    }

    fn accept(&mut self, event: &Event, now_us: u64) {
        Self::accept(self, event, now_us);
    }

    fn advance(&mut self, now_us: u64) {
        Self::advance(self, now_us);
    }

    fn set_input(&mut self, input: InputId, state: InputState, now_us: u64) {
        Self::set_input(self, input, state, now_us);
    }

    fn gap(&mut self, from_us: u64, until_us: u64) {
        Self::gap(self, from_us, until_us);
    }

    fn settle(&mut self) {
        Self::settle(self);
    }

    fn ledgers(&mut self) -> Vec<Ledger> {
        let board = self.board();
        board.streams.iter().flat_map(|stream| &stream.edges).map(|edge| edge.ledger).collect()
    }

    fn snapshot(&mut self) -> Snapshot {
        let board = self.board();
        let streams = board.streams.iter().enumerate().map(|(index, stream)| {
            let node = |node: &observatory::board::NodeBoard| NodeShot {
                state: node.state,
                events: node.events,
                last: node.last,
                clock_flagged: node.clock_flagged,
                unreported: node.unreported,
            };
            StreamShot {
                status: stream.status,
                unobserved: stream.unobserved,
                alias_conflicts: stream.alias_conflicts,
                nodes: stream.nodes.iter().map(node).collect(),
                edges: (0..stream.edges.len()).map(|edge| edge_shot(self, index, edge)).collect(),
            }
        });
        Snapshot { streams: streams.collect(), tokens: board.tokens, evicted: board.tokens_evicted }
    }

    fn take_changes(&mut self) -> Result<Changes, String> {
        let taken = self.take_transitions();
        if taken.is_sorted_by_key(|transition| transition.at_us) {
            return Ok(by_subject(&taken));
        }
        Err(format!("these transitions are not in the order of time: {taken:?}"))
    }

    fn next_due_us(&mut self) -> Option<u64> {
        Self::next_due_us(self)
    }

    fn now_us(&self) -> u64 {
        Self::now_us(self)
    }
}

/// A core that replays where the system has no input, and else runs live.
pub(crate) fn engine(system: &Arc<System>, start_us: u64, seed: (u64, u64)) -> Engine {
    let make = if system.inputs.is_empty() { Engine::new } else { Engine::live };
    make(Arc::clone(system), start_us, seed)
}

fn edge_shot(engine: &mut Engine, stream: usize, index: usize) -> EdgeShot {
    let detail = engine.edge_detail(stream, index).expect("an edge of the manifest");
    let edge = detail.edge;
    assert_eq!(edge.in_flight, edge.ledger.in_flight, "the board agrees with its own ledger");
    let recent = &detail.fails[detail.fails.len().saturating_sub(RECENT_FAILS)..];
    assert_eq!(&*edge.recent_fails, recent, "the board shows the newest of the fails");
    let timed = edge.check.as_ref().is_some_and(|check| check.kind == "time" && !check.optional);
    EdgeShot {
        ledger: edge.ledger,
        status: edge.status,
        status_since: edge.status_since,
        held: edge.held,
        held_since: edge.held_since,
        freshness: edge.freshness,
        pass: edge.pass,
        total: edge.total,
        last_pass: edge.last_pass,
        last_fail: edge.last_fail,
        first_judgements: edge.counters.outcomes,
        blind_us: edge.counters.blind_us,
        window: detail.window,
        fails: detail.fails,
        worst: engine.worst(stream, index),
        clock_difference_ms: detail.clock_difference_ms,
        oldest_in_flight_ms: detail.oldest_in_flight_ms.filter(|_| timed),
    }
}
