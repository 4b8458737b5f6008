//! What the inputs say of themselves, and what they have brought.

use crate::board::InputBoard;
use crate::clock::Moment;
use crate::graph::{InputId, InputState, System};
use crate::health::Rate;

/// All inputs, in the order of the system.
#[derive(Debug)]
pub(super) struct Inputs {
    inputs: Vec<Input>,
}

#[derive(Debug)]
struct Input {
    name: String,
    state: InputState,
    since_us: u64,
    events: u64,
    rate: Rate,
    last_us: Option<u64>,
}

impl Inputs {
    /// At the start: what an input keeps has not been read yet.
    pub(super) fn new(system: &System, now_us: u64) -> Self {
        let input = |input: &crate::graph::Input| Input {
            name: input.name.clone(),
            state: if input.kind.keeps() { InputState::CatchingUp } else { InputState::Up },
            since_us: now_us,
            events: 0,
            rate: Rate::new(),
            last_us: None,
        };
        Self { inputs: system.inputs.iter().map(input).collect() }
    }

    /// Goes on with another manifest: inputs of the same name are the same.
    pub(super) fn reload(&mut self, system: &System, now_us: u64) {
        let mut old = std::mem::replace(self, Self::new(system, now_us)).inputs;
        for input in &mut self.inputs {
            if let Some(place) = old.iter().position(|other| other.name == input.name) {
                *input = old.swap_remove(place);
            }
        }
    }

    /// An event has come.
    #[inline]
    pub(super) fn hear(&mut self, input: InputId, now_us: u64) {
        if let Some(input) = self.inputs.get_mut(usize::from(input.0)) {
            input.events += 1;
            input.rate.add(now_us);
            input.last_us = Some(now_us);
        }
    }

    /// An input says how it is.
    pub(super) fn set(&mut self, input: InputId, state: InputState, now_us: u64) {
        if let Some(input) = self.inputs.get_mut(usize::from(input.0))
            && input.state != state
        {
            (input.state, input.since_us) = (state, now_us);
        }
    }

    /// As the board shows them; what only the shell knows is left empty.
    pub(super) fn boards(&self, system: &System, now_us: u64) -> Vec<InputBoard> {
        let board = |(input, declared): (&Input, &crate::graph::Input)| InputBoard {
            name: input.name.clone(),
            kind: declared.kind,
            state: input.state,
            since: Moment(input.since_us),
            events: input.events,
            rate: input.rate.of_last_minute(now_us),
            last: input.last_us.map(Moment),
            lag_ms: None,
            last_error: None,
        };
        self.inputs.iter().zip(&system.inputs).map(board).collect()
    }
}
