//! The last outcomes of an edge.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::correlation::Decision;
use crate::event::Token;
use crate::graph::{WINDOW_OUTCOMES_MAX, Window};
use crate::outcome::Outcome;

/// One outcome in a window.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Placed {
    pub(super) outcome: Outcome,
    pub(super) token: Option<Token>,
    pub(super) latency_us: Option<u64>,
    /// When it was first decided.
    pub(super) at_us: u64,
}

/// The last outcomes of an edge, in the order in which they were first decided.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OutcomeWindow {
    window: Window,
    placed: VecDeque<Placed>,
    /// The place of the first of them.
    first: u64,
    pub(super) passes: u64,
    pub(super) fails: u64,
}

impl OutcomeWindow {
    pub(super) fn new(window: Window) -> Self {
        Self { window, placed: VecDeque::new(), first: 0, passes: 0, fails: 0 }
    }

    /// Takes another size; what no longer fits leaves, the oldest first.
    pub(super) fn resize(&mut self, window: Window) {
        self.window = window;
        while self.placed.len() > self.most() {
            self.pop();
        }
    }

    /// Adds the outcome of the next place.
    #[inline]
    pub(super) fn push(&mut self, decision: &Decision<'_>) {
        self.count(decision.outcome, 1);
        if self.placed.len() >= self.most() {
            self.pop();
        }
        let &Decision { outcome, token, latency_us, at_us, .. } = decision;
        self.placed.push_back(Placed { outcome, token: token.cloned(), latency_us, at_us });
    }

    /// Corrects the outcome at a place, if that is still in the window.
    pub(super) fn revise(&mut self, place: u64, decision: &Decision<'_>) {
        let Some(at) = place.checked_sub(self.first) else { return };
        let Some(placed) = self.placed.get_mut(at as usize) else { return };
        let from = std::mem::replace(&mut placed.outcome, decision.outcome);
        placed.latency_us = decision.latency_us;
        self.count(from, -1);
        self.count(decision.outcome, 1);
    }

    /// When the oldest outcome leaves a window in time: the first moment at which it is out.
    pub(super) fn next_expiry_us(&self) -> Option<u64> {
        match self.window {
            Window::Outcomes(_) => None,
            Window::Time(us) => self.placed.front().map(|placed| placed.at_us + us + 1),
        }
    }

    /// Drops what has left a window in time at `at_us`.
    pub(super) fn expire(&mut self, at_us: u64) {
        while self.next_expiry_us().is_some_and(|expiry_us| expiry_us <= at_us) {
            self.pop();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Placed> {
        self.placed.iter()
    }

    #[inline]
    fn most(&self) -> usize {
        match self.window {
            Window::Outcomes(outcomes) => outcomes as usize,
            Window::Time(_) => WINDOW_OUTCOMES_MAX,
        }
    }

    fn pop(&mut self) {
        if let Some(placed) = self.placed.pop_front() {
            self.first += 1;
            self.count(placed.outcome, -1);
        }
    }

    fn count(&mut self, outcome: Outcome, by: i64) {
        if outcome.is_pass() {
            self.passes = self.passes.saturating_add_signed(by);
        } else if outcome.is_fail() {
            self.fails = self.fails.saturating_add_signed(by);
        }
    }
}
