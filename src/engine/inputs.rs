//! What the inputs say of themselves, what they have brought, and when each could testify.

use serde::{Deserialize, Serialize};

use super::blanks::Blanks;
use crate::board::InputBoard;
use crate::clock::Moment;
use crate::graph::{InputId, InputState, System};
use crate::health::Rate;

/// All inputs, in the order of the system.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Inputs {
    all: Vec<Input>,
    /// When we did not run, or took no events.
    gaps: Blanks,
    /// Whether we take none now.
    paused: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Input {
    name: String,
    /// Whether it keeps what we have not read.
    keeps: bool,
    state: InputState,
    since_us: u64,
    /// When it could not testify.
    blanks: Blanks,
    events: u64,
    rate: Rate,
    last_us: Option<u64>,
}

impl Input {
    fn new(input: &crate::graph::Input, now_us: u64) -> Self {
        let keeps = input.kind.keeps();
        let mut blanks = Blanks::before(now_us);
        if keeps {
            blanks.begin(now_us);
        }
        Self {
            name: input.name.clone(),
            keeps,
            state: if keeps { InputState::CatchingUp } else { InputState::Up },
            since_us: now_us,
            blanks,
            events: 0,
            rate: Rate::new(),
            last_us: None,
        }
    }
}

impl Inputs {
    /// At the start: what an input keeps has not been read yet, and what others brought before is lost.
    pub(super) fn new(system: &System, now_us: u64) -> Self {
        let all = system.inputs.iter().map(|input| Input::new(input, now_us)).collect();
        Self { all, gaps: Blanks::before(now_us), paused: false }
    }

    /// Goes on with another manifest: inputs of the same name and kind are the same.
    pub(super) fn reload(&mut self, system: &System, now_us: u64) {
        let mut old = std::mem::take(&mut self.all);
        for declared in &system.inputs {
            let same = |other: &Input| other.name == declared.name && other.keeps == declared.kind.keeps();
            let place = old.iter().position(same);
            let mut input = place.map_or_else(|| Input::new(declared, now_us), |place| old.swap_remove(place));
            if self.paused {
                input.blanks.begin(now_us);
            }
            self.all.push(input);
        }
    }

    /// An event has come.
    #[inline]
    pub(super) fn hear(&mut self, input: InputId, now_us: u64) {
        if let Some(input) = self.all.get_mut(usize::from(input.0)) {
            input.events += 1;
            input.rate.add(now_us);
            input.last_us = Some(now_us);
        }
    }

    /// An input says how it is. As long as we take no events, none that keeps them has caught up.
    pub(super) fn set(&mut self, input: InputId, state: InputState, now_us: u64) {
        let Some(input) = self.all.get_mut(usize::from(input.0)) else { return };
        let state = if self.paused && input.keeps && state == InputState::Up { InputState::CatchingUp } else { state };
        if input.state == state {
            return;
        }
        (input.state, input.since_us) = (state, now_us);
        if state != InputState::Up {
            input.blanks.begin(now_us);
        } else if !self.paused {
            input.blanks.end(now_us);
        }
    }

    /// We take no events from now on.
    pub(super) fn pause(&mut self, now_us: u64) {
        self.paused = true;
        self.gaps.begin(now_us);
        for input in &mut self.all {
            input.blanks.begin(now_us);
            if input.keeps && input.state == InputState::Up {
                (input.state, input.since_us) = (InputState::CatchingUp, now_us);
            }
        }
    }

    /// We take events again.
    pub(super) fn resume(&mut self, now_us: u64) {
        self.paused = false;
        self.gaps.end(now_us);
        for input in self.all.iter_mut().filter(|input| input.state == InputState::Up) {
            input.blanks.end(now_us);
        }
    }

    /// Whether we take no events.
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether an input keeps what we have not read.
    pub(super) fn keeps(&self, input: u16) -> bool {
        self.all[usize::from(input)].keeps
    }

    /// Since when it can testify; `u64::MAX` where it cannot now.
    pub(super) fn sees_since_us(&self, input: u16) -> u64 {
        self.all[usize::from(input)].blanks.until_us()
    }

    /// When an input could not testify, or we (`None`).
    pub(super) fn blanks(&self, input: Option<u16>) -> &Blanks {
        input.map_or(&self.gaps, |input| &self.all[usize::from(input)].blanks)
    }

    /// As the board shows them; what only the shell knows is left empty.
    pub(super) fn boards(&self, system: &System, now_us: u64) -> Vec<InputBoard> {
        let board = |(input, declared): (&Input, &crate::graph::Input)| {
            let down = self.paused && !input.keeps;
            InputBoard {
                name: input.name.clone(),
                kind: declared.kind,
                state: if down { InputState::Down } else { input.state },
                since: Moment(input.since_us),
                events: input.events,
                rate: input.rate.of_last_minute(now_us),
                last: input.last_us.map(Moment),
                lag_ms: None,
                last_error: None,
            }
        };
        self.all.iter().zip(&system.inputs).map(board).collect()
    }
}
