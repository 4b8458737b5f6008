//! The core: correlation and health of all streams behind one door.

mod blanks;
mod discovered;
mod entry;
mod inputs;
mod look;
mod witness;

pub use entry::Entry;

use std::sync::Arc;

use discovered::Discovered;
use inputs::Inputs;
use witness::Witness;

use serde::{Deserialize, Serialize};

use crate::board::{Board, EdgeDetail};
use crate::clock::Moment;
use crate::correlation::{Flow, KeyHasher, hash_token};
use crate::event::{Event, Token};
use crate::graph::{Moves, NodeId, NodeIndex, Stream, System, Topology};
use crate::health::StreamHealth;
use crate::outcome::{Status, Transition};

/// So many events are looked up together: enough that memory answers for all at once, few enough that what it brought
/// is still near when it is needed.
const AT_HAND_MAX: usize = 64;

/// Correlates events and judges edges. Pure and synchronous: the same calls give the same verdicts.
#[derive(Debug, Serialize, Deserialize)]
pub struct Engine {
    system: Arc<System>,
    #[serde(skip)]
    index: NodeIndex,
    #[serde(skip)]
    hasher: KeyHasher,
    streams: Vec<(Flow, StreamHealth)>,
    /// By stream: the edges that traffic shows, where that is asked for.
    discovered: Vec<Option<Box<Discovered>>>,
    inputs: Inputs,
    /// Who must testify; `None` where nothing is ever blind.
    witness: Option<Box<Witness>>,
    now_us: u64,
    /// Tokens remembered, over all streams.
    tokens: usize,
    evicted: u64,
    /// The hashes of the tokens at hand.
    #[serde(skip)]
    hashes: Vec<u64>,
}

impl Engine {
    /// An engine that runs where events happen, from `start_us` on: what is missing needs a witness. What inputs do
    /// not keep is lost before the start; of what they keep nothing has been read.
    pub fn live(mut system: Arc<System>, start_us: u64, seed: (u64, u64)) -> Self {
        let witness = Box::new(Witness::new(&system));
        witness.set_all_delays(&mut system);
        let mut engine = Self::new(system, start_us, seed);
        engine.witness = Some(witness);
        engine.look_at_all_streams();
        engine
    }

    /// An engine that replays recorded events, from `start_us` of the arrival clock on: it is told all there is, and
    /// nothing is ever blind. `seed` keys the hash of the tokens: random live, so that no sender can choose tokens
    /// that collide; it changes no verdict.
    pub fn new(system: Arc<System>, start_us: u64, seed: (u64, u64)) -> Self {
        let hasher = KeyHasher::new(seed);
        let stream = |(index, stream)| (Flow::new(&system, index, hasher), StreamHealth::new(index, stream, start_us));
        Self {
            index: NodeIndex::new(&system),
            hasher,
            streams: system.streams.iter().enumerate().map(stream).collect(),
            discovered: system.streams.iter().map(Discovered::of).collect(),
            inputs: Inputs::new(&system, start_us),
            witness: None,
            system,
            now_us: start_us,
            tokens: 0,
            evicted: 0,
            hashes: Vec::new(),
        }
    }

    /// Goes on with another manifest: what stays keeps its windows, ledgers and requests in flight. Answers
    /// the changes until now, which name streams, nodes and edges by their old places.
    pub fn reload(&mut self, system: Arc<System>, now_us: u64) -> Vec<Transition> {
        self.advance(now_us);
        let transitions = self.take_transitions();
        let old = std::mem::replace(&mut self.system, system);
        self.inputs.reload(&self.system, self.now_us);
        if let Some(witness) = &mut self.witness {
            witness.reload(&old, &self.system);
            witness.set_all_delays(&mut self.system);
        }
        let streams = std::mem::take(&mut self.streams).into_iter();
        let mut kept: Vec<_> = streams.zip(std::mem::take(&mut self.discovered)).map(Some).collect();
        for (index, stream) in self.system.streams.iter().enumerate() {
            let place = old.streams.iter().position(|other| other.name == stream.name);
            let Some((place, ((flow, mut health), discovered))) =
                place.and_then(|place| Some((place, kept[place].take()?)))
            else {
                self.discovered.push(Discovered::of(stream));
                let flow = Flow::new(&self.system, index, self.hasher);
                self.streams.push((flow, StreamHealth::new(index, stream, self.now_us)));
                continue;
            };
            let moves = Moves::new((&old, &old.streams[place]), (&self.system, stream));
            let flow = flow.reload(&self.system, index, &moves, self.now_us, &mut health);
            let mut health = health.reload(index, stream, &moves, self.now_us);
            let drawn = Discovered::reload(discovered.as_deref(), stream, &moves, self.now_us, &mut health);
            self.discovered.push(drawn);
            self.streams.push((flow, health));
        }
        self.look_at_all_streams();
        self.index = NodeIndex::new(&self.system);
        self.tokens = self.streams.iter().map(|(flow, _)| flow.tokens()).sum();
        transitions
    }

    /// An engine that was serialized, with what is not kept because it follows from the rest. Without this it is of no use.
    #[must_use]
    pub fn restored(mut self, seed: (u64, u64)) -> Self {
        self.hasher = KeyHasher::new(seed);
        self.index = NodeIndex::new(&self.system);
        for (index, (flow, _)) in self.streams.iter_mut().enumerate() {
            flow.restore(&self.system, index, self.hasher);
        }
        for discovered in self.discovered.iter_mut().flatten() {
            discovered.restore();
        }
        self
    }

    /// The greatest `now_us` seen so far.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// How many tokens are remembered.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Judges and forgets what is due before `now_us`.
    pub fn advance(&mut self, now_us: u64) {
        self.now_us = self.now_us.max(now_us);
        for stream in 0..self.streams.len() {
            self.correlate(stream, self.now_us);
            self.streams[stream].1.advance(self.now_us);
        }
    }

    /// Judges what is due, then takes one event that arrived at `now_us`.
    pub fn accept(&mut self, event: &Event, now_us: u64) {
        self.now_us = self.now_us.max(now_us);
        self.take(event, hash_token(self.hasher, &event.token));
    }

    /// Judges what is due, then takes events that arrived at `now_us`, as [`Self::accept`] takes each; but faster.
    ///
    /// Most of what an event costs is waiting for the memory of its token. So that is asked for before, for many at once.
    pub fn accept_all(&mut self, events: &[Event], now_us: u64) {
        match events {
            [] => {}
            [event] => self.accept(event, now_us),
            _ => self.accept_each(events, |_| now_us),
        }
    }

    /// The same of recorded events: each arrives at its own timestamp, or with the one before it where that is later.
    pub fn accept_recorded(&mut self, events: &[Event]) {
        self.accept_each(events, |event| event.timestamp_us);
    }

    fn accept_each(&mut self, events: &[Event], arrived_us: impl Fn(&Event) -> u64) {
        let mut hashes = std::mem::take(&mut self.hashes);
        for events in events.chunks(AT_HAND_MAX) {
            hashes.clear();
            hashes.extend(events.iter().map(|event| hash_token(self.hasher, &event.token)));
            self.foresee(events, &hashes);
            for (event, hash) in events.iter().zip(&hashes) {
                self.now_us = self.now_us.max(arrived_us(event));
                self.take(event, *hash);
            }
        }
        self.hashes = hashes;
    }

    /// Has the streams look up the tokens of events that come next.
    fn foresee(&mut self, events: &[Event], hashes: &[u64]) {
        for (event, hash) in events.iter().zip(hashes) {
            for &(stream, _) in self.index.places(event.node) {
                self.streams[stream].0.expect(*hash);
            }
        }
        for (flow, _) in &mut self.streams {
            flow.foresee();
        }
    }

    fn take(&mut self, event: &Event, hash: u64) {
        self.hear(event);
        for at in 0..self.index.places(event.node).len() {
            let (stream, node) = self.index.places(event.node)[at];
            if self.streams[stream].0.is_due(self.now_us) || self.discovered[stream].is_some() {
                self.correlate(stream, self.now_us);
            }
            if self.tokens >= self.system.max_tokens {
                self.make_room(stream, hash, &event.token);
            }
            let (flow, health) = &mut self.streams[stream];
            health.hear(node, event, self.now_us);
            let before = flow.tokens();
            let new = flow.accept(node, event, hash, self.now_us, health);
            self.tokens += flow.tokens() - before;
            let Some(message) = new else { continue };
            if let Some(discovered) = &mut self.discovered[stream] {
                let parent = event.parent.and_then(|parent| place_in(&self.index, parent, stream));
                discovered.see((message, flow), (node, event, parent), self.now_us, health);
            }
            if let Some(alias) = &event.alias {
                self.join(stream, (&event.token, hash), alias);
            }
        }
    }

    /// Lets the clock run out: all that is due is judged, then every token is forgotten.
    pub fn settle(&mut self) {
        let mut end_us = self.now_us;
        for stream in 0..self.streams.len() {
            while let Some(due_us) = self.streams[stream].0.next_due_us() {
                end_us = end_us.max(due_us + 1);
                self.correlate(stream, due_us + 1);
            }
            while let Some(due_us) = self.discovered[stream].as_ref().and_then(|discovered| discovered.next_due_us()) {
                end_us = end_us.max(due_us + 1);
                self.correlate(stream, due_us + 1);
            }
        }
        self.advance(end_us);
    }

    /// Draws what all events so far show, whether more is to come or not: for the end of a replay.
    pub fn look_at_all(&mut self) {
        for (discovered, (_, health)) in self.discovered.iter_mut().zip(&mut self.streams) {
            if let Some(discovered) = discovered {
                discovered.look_at_all(self.now_us, health);
            }
        }
    }

    /// The next moment at which [`Self::advance`] has something to do, if nothing arrives: what it
    /// does, it does when `now_us` is greater than this.
    pub fn next_due_us(&mut self) -> Option<u64> {
        let flows = self.streams.iter_mut().filter_map(|(flow, health)| {
            let judged = health.next_due_us().map(|due_us| due_us.saturating_sub(1));
            flow.next_due_us().into_iter().chain(judged).min()
        });
        let discovered = self.discovered.iter().flatten().filter_map(|discovered| discovered.next_due_us());
        flows.chain(discovered).min()
    }

    /// Up to this moment no request is judged for want of events, whatever comes that is not before [`Self::now_us`].
    pub fn calm_until_us(&mut self) -> u64 {
        let known = self.streams.iter_mut().filter_map(|(flow, _)| flow.next_deadline_us());
        // What comes has the edge's grace at least, and so has what was blind.
        let checked = self.system.streams.iter().flat_map(|stream| &stream.edges).filter(|edge| edge.check.is_some());
        let coming = checked.map(|edge| self.now_us.saturating_add(edge.wait_us()));
        known.chain(coming).min().unwrap_or(u64::MAX)
    }

    /// The changes since the last call, in the order of their time.
    pub fn take_transitions(&mut self) -> Vec<Transition> {
        self.advance(self.now_us);
        let mut transitions: Vec<_> =
            self.streams.iter_mut().flat_map(|(_, health)| health.take_transitions()).collect();
        transitions.sort_by_key(|transition| transition.at_us);
        transitions
    }

    /// The picture of the last entry's moment; it never goes beyond that.
    pub fn board(&mut self) -> Board {
        self.advance(self.now_us);
        Board {
            at: Moment(self.now_us),
            name: self.system.name.clone(),
            description: self.system.description.clone(),
            streams: (0..self.streams.len()).map(|stream| Arc::new(self.stream_board(stream))).collect(),
            tokens: self.tokens,
            tokens_limit: self.system.max_tokens,
            tokens_evicted: self.evicted,
            unknown_senders: Vec::new(),
            inputs: self.inputs.boards(&self.system, self.now_us),
        }
    }

    /// The place of an edge, declared or shown by traffic, by the names of its stream and nodes.
    pub fn find_edge(&mut self, stream: &str, from: &str, to: &str) -> Option<(usize, usize)> {
        self.advance(self.now_us);
        let place = self.system.streams.iter().position(|other| other.name == stream)?;
        let shown = self.shown(place).0;
        let is = |node: usize, name: &str| self.system.nodes[shown.nodes[node].id.0 as usize] == name;
        let edge = shown.edges.iter().position(|edge| is(edge.from, from) && is(edge.to, to))?;
        Some((place, edge))
    }

    /// One edge with its window and fails, at the last entry's moment. None where there is no such edge (any more).
    pub fn edge_detail(&mut self, stream: usize, edge: usize) -> Option<EdgeDetail> {
        self.advance(self.now_us);
        let board = self.stream_board(stream);
        let (flow, health) = &self.streams[stream];
        let declared = edge < self.system.streams[stream].edges.len();
        let oldest_us = if declared { flow.oldest_in_flight_us(edge) } else { None };
        (edge < board.edges.len()).then(|| health.detail(edge, &board, oldest_us))
    }

    /// The worst status that the edge had at any time; NOK where it, or a node of it, was ever silent.
    pub fn worst(&self, stream: usize, edge: usize) -> Status {
        let shown = &self.shown(stream).0.edges[edge];
        self.streams[stream].1.worst(edge, [shown.from, shown.to])
    }

    fn stream_board(&self, stream: usize) -> crate::board::StreamBoard {
        let (shown, topology) = self.shown(stream);
        let board = self.streams[stream].1.board(&self.system, shown, topology, self.now_us);
        let discovery = self.discovered[stream].as_ref().map(|discovered| discovered.board());
        crate::board::StreamBoard { discovery, ..board }
    }

    /// A stream with the edges that traffic shows, and its shape.
    fn shown(&self, stream: usize) -> (&Stream, &Topology) {
        match &self.discovered[stream] {
            Some(discovered) => (&discovered.shown, &discovered.topology),
            None => (&self.system.streams[stream], self.streams[stream].0.topology()),
        }
    }

    /// Makes an alias a name of a message; one that is new is a token to remember.
    fn join(&mut self, stream: usize, token: (&Token, u64), alias: &Token) {
        let hash = hash_token(self.hasher, alias);
        if self.tokens >= self.system.max_tokens {
            self.make_room(stream, hash, alias);
        }
        let (flow, health) = &mut self.streams[stream];
        let before = flow.tokens();
        let joined = flow.join(token, (alias, hash), self.now_us, health);
        self.tokens += flow.tokens() - before;
        if let (Some(discovered), Some(joined)) = (&mut self.discovered[stream], joined) {
            discovered.join(&joined, token.0, self.now_us, health);
        }
    }

    /// Works off what is due in a stream.
    fn correlate(&mut self, stream: usize, now_us: u64) {
        let (flow, health) = &mut self.streams[stream];
        let before = flow.tokens();
        flow.advance(now_us, health);
        self.tokens -= before - flow.tokens();
        if let Some(discovered) = &mut self.discovered[stream] {
            discovered.advance(now_us, health);
        }
    }

    /// Where the limit is reached and the token is new to the stream, has the stream that is furthest above
    /// its even share forget one; the stream that the token joins counts it already, and wins a tie.
    fn make_room(&mut self, joins: usize, hash: u64, token: &Token) {
        for stream in 0..self.streams.len() {
            self.correlate(stream, self.now_us);
        }
        while self.tokens >= self.system.max_tokens && !self.streams[joins].0.knows(hash, token) {
            let joined = |stream: usize| stream == joins;
            let share =
                |stream: &usize| (self.streams[*stream].0.tokens() + usize::from(joined(*stream)), joined(*stream));
            let Some(fullest) = (0..self.streams.len()).rev().max_by_key(share) else { return };
            let (flow, health) = &mut self.streams[fullest];
            let before = flow.tokens();
            if !flow.evict(self.now_us, health) {
                return;
            }
            let gone = before - flow.tokens();
            (self.tokens, self.evicted) = (self.tokens - gone, self.evicted + gone as u64);
        }
    }
}

/// Where a node stands in a stream, if it does.
fn place_in(index: &NodeIndex, node: NodeId, stream: usize) -> Option<usize> {
    index.places(node).iter().find(|&&(other, _)| other == stream).map(|&(_, place)| place)
}
