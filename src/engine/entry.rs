//! What happens to the core: one ordered list, from which all else follows.

use std::sync::Arc;

use super::Engine;
use crate::event::Event;
use crate::graph::{InputId, InputState, System};
use crate::outcome::Transition;

/// One thing that happens to the core at a moment of the arrival clock.
///
/// The same entries with the same moments, in the same order, make the same engine: a journal that keeps
/// them keeps everything. Nothing is judged at a moment that no entry has reached, so a live engine is
/// told a [`Entry::Beat`] when nothing else happens. Beats between other entries change no verdict.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Events arrived together, in this order. Their nodes and inputs are places in the system of the last
    /// reload.
    Events(Vec<Event>),
    /// An input says whether it can testify.
    Input {
        /// Which, by its place in the system of the last reload.
        input: InputId,
        /// How it is from now on.
        state: InputState,
    },
    /// We did not run, or took no events: we were down, stopped, suspended, or had no room on the disk. What
    /// lies before the entry ahead of this one counts as run, whatever `from_us` says.
    Gap {
        /// From when on, in microseconds.
        from_us: u64,
        /// Until when: the moment of the entry.
        until_us: u64,
    },
    /// Another manifest is in force.
    Reload(Arc<System>),
    /// Time has passed.
    Beat,
}

impl Engine {
    /// Takes the next entry of the list; `now_us` is its moment, never less than that of the one before.
    ///
    /// Answers the changes until now where a reload gives their streams, nodes and edges other places; else
    /// nothing: see [`Engine::take_transitions`].
    pub fn apply(&mut self, entry: &Entry, now_us: u64) -> Vec<Transition> {
        match entry {
            Entry::Events(events) => self.accept_all(events, now_us),
            Entry::Input { input, state } => self.set_input(*input, *state, now_us),
            Entry::Gap { from_us, until_us } => self.gap(*from_us, *until_us),
            Entry::Reload(system) => return self.reload(Arc::clone(system), now_us),
            Entry::Beat => self.advance(now_us),
        }
        Vec::new()
    }
}
