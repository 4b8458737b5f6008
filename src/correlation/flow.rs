//! The correlator of one stream.

mod forget;

use super::count::Groups;
use super::finding::{Decision, Finding};
use super::key::KeyHasher;
use super::lost::LostList;
use super::matching::{Match, judge};
use super::requests::{Requests, State};
use super::tokens::{Queue, Tokens};
use crate::event::{Event, Token};
use crate::graph::{Edge, Stream, System, Topology};
use crate::outcome::Outcome;

/// What an edge owes, as far as the correlator needs to know.
#[derive(Debug)]
struct Rule {
    from: usize,
    to: usize,
    /// Of a time check: the deadline of the latency.
    within_us: Option<u64>,
    /// Whether a request has a deadline: a time check that is not optional.
    timed: bool,
    patience_us: u64,
    clock_skew_us: u64,
    /// The groups of a count check: an index in [`Flow::groups`].
    groups: Option<usize>,
}

impl Rule {
    fn new(edge: &Edge) -> Self {
        let count = edge.count().is_some();
        let within_us = edge.check.as_ref().filter(|_| !count).map(|check| check.within_us);
        Self {
            from: edge.from,
            to: edge.to,
            within_us,
            timed: !count && edge.patience_us().is_some(),
            patience_us: edge.patience_us().unwrap_or(0),
            clock_skew_us: edge.clock_skew_us,
            groups: None,
        }
    }
}

/// Correlates the events of one stream.
#[derive(Debug)]
pub struct Flow {
    topology: Topology,
    rules: Vec<Rule>,
    memory_us: u64,
    remember_us: u64,
    tokens: Tokens,
    requests: Requests,
    groups: Vec<Groups>,
    lost: Vec<LostList>,
    /// By edge: outcomes placed so far (of a time check; count checks place their own).
    placed: Vec<u64>,
    /// Where a token was seen, while it is being forgotten.
    seen: Vec<usize>,
    /// Nothing is due as long as the clock has not passed this.
    idle_until_us: u64,
}

impl Flow {
    /// The correlator of the system's stream at `index`.
    pub fn new(system: &System, index: usize, hasher: KeyHasher) -> Self {
        let stream: &Stream = &system.streams[index];
        let mut rules: Vec<Rule> = stream.edges.iter().map(Rule::new).collect();
        let mut groups = Vec::new();
        for (index, edge) in stream.edges.iter().enumerate() {
            if let (Some(count), Some(check)) = (edge.count(), &edge.check) {
                rules[index].groups = Some(groups.len());
                let times = (check.within_us, edge.wait_us());
                groups.push(Groups::new(index, count, times, edge.clock_skew_us, system.max_tokens));
            }
        }
        Self {
            topology: Topology::new(stream),
            memory_us: stream.memory_us(),
            remember_us: system.remember_us,
            tokens: Tokens::new(hasher),
            requests: Requests::new(rules.iter().map(|rule| rule.patience_us)),
            groups,
            lost: rules.iter().map(|_| LostList::default()).collect(),
            placed: vec![0; rules.len()],
            rules,
            seen: Vec::new(),
            idle_until_us: u64::MAX,
        }
    }

    /// The shape of the stream.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// How many tokens are remembered.
    pub fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// Whether the token is remembered; `hash` is its hash.
    #[inline]
    pub fn knows(&self, hash: u64, token: &Token) -> bool {
        self.tokens.find(hash, token).is_some()
    }

    /// The arrival of the oldest request in flight on an edge with a deadline.
    pub fn oldest_in_flight_us(&self, edge: usize) -> Option<u64> {
        let rule = &self.rules[edge];
        match rule.groups {
            Some(groups) => self.groups[groups].oldest_arrival_us(),
            None => self.requests.first_deadline_us(edge).map(|deadline_us| deadline_us - rule.patience_us),
        }
    }

    /// Takes one event of `node` (its place in the stream). What was due before must have been worked off.
    pub fn accept(&mut self, node: usize, event: &Event, hash: u64, now_us: u64, out: &mut Vec<Finding>) {
        let slot = if let Some(slot) = self.tokens.find(hash, &event.token) {
            if self.tokens.seen(slot, node).is_some() {
                let touching = self.topology.edges_in[node].iter().chain(&self.topology.edges_out[node]);
                out.extend(touching.map(|&edge| Finding::Duplicate { edge }));
                return;
            }
            self.tokens.sight(slot, node, event.timestamp_us);
            slot
        } else {
            self.tokens.insert(hash, &event.token, node, event.timestamp_us)
        };
        for at in 0..self.topology.edges_in[node].len() {
            self.downstream(self.topology.edges_in[node][at], slot, event, now_us, out);
        }
        for at in 0..self.topology.edges_out[node].len() {
            self.upstream(self.topology.edges_out[node][at], slot, event, now_us, out);
        }
        self.seen_beyond(node, slot, now_us, out);
        let waits = self.requests.any_in_flight(self.tokens.requests(slot));
        self.tokens.queue(slot, if waits { Queue::Waiting } else { Queue::Matched }, now_us);
        self.idle_until_us = self.idle_until_us.min(now_us + self.memory_us);
    }

    /// The event is the downstream end of an edge.
    fn downstream(&mut self, edge: usize, slot: u32, event: &Event, now_us: u64, out: &mut Vec<Finding>) {
        let rule = &self.rules[edge];
        if let Some(groups) = rule.groups {
            self.groups[groups].downstream(&event.token, event.timestamp_us, now_us, out);
            self.expect_groups(groups);
            return;
        }
        let Some(upstream_us) = self.tokens.seen(slot, rule.from) else {
            self.find_lost(edge, slot, event, now_us, out);
            return;
        };
        let matched = judge(upstream_us, event.timestamp_us, rule.within_us, rule.clock_skew_us);
        let first = self.tokens.requests(slot);
        let request = if rule.timed { self.requests.find(first, edge) } else { None };
        let judged = request.and_then(|request| match self.requests.get(request).state {
            State::Judged(from) => Some((from, self.requests.get(request).place())),
            State::InFlight | State::Corrected => None,
        });
        if let Some(request) = request {
            let first = self.requests.close(first, request);
            self.tokens.set_requests(slot, first);
        }
        let mut decision = matched_decision(edge, matched, &event.token, now_us);
        if let Some((from, place)) = judged {
            decision.place = place;
            out.push(Finding::Revised { decision, from });
        } else {
            decision.place = Some(self.next_place(edge));
            out.push(Finding::Decided(decision));
        }
    }

    /// The event is the upstream end of an edge.
    fn upstream(&mut self, edge: usize, slot: u32, event: &Event, now_us: u64, out: &mut Vec<Finding>) {
        let rule = &self.rules[edge];
        if let Some(groups) = rule.groups {
            self.groups[groups].upstream(&event.token, event.timestamp_us, now_us, out);
            self.expect_groups(groups);
            return;
        }
        out.push(Finding::Upstream { edge, opened: true, at_us: now_us });
        if let Some(downstream_us) = self.tokens.seen(slot, rule.to) {
            let matched = judge(event.timestamp_us, downstream_us, rule.within_us, rule.clock_skew_us);
            let mut decision = matched_decision(edge, matched, &event.token, now_us);
            decision.place = Some(self.next_place(edge));
            out.push(Finding::Decided(decision));
        } else if rule.timed {
            self.idle_until_us = self.idle_until_us.min(now_us + rule.patience_us);
            let request = self.requests.open(edge, slot, now_us, self.tokens.requests(slot));
            self.tokens.set_requests(slot, request);
        }
    }

    /// A downstream event without a remembered upstream: it may correct a lost token.
    fn find_lost(&mut self, edge: usize, slot: u32, event: &Event, now_us: u64, out: &mut Vec<Finding>) {
        let Some(lost) = self.lost[edge].take(&event.token, now_us, self.remember_us) else { return };
        let rule = &self.rules[edge];
        let matched = judge(lost.timestamp_us, event.timestamp_us, rule.within_us, rule.clock_skew_us);
        let mut decision = matched_decision(edge, matched, &event.token, now_us);
        decision.place = lost.place;
        out.push(Finding::Revised { decision, from: Outcome::Missing });
        let first = self.requests.corrected(edge, slot, self.tokens.requests(slot));
        self.tokens.set_requests(slot, first);
    }

    /// An event beyond an edge's `to` makes `unreported` of a remembered `missing`.
    fn seen_beyond(&mut self, node: usize, slot: u32, now_us: u64, out: &mut Vec<Finding>) {
        let mut next = self.requests.chain(self.tokens.requests(slot)).next();
        while let Some(request) = next {
            let record = self.requests.get(request);
            let edge = record.edge as usize;
            if record.state == State::Judged(Outcome::Missing)
                && self.topology.beyond[edge].binary_search(&node).is_ok()
            {
                let place = record.place();
                self.requests.revise(request, Outcome::Unreported);
                let decision = Decision { place, ..self.unmatched(edge, Outcome::Unreported, slot, now_us) };
                out.push(Finding::Revised { decision, from: Outcome::Missing });
            }
            next = self.requests.chain(request).nth(1);
        }
    }

    /// A decision on a request without a match.
    fn unmatched(&self, edge: usize, outcome: Outcome, slot: u32, at_us: u64) -> Decision {
        let token = Some(self.tokens.token(slot));
        Decision { edge, outcome, token, latency_us: None, behind_us: 0, at_us, place: None }
    }

    fn next_place(&mut self, edge: usize) -> u64 {
        self.placed[edge] += 1;
        self.placed[edge] - 1
    }

    fn expect_groups(&mut self, groups: usize) {
        if let Some(due_us) = self.groups[groups].next_due_us() {
            self.idle_until_us = self.idle_until_us.min(due_us);
        }
    }
}

/// A decision on a request that met its downstream event.
fn matched_decision(edge: usize, matched: Match, token: &Token, at_us: u64) -> Decision {
    let Match { outcome, latency_us, behind_us } = matched;
    Decision { edge, outcome, token: Some(token.clone()), latency_us, behind_us, at_us, place: None }
}
