//! Outcomes in a row, whose places are used again.

use serde::{Deserialize, Serialize};

use crate::correlation::Decision;
use crate::event::Token;
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

/// Outcomes, oldest first. One that comes is written where it will stand: what is put together elsewhere first is slow
/// to move so soon.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Ring {
    /// All places, of which `len` are taken, from `begin` on and round the end.
    places: Vec<Placed>,
    begin: usize,
    len: usize,
}

impl Ring {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds an outcome behind all others.
    #[inline]
    pub(super) fn push(&mut self, decision: &Decision<'_>) {
        if self.len == self.places.len() {
            self.grow();
        }
        let at = self.at(self.len);
        let placed = &mut self.places[at];
        placed.outcome = decision.outcome;
        placed.token = decision.token.cloned();
        placed.latency_us = decision.latency_us;
        placed.at_us = decision.at_us;
        self.len += 1;
    }

    /// Drops the oldest; answers what it was.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Outcome> {
        let outcome = self.front()?.outcome;
        self.places[self.begin].token = None;
        self.begin = self.at(1);
        self.len -= 1;
        Some(outcome)
    }

    #[inline]
    pub(super) fn front(&self) -> Option<&Placed> {
        if self.len == 0 { None } else { self.places.get(self.begin) }
    }

    /// The one behind so many others.
    pub(super) fn get_mut(&mut self, behind: usize) -> Option<&mut Placed> {
        let at = self.at(behind);
        if behind < self.len { self.places.get_mut(at) } else { None }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Placed> {
        (0..self.len).map(|behind| &self.places[self.at(behind)])
    }

    #[inline]
    fn at(&self, behind: usize) -> usize {
        let at = self.begin + behind;
        if at < self.places.len() { at } else { at - self.places.len() }
    }

    #[cold]
    fn grow(&mut self) {
        self.places.rotate_left(self.begin);
        self.begin = 0;
        let free = Placed { outcome: Outcome::Pass, token: None, latency_us: None, at_us: 0 };
        self.places.resize((self.len * 2).max(8), free);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_queue(steps in proptest::collection::vec(0..3_u8, 0..200)) {
            let (mut ring, mut queue) = (Ring::default(), VecDeque::new());
            for (at_us, step) in (0..).zip(steps) {
                if step == 0 {
                    let popped = ring.pop();
                    prop_assert_eq!(popped.is_some(), queue.pop_front().is_some());
                } else {
                    let (edge, outcome) = (0, Outcome::Pass);
                    let decision =
                        Decision { edge, outcome, token: None, latency_us: None, behind_us: 0, at_us, place: None };
                    ring.push(&decision);
                    queue.push_back(at_us);
                }
                prop_assert_eq!(ring.len(), queue.len());
                prop_assert_eq!(ring.iter().map(|placed| placed.at_us).collect::<VecDeque<_>>(), queue.clone());
                prop_assert_eq!(ring.front().map(|placed| placed.at_us), queue.front().copied());
                for behind in 0..=queue.len() {
                    prop_assert_eq!(ring.get_mut(behind).map(|placed| placed.at_us), queue.get(behind).copied());
                }
            }
        }
    }
}
