//! Requests with a deadline that have not met their downstream event: in flight, or judged without it.
//!
//! A request that is matched in time is gone at once, so in a healthy system there are few.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::slab::{NONE, Slab};
use crate::outcome::Outcome;

/// What became of a request so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its deadline has not passed.
    InFlight,
    /// It was judged: missing, unreported or indeterminate.
    Judged(Outcome),
    /// None at all: its downstream event came without it and corrected a lost token.
    Corrected,
    /// None at all: the edge was declared after its upstream event had come.
    Uncounted,
}

/// One request of one token on one edge.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) deadline_us: u64,
    /// In flight: the neighbours on the edge. Judged: the place of its outcome, see [`Request::place`].
    links: (u32, u32),
    pub(super) token: u32,
    /// The token's next request.
    pub(super) next: u32,
    pub(super) edge: u32,
    pub(super) state: State,
}

impl Request {
    /// The place of its outcome among the edge's, where it was judged and has one.
    pub(super) fn place(&self) -> Option<u64> {
        let place = u64::from(self.links.0) << 32 | u64::from(self.links.1);
        Some(place).filter(|&place| place != u64::MAX && self.state != State::InFlight)
    }

    fn set_place(&mut self, place: Option<u64>) {
        let place = place.unwrap_or(u64::MAX);
        self.links = ((place >> 32) as u32, place as u32);
    }
}

/// What is in flight on one edge, by deadline.
#[derive(Debug)]
struct Line {
    first: u32,
    last: u32,
    /// Whether the edge stands in [`Requests::due`].
    listed: bool,
    patience_us: u64,
}

/// The requests of one stream.
#[derive(Debug)]
pub(super) struct Requests {
    records: Slab<Request>,
    lines: Vec<Line>,
    /// Edges by a lower bound of their first deadline: (deadline, arrival, edge).
    due: BinaryHeap<Reverse<(u64, u64, u32)>>,
}

impl Requests {
    /// For edges with these times from arrival to deadline (any, where there is none).
    pub(super) fn new(patience_us: impl Iterator<Item = u64>) -> Self {
        let line = |patience_us| Line { first: NONE, last: NONE, listed: false, patience_us };
        Self { records: Slab::new(), lines: patience_us.map(line).collect(), due: BinaryHeap::new() }
    }

    pub(super) fn get(&self, request: u32) -> &Request {
        &self.records[request]
    }

    /// Opens a request at the head of its token's chain, whose first is `next` so far.
    pub(super) fn open(&mut self, edge: usize, token: u32, arrival_us: u64, next: u32) -> u32 {
        let deadline_us = arrival_us + self.lines[edge].patience_us;
        let record =
            Request { deadline_us, links: (NONE, NONE), token, next, edge: edge as u32, state: State::InFlight };
        let request = self.records.insert(record);
        self.link(edge, request, deadline_us);
        // A manifest that changed may have brought a shorter deadline than the one by which the edge is listed.
        self.lines[edge].listed &= self.lines[edge].first != request;
        self.list(edge);
        request
    }

    /// Notes that a downstream event corrected a lost token: it is no orphan of this edge.
    pub(super) fn corrected(&mut self, edge: usize, token: u32, next: u32) -> u32 {
        self.note(edge, token, next, State::Corrected)
    }

    /// Notes that an upstream event came before the edge was declared: it is no request of this edge.
    pub(super) fn uncounted(&mut self, edge: usize, token: u32, next: u32) -> u32 {
        self.note(edge, token, next, State::Uncounted)
    }

    fn note(&mut self, edge: usize, token: u32, next: u32, state: State) -> u32 {
        self.records.insert(Request { deadline_us: 0, links: (NONE, NONE), token, next, edge: edge as u32, state })
    }

    /// Whether a request waits for its deadline.
    pub(super) fn is_in_flight(&self, request: u32) -> bool {
        self.records[request].state == State::InFlight
    }

    /// Moves a request to its edge's new place; its line is moved by [`Self::move_lines`].
    pub(super) fn set_edge(&mut self, request: u32, edge: usize) {
        self.records[request].edge = edge as u32;
    }

    /// Puts the edges' lines where they stand from now on; `old_edges` names their old places. What
    /// was in flight on an edge that is gone must have been closed.
    pub(super) fn move_lines(&mut self, old_edges: &[Option<usize>], patience_us: impl Iterator<Item = u64>) {
        let line = |(old, patience_us): (&Option<usize>, u64)| {
            let (first, last) = old.map_or((NONE, NONE), |old| (self.lines[old].first, self.lines[old].last));
            Line { first, last, listed: false, patience_us }
        };
        self.lines = old_edges.iter().zip(patience_us).map(line).collect();
        self.due.clear();
        for edge in 0..self.lines.len() {
            self.list(edge);
        }
    }

    /// The token's request on an edge (not a mere correction), in the chain that starts at `first`.
    pub(super) fn find(&self, first: u32, edge: usize) -> Option<u32> {
        self.chain(first).find(|&request| {
            let record = &self.records[request];
            record.edge as usize == edge && record.state != State::Corrected
        })
    }

    /// Whether the token's downstream event corrected a lost token of this edge.
    pub(super) fn has_corrected(&self, first: u32, edge: usize) -> bool {
        self.chain(first).any(|request| {
            let record = &self.records[request];
            record.edge as usize == edge && record.state == State::Corrected
        })
    }

    /// The requests of a chain.
    pub(super) fn chain(&self, first: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(first).filter(|&request| request != NONE), |&request| {
            Some(self.records[request].next).filter(|&next| next != NONE)
        })
    }

    /// Whether a request of the chain waits for its deadline.
    #[inline]
    pub(super) fn any_in_flight(&self, first: u32) -> bool {
        self.chain(first).any(|request| self.records[request].state == State::InFlight)
    }

    /// Judges a request that is in flight.
    pub(super) fn judge(&mut self, request: u32, outcome: Outcome, place: Option<u64>) {
        self.unlink(request);
        self.records[request].state = State::Judged(outcome);
        self.records[request].set_place(place);
    }

    /// Corrects the outcome of a request that was judged.
    pub(super) fn revise(&mut self, request: u32, outcome: Outcome) {
        self.records[request].state = State::Judged(outcome);
    }

    /// Takes a request out of its token's chain and gives its place back; answers the chain's first.
    pub(super) fn close(&mut self, first: u32, request: u32) -> u32 {
        if self.records[request].state == State::InFlight {
            self.unlink(request);
        }
        let next = self.records[request].next;
        self.records.remove(request);
        if first == request {
            return next;
        }
        let before = self.chain(first).find(|&other| self.records[other].next == request);
        if let Some(before) = before {
            self.records[before].next = next;
        }
        first
    }

    /// Gives the requests of the chain `first` to another token, in front of its chain `onto`; answers the chain.
    pub(super) fn hand_over(&mut self, first: u32, token: u32, onto: u32) -> u32 {
        let mut last = NONE;
        let mut request = first;
        while request != NONE {
            self.records[request].token = token;
            last = request;
            request = self.records[request].next;
        }
        if last == NONE {
            return onto;
        }
        self.records[last].next = onto;
        first
    }

    /// Gives back a whole chain; nothing of it may be in flight.
    pub(super) fn close_all(&mut self, first: u32) {
        let mut request = first;
        while request != NONE {
            self.records.remove(request);
            request = self.records[request].next;
        }
    }

    /// A lower bound of the next deadline; exact once [`Self::next_due`] has looked.
    #[inline]
    pub(super) fn next_deadline_us(&self) -> Option<u64> {
        self.due.peek().map(|&Reverse((deadline_us, _, _))| deadline_us)
    }

    /// The request whose deadline is next, if that is before `now_us`.
    pub(super) fn next_due(&mut self, now_us: u64) -> Option<u32> {
        while let Some(&Reverse((listed_us, _, edge))) = self.due.peek() {
            if listed_us >= now_us {
                return None;
            }
            let first = self.lines[edge as usize].first;
            if first != NONE && self.records[first].deadline_us == listed_us {
                return Some(first);
            }
            self.due.pop();
            self.lines[edge as usize].listed = false;
            self.list(edge as usize);
        }
        None
    }

    /// The deadline of the oldest request in flight on an edge.
    pub(super) fn first_deadline_us(&self, edge: usize) -> Option<u64> {
        let first = self.lines[edge].first;
        (first != NONE).then(|| self.records[first].deadline_us)
    }

    fn list(&mut self, edge: usize) {
        let line = &mut self.lines[edge];
        if !line.listed && line.first != NONE {
            line.listed = true;
            let deadline_us = self.records[line.first].deadline_us;
            self.due.push(Reverse((deadline_us, deadline_us.saturating_sub(line.patience_us), edge as u32)));
        }
    }

    /// Links a request into its edge's line, behind all that are due no later.
    fn link(&mut self, edge: usize, request: u32, deadline_us: u64) {
        let line = &mut self.lines[edge];
        let mut before = line.last;
        while before != NONE && self.records[before].deadline_us > deadline_us {
            before = self.records[before].links.0;
        }
        let after = if before == NONE { line.first } else { self.records[before].links.1 };
        self.records[request].links = (before, after);
        if before == NONE {
            line.first = request;
        } else {
            self.records[before].links.1 = request;
        }
        if after == NONE {
            line.last = request;
        } else {
            self.records[after].links.0 = request;
        }
    }

    fn unlink(&mut self, request: u32) {
        let (before, after) = self.records[request].links;
        let line = &mut self.lines[self.records[request].edge as usize];
        if before == NONE {
            line.first = after;
        } else {
            self.records[before].links.1 = after;
        }
        if after == NONE {
            line.last = before;
        } else {
            self.records[after].links.0 = before;
        }
    }
}
