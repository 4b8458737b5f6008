//! One stream: its messages, and what falls due.

use observatory::event::{Event, Token};
use observatory::graph::{NodeId, Stream, System};
use observatory::outcome::Outcome;

use super::edge::{EdgeModel, Record};
use super::shape;
use super::witness::{BlindModel, WitnessModel};

/// A remembered message.
#[derive(Debug)]
pub(super) struct MessageModel {
    /// The number of its first event among the new ones.
    pub(super) number: u64,
    /// The tokens by which it is known; it goes by the first.
    pub(super) names: Vec<Token>,
    /// Its events, in order of arrival; never empty.
    pub(super) seen: Vec<Seen>,
    /// Edges on which its downstream event corrected a lost request.
    pub(super) found: Vec<usize>,
    /// When it is forgotten.
    pub(super) until_us: u64,
}

#[derive(Debug)]
pub(super) struct Seen {
    pub(super) node: usize,
    stamp_us: u64,
    pub(super) arrival_us: u64,
}

impl MessageModel {
    pub(super) fn seen_at(&self, node: usize) -> Option<u64> {
        self.seen.iter().find(|seen| seen.node == node).map(|seen| seen.stamp_us)
    }

    fn last_arrival_us(&self) -> u64 {
        self.seen.last().expect("a message is remembered for its events").arrival_us
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
    blind: BlindModel,
}

/// One stream.
#[derive(Debug)]
pub(super) struct StreamModel {
    pub(super) spec: Stream,
    start_us: u64,
    remember_us: u64,
    memory_us: u64,
    /// Nothing is forgotten before.
    keep_until_us: u64,
    pub(super) beyond: Vec<Vec<usize>>,
    pub(super) nodes: Vec<NodeModel>,
    pub(super) edges: Vec<EdgeModel>,
    pub(super) messages: Vec<MessageModel>,
    pub(super) alias_conflicts: u64,
    new_events: u64,
    pub(super) happened: Vec<&'static str>,
}

/// What falls due, in the order in which it is worked off at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The deadline, the number of the upstream event, the edge, the record.
    Deadline(u64, u64, usize, usize),
    /// The edge.
    Waiting(usize),
    /// The place among the messages.
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
            blind: BlindModel::default(),
        };
        let mut stream = Self {
            start_us,
            remember_us: system.remember_us,
            memory_us: 0,
            keep_until_us: 0,
            beyond: (0..spec.edges.len()).map(|edge| shape::beyond(spec, edge)).collect(),
            nodes: spec.nodes.iter().map(node).collect(),
            edges: spec.edges.iter().map(|edge| EdgeModel::new(edge, system.max_tokens, start_us)).collect(),
            spec: spec.clone(),
            messages: Vec::new(),
            alias_conflicts: 0,
            new_events: 0,
            happened: Vec::new(),
        };
        stream.memory_us = stream.memory();
        stream
    }

    /// The largest `within` and twice the largest grace, with the delays in force.
    fn memory(&self) -> u64 {
        let horizon_us = self.spec.horizon_us;
        let within = |edge: &EdgeModel| edge.spec.check.as_ref().map_or(horizon_us, |check| check.within_us);
        let largest_within = self.edges.iter().map(within).max().unwrap_or(horizon_us);
        let largest_grace = self.edges.iter().map(|edge| edge.spec.grace_us + edge.spec.delay_us).max().unwrap_or(0);
        largest_within + 2 * largest_grace
    }

    /// What may be said has changed. Nothing falls due before now because of it.
    pub(super) fn look(&mut self, witness: &WitnessModel, now_us: u64) {
        for node in &mut self.nodes {
            node.blind.set(witness.node_blind_until_us(node.id, now_us), now_us);
        }
        let mut blind_until_us = 0;
        for edge in &mut self.edges {
            edge.spec.delay_us = witness.delay_us(&self.spec, &edge.spec);
            let (blind_us, unjudged_us) = witness.edge_blind_until_us(&self.spec, &edge.spec, now_us);
            edge.blind.set(blind_us, now_us);
            edge.unjudged_until_us = unjudged_us.max(now_us);
            blind_until_us = blind_until_us.max(blind_us);
        }
        self.keep_until_us = blind_until_us.max(now_us);
        let memory_us = self.memory();
        if memory_us != self.memory_us {
            self.happened.push("memory changed");
        }
        self.memory_us = memory_us;
        for index in 0..self.messages.len() {
            self.messages[index].until_us = self.forget_us(&self.messages[index]);
        }
    }

    pub(super) fn place_of(&self, node: NodeId) -> Option<usize> {
        self.nodes.iter().position(|place| place.id == node)
    }

    pub(super) fn remembers(&self, token: &Token) -> bool {
        self.place_of_message(token).is_some()
    }

    /// Where among the messages the one of a token is.
    pub(super) fn place_of_message(&self, token: &Token) -> Option<usize> {
        self.messages.iter().position(|known| known.names.contains(token))
    }

    /// How many tokens are remembered: every name is one.
    pub(super) fn names(&self) -> usize {
        self.messages.iter().map(|known| known.names.len()).sum()
    }

    /// Works off what is due before `now_us`, by time.
    pub(super) fn run_to(&mut self, witness: Option<&WitnessModel>, now_us: u64) {
        while let Some((at_us, due)) = self.all_due().min().filter(|(at_us, _)| *at_us < now_us) {
            match due {
                Due::Deadline(deadline_us, _, edge, record) => {
                    if at_us > deadline_us {
                        self.happened.push("postponed: deadline");
                    }
                    self.pass_deadline(witness, edge, record, at_us);
                }
                Due::Waiting(edge) => {
                    self.edges[edge].happened.push("dropped: waited too long");
                    self.edges[edge].drop_waiting(at_us);
                }
                Due::Forget(message) => {
                    if at_us > self.messages[message].until_us {
                        self.happened.push("postponed: forgetting");
                    }
                    self.forget(message, at_us, false);
                }
            }
        }
        for edge in &mut self.edges {
            edge.decay_to(now_us);
        }
    }

    /// When the last of all that is due falls due.
    pub(super) fn last_due(&self) -> Option<u64> {
        self.all_due().map(|(at_us, _)| at_us).filter(|&at_us| at_us != u64::MAX).max()
    }

    fn all_due(&self) -> impl Iterator<Item = (u64, Due)> + '_ {
        let keep_until_us = self.keep_until_us;
        let forget =
            move |(index, message): (usize, &MessageModel)| (message.until_us.max(keep_until_us), Due::Forget(index));
        let edges = self.edges.iter().enumerate().flat_map(|(index, edge)| {
            let open = edge.records.iter().enumerate().filter(|(_, record)| record.outcome.is_none());
            let deadline = move |(place, record): (usize, &Record)| {
                let (deadline_us, number) = (record.deadline_us?, record.number);
                Some((deadline_us.max(edge.unjudged_until_us), Due::Deadline(deadline_us, number, index, place)))
            };
            let waiting = edge.waiting.iter().map(move |waiting| (edge.drop_us(waiting), Due::Waiting(index)));
            open.filter_map(deadline).chain(waiting)
        });
        self.messages.iter().enumerate().map(forget).chain(edges)
    }

    /// The last new event + memory, but never before the last deadline.
    pub(super) fn forget_us(&self, message: &MessageModel) -> u64 {
        let requests = self.edges.iter().filter_map(|edge| Some(&edge.records[edge.request_of(message.number)?]));
        let open = requests.filter(|request| request.outcome.is_none());
        let last_deadline_us = open.filter_map(|request| request.deadline_us).max().unwrap_or(0);
        (message.last_arrival_us() + self.memory_us).max(last_deadline_us)
    }

    fn pass_deadline(&mut self, witness: Option<&WitnessModel>, edge: usize, record: usize, at_us: u64) {
        let message = self.edges[edge].records[record].message;
        let known = message.and_then(|number| self.messages.iter().find(|known| known.number == number));
        let seen_beyond =
            known.is_some_and(|known| self.beyond[edge].iter().any(|&node| known.seen_at(node).is_some()));
        let to = self.nodes[self.edges[edge].spec.to].id;
        let asked = &self.edges[edge].records[record];
        let earliest_us = asked.first_arrival_us.saturating_sub(self.memory_us);
        let from_us = asked.first_arrival_us.min(asked.stamp_us).max(earliest_us);
        let until_us = asked.deadline_us.expect("it has a deadline");
        let testifies = witness.is_none_or(|witness| witness.testifies(to, from_us, until_us));
        let outcome = match (seen_beyond, testifies) {
            (true, _) => Outcome::Unreported,
            (false, true) => Outcome::Missing,
            (false, false) => Outcome::Indeterminate,
        };
        if outcome == Outcome::Indeterminate {
            self.happened.push(if asked.group.is_some() { "no witness: group" } else { "no witness" });
        }
        self.edges[edge].decide(record, outcome, at_us);
    }

    /// Takes an event of one of the stream's nodes; answers whether it is new.
    pub(super) fn take(&mut self, node: usize, event: &Event, now_us: u64) -> bool {
        let silence = self.node_silent_since(node, now_us).map(|since_us| (since_us, now_us));
        let place = &mut self.nodes[node];
        place.silences.extend(silence);
        place.events += 1;
        place.last_us = Some(now_us);
        place.clock_flagged |= event.clock_flagged;
        let index = self.place_of_message(&event.token).unwrap_or_else(|| {
            self.messages.push(MessageModel {
                number: self.new_events,
                names: vec![event.token.clone()],
                seen: Vec::new(),
                found: Vec::new(),
                until_us: 0,
            });
            self.messages.len() - 1
        });
        if self.messages[index].seen_at(node).is_some() {
            self.happened.push("duplicate");
            for edge in self.edges.iter_mut().filter(|edge| edge.spec.from == node || edge.spec.to == node) {
                edge.duplicates += 1;
            }
            return false;
        }
        self.new_events += 1;
        self.messages[index].seen.push(Seen { node, stamp_us: event.timestamp_us, arrival_us: now_us });
        for edge in 0..self.edges.len() {
            if self.edges[edge].spec.to == node {
                self.take_downstream(edge, index, event, now_us);
            } else if self.edges[edge].spec.from == node {
                self.take_upstream(edge, index, event.timestamp_us, now_us);
            } else if self.beyond[edge].contains(&node) {
                self.take_beyond(edge, index, now_us);
            }
        }
        self.messages[index].until_us = self.forget_us(&self.messages[index]);
        true
    }

    fn take_upstream(&mut self, edge: usize, index: usize, stamp_us: u64, now_us: u64) {
        let (known, edge) = (&self.messages[index], &mut self.edges[edge]);
        edge.hear(now_us);
        if edge.spec.count().is_some() {
            edge.join_group(&known.names[0], stamp_us, now_us, self.new_events);
            return;
        }
        edge.records.push(Record {
            token: Some(known.names[0].clone()),
            stamp_us,
            first_arrival_us: now_us,
            arrival_us: now_us,
            number: self.new_events,
            deadline_us: edge.spec.patience_us().map(|patience_us| now_us + patience_us),
            message: Some(known.number),
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

    fn take_downstream(&mut self, index: usize, message: usize, event: &Event, now_us: u64) {
        let (known, edge) = (&mut self.messages[message], &mut self.edges[index]);
        if edge.spec.count().is_some() {
            edge.offer(&known.names[0], event.timestamp_us, now_us);
        } else if let Some(request) = edge.request_of(known.number) {
            edge.meet(request, &known.names[0], event.timestamp_us, now_us);
        } else {
            let mut names = [&event.token].into_iter().chain(known.names.iter().filter(|name| **name != event.token));
            if let Some(lost) = names.find_map(|name| edge.find_lost(name, now_us)) {
                if edge.records[lost].token.as_ref() != Some(&event.token) {
                    edge.happened.push("alias: lost and found");
                }
                known.found.push(index);
                edge.meet(lost, &known.names[0], event.timestamp_us, now_us);
            }
        }
    }

    /// The message was seen beyond the edge's `to`: answers whether that corrects the record.
    pub(super) fn take_beyond(&mut self, edge: usize, message: usize, now_us: u64) -> bool {
        let (known, edge) = (&self.messages[message], &mut self.edges[edge]);
        let request = edge.request_of(known.number);
        let missing = request.filter(|&request| edge.records[request].outcome == Some(Outcome::Missing));
        if let Some(request) = missing {
            edge.revise(request, &known.names[0], Outcome::Unreported, now_us);
        }
        missing.is_some()
    }

    /// Forgets a message with all its names; `early`, where the limit asks for it.
    fn forget(&mut self, index: usize, at_us: u64, early: bool) {
        let known = self.messages.remove(index);
        for (index, edge) in self.edges.iter_mut().enumerate() {
            if let Some(request) = edge.request_of(known.number) {
                match edge.records[request].outcome {
                    None if early => edge.decide(request, Outcome::Indeterminate, at_us),
                    None => edge.decide(request, Outcome::Unmatched, at_us),
                    Some(Outcome::Missing) => edge.lose(request, &known.names, self.remember_us),
                    Some(_) => {}
                }
                edge.records[request].message = None;
            }
            let (from, to) = (known.seen_at(edge.spec.from), known.seen_at(edge.spec.to));
            let orphan = to.is_some() && from.is_none() && !known.found.contains(&index);
            if orphan && edge.spec.count().is_none() {
                self.happened.push("orphan");
                edge.orphans += 1;
            }
        }
    }

    /// Forgets the settled message whose last new event is oldest, else the oldest undecided one.
    pub(super) fn evict(&mut self, now_us: u64) -> bool {
        let waits = |message: &MessageModel| {
            let requests = self.edges.iter().filter_map(|edge| Some(&edge.records[edge.request_of(message.number)?]));
            requests.into_iter().any(|request| request.outcome.is_none() && request.deadline_us.is_some())
        };
        let age = |&index: &usize| self.messages[index].last_arrival_us();
        let settled = (0..self.messages.len()).filter(|&index| !waits(&self.messages[index])).min_by_key(age);
        let Some(index) = settled.or_else(|| (0..self.messages.len()).min_by_key(age)) else { return false };
        self.happened.push(if settled.is_some() { "evicted: settled" } else { "evicted: undecided" });
        self.forget(index, now_us, true);
        true
    }

    /// Since when the node is silent: no event came from it for longer than `silence`.
    pub(super) fn node_silent_since(&self, node: usize, now_us: u64) -> Option<u64> {
        let place = &self.nodes[node];
        let silent_us = place.blind.after(place.last_us.unwrap_or(self.start_us), place.silence_us?)?;
        (now_us >= silent_us).then_some(silent_us)
    }
}
