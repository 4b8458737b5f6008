//! The core: correlation and health of all streams behind one door.

use std::sync::Arc;

use crate::board::{Board, EdgeDetail};
use crate::event::Event;
use crate::graph::System;
use crate::outcome::{Status, Transition};

/// Correlates events and judges edges. Pure and synchronous: the same calls give the same verdicts.
pub struct Engine {
    now_us: u64,
}

impl Engine {
    /// An engine that starts at `start_us` of the arrival clock. `seed` keys the hash of the tokens:
    /// random live, so that no sender can choose tokens that collide; it changes no verdict.
    pub fn new(_system: Arc<System>, start_us: u64, _seed: (u64, u64)) -> Self {
        Self { now_us: start_us }
    }

    /// The greatest `now_us` seen so far.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// Judges and forgets what is due before `now_us`.
    pub fn advance(&mut self, now_us: u64) {
        self.now_us = self.now_us.max(now_us);
    }

    /// Judges what is due, then takes one event that arrived at `now_us`.
    pub fn accept(&mut self, _event: &Event, now_us: u64) {
        self.advance(now_us);
    }

    /// Lets the clock run out: all that is due is judged, then every token is forgotten.
    pub fn settle(&mut self) {}

    /// The next moment at which [`Self::advance`] has something to do, so far as is known: what it
    /// does, it does when `now_us` is greater than this.
    pub fn next_due_us(&self) -> Option<u64> {
        None
    }

    /// The changes since the last call, in the order of their time.
    pub fn take_transitions(&mut self) -> Vec<Transition> {
        Vec::new()
    }

    /// The picture of `now_us`; what is due is judged first.
    #[expect(clippy::todo, reason = "being written")]
    pub fn board(&mut self, _now_us: u64) -> Board {
        todo!()
    }

    /// One edge with its window and fails; what is due is judged first.
    #[expect(clippy::todo, reason = "being written")]
    pub fn edge_detail(&mut self, _stream: usize, _edge: usize, _now_us: u64) -> EdgeDetail {
        todo!()
    }

    /// The worst status that the edge had at any time; NOK where it, or a node of it, was ever silent.
    pub fn worst(&self, _stream: usize, _edge: usize) -> Status {
        Status::Unknown
    }
}
