//! Requests with a deadline that have not met their downstream event: in flight, or judged without it.
//!
//! A request that is matched in time is gone at once, so in a healthy system there are few.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use serde::{Deserialize, Serialize};

use super::slab::{NONE, Slab};
use crate::outcome::Outcome;

/// What became of a request so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    /// When it is judged; once it is, when it was.
    pub(super) deadline_us: u64,
    pub(super) arrival_us: u64,
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

/// An edge that is not listed. One that is blind until more is said never is.
const UNLISTED: u64 = u64::MAX;

/// What is in flight on one edge, by deadline.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    first: u32,
    last: u32,
    /// By which moment the edge stands in [`Requests::due`]; `u64::MAX`, where it does not. What else stands there for the
    /// edge means nothing any more.
    listed_us: u64,
    /// Whether they may be in another order than that of their arrival.
    mixed: bool,
    patience_us: u64,
    /// What falls due by this moment waits until it has passed; `u64::MAX`: until more is said.
    blind_until_us: u64,
}

impl Line {
    fn new((first, last): (u32, u32), patience_us: u64) -> Self {
        Self { first, last, listed_us: UNLISTED, mixed: first != NONE, patience_us, blind_until_us: 0 }
    }
}

/// The requests of one stream.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Requests {
    records: Slab<Request>,
    lines: Vec<Line>,
    /// Edges by a lower bound of their first deadline: (deadline, arrival, edge).
    due: BinaryHeap<Reverse<(u64, u64, u32)>>,
}

impl Requests {
    /// For edges with these times from arrival to deadline (any, where there is none).
    pub(super) fn new(patience_us: impl Iterator<Item = u64>) -> Self {
        let line = |patience_us| Line::new((NONE, NONE), patience_us);
        Self { records: Slab::new(), lines: patience_us.map(line).collect(), due: BinaryHeap::new() }
    }

    pub(super) fn get(&self, request: u32) -> &Request {
        &self.records[request]
    }

    /// From now on requests have this long from arrival to deadline, and what falls due by a moment waits until
    /// that has passed. [`Self::relist`] must follow.
    pub(super) fn see(&mut self, edge: usize, patience_us: u64, blind_until_us: u64) {
        let line = &mut self.lines[edge];
        (line.patience_us, line.blind_until_us) = (patience_us, blind_until_us);
    }

    /// Lists anew which edges have something due.
    pub(super) fn relist(&mut self) {
        self.due.clear();
        for edge in 0..self.lines.len() {
            self.lines[edge].listed_us = UNLISTED;
            self.list(edge);
        }
    }

    /// How long a request of the edge has from arrival to deadline.
    #[inline]
    pub(super) fn patience_us(&self, edge: usize) -> u64 {
        self.lines[edge].patience_us
    }

    /// Reads the first requests of tokens that have events soon, so that they are near then.
    pub(super) fn foresee(&self, requests: &[u32]) {
        let records = || requests.iter().filter_map(|&request| self.records.get(request));
        let read = records().fold(0, |read, record| read ^ record.deadline_us);
        let neighbours = records().flat_map(|record| [record.links.0, record.links.1]);
        let neighbours = neighbours.filter_map(|request| self.records.get(request));
        black_box(neighbours.fold(read, |read, record| read ^ record.deadline_us));
    }

    /// Opens a request at the head of its token's chain, whose first is `next` so far.
    pub(super) fn open(&mut self, edge: usize, token: u32, arrival_us: u64, next: u32) -> u32 {
        let deadline_us = arrival_us + self.lines[edge].patience_us;
        let (edge_id, state) = (edge as u32, State::InFlight);
        let record = Request { deadline_us, arrival_us, links: (NONE, NONE), token, next, edge: edge_id, state };
        let request = self.records.insert(record);
        self.link(edge, request, deadline_us);
        if self.lines[edge].first == request {
            self.list(edge);
        }
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
        let (deadline_us, arrival_us, links, edge) = (0, 0, (NONE, NONE), edge as u32);
        self.records.insert(Request { deadline_us, arrival_us, links, token, next, edge, state })
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
            Line::new(old.map_or((NONE, NONE), |old| (self.lines[old].first, self.lines[old].last)), patience_us)
        };
        self.lines = old_edges.iter().zip(patience_us).map(line).collect();
        self.relist();
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

    /// Judges a request that is in flight, at a moment.
    pub(super) fn judge(&mut self, request: u32, outcome: Outcome, at_us: u64, place: Option<u64>) {
        self.unlink(request);
        self.records[request].deadline_us = at_us;
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

    /// The request that is judged next, if that is before `now_us`, and when.
    pub(super) fn next_due(&mut self, now_us: u64) -> Option<(u64, u32)> {
        while let Some(&Reverse((listed_us, _, edge))) = self.due.peek() {
            if listed_us >= now_us {
                return None;
            }
            let line = &mut self.lines[edge as usize];
            if line.listed_us == listed_us {
                let &mut Line { first, blind_until_us, .. } = line;
                if first != NONE && self.records[first].deadline_us.max(blind_until_us) == listed_us {
                    return Some((listed_us, first));
                }
                line.listed_us = UNLISTED;
            }
            self.due.pop();
            self.list(edge as usize);
        }
        None
    }

    /// The arrival of the oldest request in flight on an edge.
    pub(super) fn oldest_arrival_us(&self, edge: usize) -> Option<u64> {
        let line = &self.lines[edge];
        let next = |&request: &u32| Some(self.records[request].links.1).filter(|&next| next != NONE);
        let all = std::iter::successors(Some(line.first).filter(|&first| first != NONE), next);
        let looked_at = if line.mixed { usize::MAX } else { 1 };
        all.take(looked_at).map(|request| self.records[request].arrival_us).min()
    }

    /// Lists an edge, unless it is listed by this moment or an earlier one. A later one is found when that has come; an
    /// earlier one a manifest may bring that has changed.
    fn list(&mut self, edge: usize) {
        let line = &mut self.lines[edge];
        let Some(first) = self.records.get(line.first) else { return };
        let due_us = first.deadline_us.max(line.blind_until_us);
        if due_us < line.listed_us {
            line.listed_us = due_us;
            self.due.push(Reverse((due_us, first.arrival_us, edge as u32)));
        }
    }

    /// Links a request into its edge's line, behind all that are due no later.
    fn link(&mut self, edge: usize, request: u32, deadline_us: u64) {
        let line = &mut self.lines[edge];
        let mut before = line.last;
        while before != NONE && self.records[before].deadline_us > deadline_us {
            before = self.records[before].links.0;
            line.mixed = true;
        }
        line.mixed &= line.first != NONE;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_whose_requests_are_met_at_once_is_listed_once() {
        let mut requests = Requests::new([1_000].into_iter());
        for arrival_us in 0..100 {
            let request = requests.open(0, 7, arrival_us, NONE);
            assert_eq!(requests.close(request, request), NONE);
        }
        assert_eq!(requests.due.len(), 1);
        let last = requests.open(0, 7, 100, NONE);
        assert_eq!((requests.next_due(1_101), requests.due.len()), (Some((1_100, last)), 1));
    }

    #[test]
    fn a_deadline_that_has_become_shorter_is_not_missed() {
        let mut requests = Requests::new([1_000].into_iter());
        let request = requests.open(0, 7, 0, NONE);
        requests.close(request, request);
        requests.see(0, 10, 0);
        let shorter = requests.open(0, 7, 5, NONE);
        assert_eq!(requests.next_due(2_000), Some((15, shorter)));
        requests.close(shorter, shorter);
        assert_eq!((requests.next_due(2_000), requests.due.len()), (None, 0));
    }
}
