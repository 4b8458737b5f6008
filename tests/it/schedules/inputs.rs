//! The inputs of a random schedule: which bring what, when they are down, and when we are.

use observatory::graph::{Input, InputId, InputKind, InputState, NodeId, System};

use super::plan::Said;
use super::rng::Rng;

/// In how many of a hundred schedules there are inputs.
const SCHEDULES: u64 = 40;

/// The inputs of a schedule. They have numbers of their own: all else is as without them.
pub(super) struct Inputs {
    rng: Rng,
    /// In how many of a hundred steps something is said.
    often: u64,
    declared: Vec<Input>,
    states: Vec<InputState>,
}

impl Inputs {
    /// Those of a seed; most schedules have none.
    pub(super) fn of(seed: u64) -> Option<Self> {
        let mut rng = Rng::new(seed ^ 0x5eed_0000_0000);
        let often = rng.pick(&[3, 10, 30]);
        rng.percent(SCHEDULES).then(|| Self { rng, often, declared: Vec::new(), states: Vec::new() })
    }

    /// Declares them in a world.
    pub(super) fn declare(&mut self, system: &mut System, unit_us: u64) {
        for input in 0..self.rng.pick(&[1, 1, 2, 2, 3]) {
            let kind = self.rng.pick(&[InputKind::Http, InputKind::Http, InputKind::Log, InputKind::Amqp]);
            let names = self.rng.percent(30);
            let mut nodes: Vec<_> = (0..system.nodes.len() as u32).map(NodeId).collect();
            nodes.retain(|_| names && self.rng.percent(50));
            let delay_us = unit_us * self.rng.pick(&[0, 0, 1, 4]);
            self.declared.push(Input { kind, name: format!("input-{input}"), nodes, delay_us });
            self.states.push(if kind.keeps() { InputState::CatchingUp } else { InputState::Up });
        }
        system.inputs = self.declared.clone();
    }

    /// What is said at a moment; the last event arrived at `last_us`.
    pub(super) fn say(&mut self, last_us: u64, now_us: u64) -> Option<Said> {
        if !self.rng.percent(self.often) {
            return None;
        }
        if self.rng.percent(25) {
            for (state, input) in self.states.iter_mut().zip(&self.declared) {
                if input.kind.keeps() && *state == InputState::Up {
                    *state = InputState::CatchingUp;
                }
            }
            // Sometimes it is noticed late: what came before counts all the same.
            return Some(Said::Gap(last_us.saturating_sub(self.rng.below(3)) + self.rng.below(now_us - last_us + 1)));
        }
        let input = self.rng.below(self.states.len() as u64) as usize;
        // What is not up comes back rather than not: else little would ever be judged.
        let state = match (self.states[input], self.rng.below(10)) {
            (InputState::Up, 0..3) => InputState::CatchingUp,
            (InputState::Up, _) => InputState::Down,
            (InputState::Down, 0..3) => InputState::CatchingUp,
            (InputState::CatchingUp, 0) => InputState::Down,
            _ => InputState::Up,
        };
        self.states[input] = state;
        Some(Said::Input(InputId(input as u16), state))
    }

    /// Which brings an event: one that is named for its node, most often.
    pub(super) fn of_event(&mut self, node: NodeId) -> InputId {
        let places = 0..self.declared.len();
        let named: Vec<usize> = places.filter(|&place| self.declared[place].nodes.contains(&node)).collect();
        if named.is_empty() || self.rng.percent(10) {
            // The input of a node stays the same, but for a few.
            let usual = node.0 as usize % self.declared.len();
            let place = if self.rng.percent(90) { usual } else { self.rng.below(self.declared.len() as u64) as usize };
            // One that the manifest has lost.
            return if self.rng.percent(1) { InputId(u16::MAX) } else { InputId(place as u16) };
        }
        InputId(self.rng.pick(&named) as u16)
    }
}
