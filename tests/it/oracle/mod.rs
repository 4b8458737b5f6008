//! The law a second time: naive, slow, obviously right.
//!
//! Nothing here is shared with the core but the vocabulary. Histories are kept whole, and what can be
//! recomputed from them is recomputed: the ledger is counted, the window is cut, the status is judged
//! anew at every look.

mod alias;
mod edge;
mod group;
mod health;
mod shape;
mod snapshot;
mod stream;
mod subject;
mod transitions;
mod witness;

pub(crate) use shape::beyond;
pub(crate) use snapshot::{EdgeShot, NodeShot, Snapshot};
pub(crate) use subject::{Subject, engine};
pub(crate) use transitions::{Changes, by_subject};

use observatory::event::Event;
use observatory::graph::{InputId, InputState, System};
use stream::StreamModel;
use witness::WitnessModel;

/// The second implementation of the law.
pub(crate) struct Oracle {
    now_us: u64,
    max_tokens: usize,
    evicted: u64,
    streams: Vec<StreamModel>,
    /// Where anything can be blind.
    witness: Option<WitnessModel>,
}

impl Oracle {
    /// A model whose arrival clock starts at `start_us`.
    pub(crate) fn new(system: &System, start_us: u64) -> Self {
        let mut oracle = Self {
            now_us: start_us,
            max_tokens: system.max_tokens,
            evicted: 0,
            streams: system.streams.iter().map(|stream| StreamModel::new(system, stream, start_us)).collect(),
            witness: WitnessModel::new(system, start_us),
        };
        oracle.look();
        oracle
    }

    /// What may be said has changed, or may have.
    fn look(&mut self) {
        if let Some(witness) = &self.witness {
            for stream in &mut self.streams {
                stream.look(witness, self.now_us);
            }
        }
    }

    /// An input says how it is.
    pub(crate) fn set_input(&mut self, input: InputId, state: InputState, now_us: u64) {
        self.advance(now_us);
        if let Some(witness) = &mut self.witness {
            witness.say(input, state, self.now_us);
        }
        self.look();
    }

    /// We did not run from one moment until another; what lies before the present counts as run.
    pub(crate) fn gap(&mut self, from_us: u64, until_us: u64) {
        self.advance(from_us);
        if let Some(witness) = &mut self.witness {
            witness.gap(self.now_us, until_us.max(self.now_us));
        }
        self.look();
        self.advance(until_us);
        self.look();
    }

    /// The greatest moment seen so far.
    pub(crate) fn now_us(&self) -> u64 {
        self.now_us
    }

    /// Judges what is due before `now_us`.
    pub(crate) fn advance(&mut self, now_us: u64) {
        self.now_us = self.now_us.max(now_us);
        for stream in &mut self.streams {
            stream.run_to(self.witness.as_ref(), self.now_us);
        }
    }

    /// Judges what is due, then takes an event in every stream that its node stands in.
    pub(crate) fn accept(&mut self, event: &Event, now_us: u64) {
        self.advance(now_us);
        if self.witness.as_mut().is_some_and(|witness| witness.bring(event.input, event.node)) {
            self.look();
        }
        for index in 0..self.streams.len() {
            let Some(node) = self.streams[index].place_of(event.node) else { continue };
            if !self.streams[index].remembers(&event.token) {
                self.make_room(index);
            }
            let new = self.streams[index].take(node, event, self.now_us);
            let Some(alias) = event.alias.as_deref().filter(|_| new) else { continue };
            if !self.streams[index].remembers(alias) {
                self.make_room(index);
            }
            self.streams[index].join(&event.token, alias, self.now_us);
        }
    }

    /// The clock runs out: to just after the last thing that is due.
    pub(crate) fn settle(&mut self) {
        if let Some(last_us) = self.streams.iter().filter_map(StreamModel::last_due).max() {
            self.advance(last_us + 1);
        }
    }

    /// A new token is about to join a stream: the stream with the most tokens gives one up where the limit is reached.
    fn make_room(&mut self, joining: usize) {
        while self.tokens() >= self.max_tokens {
            let count = |index: usize| self.streams[index].names() + usize::from(index == joining);
            let most = (0..self.streams.len()).map(count).max().unwrap_or(0);
            let first = (0..self.streams.len()).find(|&index| count(index) == most).unwrap_or(joining);
            let victim = if count(joining) == most { joining } else { first };
            let before = self.streams[victim].names();
            if !self.streams[victim].evict(self.now_us) {
                return;
            }
            self.evicted += (before - self.streams[victim].names()) as u64;
        }
    }

    /// Tokens remembered, over all streams, aliases included.
    fn tokens(&self) -> usize {
        self.streams.iter().map(StreamModel::names).sum()
    }

    /// The rare things that happened so far, by name: for the tests' coverage.
    pub(crate) fn happened(&self) -> impl Iterator<Item = &'static str> + '_ {
        let edges = self.streams.iter().flat_map(|stream| &stream.edges).flat_map(|edge| &edge.happened);
        self.streams.iter().flat_map(|stream| &stream.happened).chain(edges).copied()
    }
}
