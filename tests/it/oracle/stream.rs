//! One stream: its tokens, and what falls due.

use observatory::event::{Event, Token};
use observatory::graph::{NodeId, Stream, System};
use observatory::outcome::Outcome;

use super::edge::{EdgeModel, Record};
use super::shape;

/// A remembered token.
#[derive(Debug)]
pub(super) struct TokenModel {
    token: Token,
    /// Its events, in order of arrival; never empty.
    seen: Vec<Seen>,
    /// Edges on which its downstream event corrected a lost request.
    found: Vec<usize>,
    /// When it is forgotten.
    until_us: u64,
}

#[derive(Debug)]
struct Seen {
    node: usize,
    stamp_us: u64,
    arrival_us: u64,
}

impl TokenModel {
    fn seen_at(&self, node: usize) -> Option<u64> {
        self.seen.iter().find(|seen| seen.node == node).map(|seen| seen.stamp_us)
    }

    fn last_arrival_us(&self) -> u64 {
        self.seen.last().expect("a token is remembered for its events").arrival_us
    }
}

/// A node's place in the stream.
#[derive(Debug)]
pub(super) struct NodeModel {
    pub(super) id: NodeId,
    silence_us: Option<u64>,
    pub(super) events: u64,
    pub(super) last_us: Option<u64>,
    pub(super) clock_flagged: bool,
    /// From when to when it was silent.
    pub(super) silences: Vec<(u64, u64)>,
}

/// One stream.
#[derive(Debug)]
pub(super) struct StreamModel {
    pub(super) spec: Stream,
    start_us: u64,
    remember_us: u64,
    memory_us: u64,
    beyond: Vec<Vec<usize>>,
    pub(super) nodes: Vec<NodeModel>,
    pub(super) edges: Vec<EdgeModel>,
    pub(super) tokens: Vec<TokenModel>,
    new_events: u64,
    pub(super) happened: Vec<&'static str>,
}

/// What falls due, in the order in which it is worked off at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The number of the upstream event, the edge, the record.
    Deadline(u64, usize, usize),
    /// The edge.
    Waiting(usize),
    /// The place among the tokens.
    Forget(usize),
}

impl StreamModel {
    pub(super) fn new(system: &System, spec: &Stream, start_us: u64) -> Self {
        let node = |node: &observatory::graph::StreamNode| NodeModel {
            id: node.id,
            silence_us: node.silence_us,
            events: 0,
            last_us: None,
            clock_flagged: false,
            silences: Vec::new(),
        };
        let largest_within = spec.edges.iter().map(|edge| edge.check.as_ref().map_or(spec.horizon_us, |c| c.within_us));
        let largest_grace = spec.edges.iter().map(|edge| edge.grace_us + edge.delay_us);
        Self {
            start_us,
            remember_us: system.remember_us,
            memory_us: largest_within.max().unwrap_or(spec.horizon_us) + 2 * largest_grace.max().unwrap_or(0),
            beyond: (0..spec.edges.len()).map(|edge| shape::beyond(spec, edge)).collect(),
            nodes: spec.nodes.iter().map(node).collect(),
            edges: spec.edges.iter().map(|edge| EdgeModel::new(edge, system.max_tokens, start_us)).collect(),
            spec: spec.clone(),
            tokens: Vec::new(),
            new_events: 0,
            happened: Vec::new(),
        }
    }

    pub(super) fn place_of(&self, node: NodeId) -> Option<usize> {
        self.nodes.iter().position(|place| place.id == node)
    }

    pub(super) fn remembers(&self, token: &Token) -> bool {
        self.tokens.iter().any(|known| known.token == *token)
    }

    /// Works off what is due before `now_us`, by time.
    pub(super) fn run_to(&mut self, now_us: u64) {
        while let Some((at_us, due)) = self.all_due().min().filter(|(at_us, _)| *at_us < now_us) {
            match due {
                Due::Deadline(_, edge, record) => self.pass_deadline(edge, record, at_us),
                Due::Waiting(edge) => {
                    self.edges[edge].happened.push("dropped: waited too long");
                    self.edges[edge].waiting.retain(|waiting| waiting.until_us > at_us);
                }
                Due::Forget(token) => self.forget(token, at_us, false),
            }
        }
        for edge in &mut self.edges {
            edge.decay_to(now_us);
        }
    }

    /// When the last of all that is due falls due.
    pub(super) fn last_due(&self) -> Option<u64> {
        self.all_due().map(|(at_us, _)| at_us).max()
    }

    fn all_due(&self) -> impl Iterator<Item = (u64, Due)> + '_ {
        let forget = |(index, token): (usize, &TokenModel)| (token.until_us, Due::Forget(index));
        let edges = self.edges.iter().enumerate().flat_map(|(index, edge)| {
            let open = edge.records.iter().enumerate().filter(|(_, record)| record.outcome.is_none());
            let deadline = move |(place, record): (usize, &Record)| {
                Some((record.deadline_us?, Due::Deadline(record.number, index, place)))
            };
            let waiting = edge.waiting.iter().map(move |waiting| (waiting.until_us, Due::Waiting(index)));
            open.filter_map(deadline).chain(waiting)
        });
        self.tokens.iter().enumerate().map(forget).chain(edges)
    }

    /// The last new event + memory, but never before the last deadline.
    fn forget_us(&self, token: &TokenModel) -> u64 {
        let requests = self.edges.iter().filter_map(|edge| Some(&edge.records[edge.request_of(&token.token)?]));
        let last_deadline_us = requests.filter_map(|request| request.deadline_us).max().unwrap_or(0);
        (token.last_arrival_us() + self.memory_us).max(last_deadline_us)
    }

    fn pass_deadline(&mut self, edge: usize, record: usize, at_us: u64) {
        let token = self.edges[edge].records[record].token.as_ref();
        let known = token.and_then(|token| self.tokens.iter().find(|known| known.token == *token));
        let seen_beyond =
            known.is_some_and(|known| self.beyond[edge].iter().any(|&node| known.seen_at(node).is_some()));
        let outcome = if seen_beyond { Outcome::Unreported } else { Outcome::Missing };
        self.edges[edge].decide(record, outcome, at_us);
    }

    /// Takes an event of one of the stream's nodes.
    pub(super) fn take(&mut self, node: usize, event: &Event, now_us: u64) {
        let silence = self.node_silent_since(node, now_us).map(|since_us| (since_us, now_us));
        let place = &mut self.nodes[node];
        place.silences.extend(silence);
        place.events += 1;
        place.last_us = Some(now_us);
        place.clock_flagged |= event.clock_flagged;
        let found = self.tokens.iter().position(|known| known.token == event.token);
        let index = found.unwrap_or_else(|| {
            self.tokens.push(TokenModel {
                token: event.token.clone(),
                seen: Vec::new(),
                found: Vec::new(),
                until_us: 0,
            });
            self.tokens.len() - 1
        });
        if self.tokens[index].seen_at(node).is_some() {
            self.happened.push("duplicate");
            for edge in self.edges.iter_mut().filter(|edge| edge.spec.from == node || edge.spec.to == node) {
                edge.duplicates += 1;
            }
            return;
        }
        self.new_events += 1;
        self.tokens[index].seen.push(Seen { node, stamp_us: event.timestamp_us, arrival_us: now_us });
        for edge in 0..self.edges.len() {
            if self.edges[edge].spec.to == node {
                self.take_downstream(edge, index, event.timestamp_us, now_us);
            } else if self.edges[edge].spec.from == node {
                self.take_upstream(edge, index, event.timestamp_us, now_us);
            } else if self.beyond[edge].contains(&node) {
                self.take_beyond(edge, &event.token, now_us);
            }
        }
        self.tokens[index].until_us = self.forget_us(&self.tokens[index]);
    }

    fn take_upstream(&mut self, edge: usize, index: usize, stamp_us: u64, now_us: u64) {
        let (known, edge) = (&self.tokens[index], &mut self.edges[edge]);
        edge.hear(now_us);
        if edge.spec.count().is_some() {
            edge.join_group(&known.token, stamp_us, now_us, self.new_events);
            return;
        }
        edge.records.push(Record {
            token: Some(known.token.clone()),
            stamp_us,
            arrival_us: now_us,
            number: self.new_events,
            deadline_us: edge.spec.patience_us().map(|patience_us| now_us + patience_us),
            remembered: true,
            group: None,
            first: None,
            outcome: None,
            latency_us: None,
        });
        if let Some(downstream_us) = known.seen_at(edge.spec.to) {
            self.happened.push("downstream came first");
            edge.decide_match(edge.records.len() - 1, edge.judge(stamp_us, downstream_us), now_us);
        }
    }

    fn take_downstream(&mut self, index: usize, token: usize, stamp_us: u64, now_us: u64) {
        let (known, edge) = (&mut self.tokens[token], &mut self.edges[index]);
        if edge.spec.count().is_some() {
            edge.offer(&known.token, stamp_us, now_us);
        } else if let Some(request) = edge.request_of(&known.token) {
            let matched = edge.judge(edge.records[request].stamp_us, stamp_us);
            match edge.records[request].outcome {
                None => edge.decide_match(request, matched, now_us),
                Some(_) => edge.revise_match(request, matched, now_us),
            }
        } else if let Some(lost) = edge.find_lost(&known.token, now_us) {
            known.found.push(index);
            edge.revise_match(lost, edge.judge(edge.records[lost].stamp_us, stamp_us), now_us);
        }
    }

    fn take_beyond(&mut self, edge: usize, token: &Token, now_us: u64) {
        let edge = &mut self.edges[edge];
        let request = edge.request_of(token);
        if let Some(request) = request.filter(|&request| edge.records[request].outcome == Some(Outcome::Missing)) {
            edge.revise(request, Outcome::Unreported, now_us);
        }
    }

    /// Forgets a token; `early`, where the limit asks for it.
    fn forget(&mut self, index: usize, at_us: u64, early: bool) {
        let known = self.tokens.remove(index);
        for (index, edge) in self.edges.iter_mut().enumerate() {
            if let Some(request) = edge.request_of(&known.token) {
                match edge.records[request].outcome {
                    None if early => edge.decide(request, Outcome::Indeterminate, at_us),
                    None => edge.decide(request, Outcome::Unmatched, at_us),
                    Some(Outcome::Missing) => edge.lose(request, self.remember_us),
                    Some(_) => {}
                }
                edge.records[request].remembered = false;
            }
            let (from, to) = (known.seen_at(edge.spec.from), known.seen_at(edge.spec.to));
            let orphan = to.is_some() && from.is_none() && !known.found.contains(&index);
            if orphan && edge.spec.count().is_none() {
                self.happened.push("orphan");
                edge.orphans += 1;
            }
        }
    }

    /// Forgets the settled token whose last new event is oldest, else the oldest undecided one.
    pub(super) fn evict(&mut self, now_us: u64) -> bool {
        let waits = |token: &TokenModel| {
            let requests = self.edges.iter().filter_map(|edge| Some(&edge.records[edge.request_of(&token.token)?]));
            requests.into_iter().any(|request| request.outcome.is_none() && request.deadline_us.is_some())
        };
        let age = |&index: &usize| self.tokens[index].last_arrival_us();
        let settled = (0..self.tokens.len()).filter(|&index| !waits(&self.tokens[index])).min_by_key(age);
        let Some(index) = settled.or_else(|| (0..self.tokens.len()).min_by_key(age)) else { return false };
        self.happened.push(if settled.is_some() { "evicted: settled" } else { "evicted: undecided" });
        self.forget(index, now_us, true);
        true
    }

    /// Since when the node is silent: no event came from it for longer than `silence`.
    pub(super) fn node_silent_since(&self, node: usize, now_us: u64) -> Option<u64> {
        let place = &self.nodes[node];
        let silent_us = place.last_us.unwrap_or(self.start_us) + place.silence_us? + 1;
        (now_us >= silent_us).then_some(silent_us)
    }
}
