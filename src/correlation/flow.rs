//! The correlator of one stream.

mod accept;
mod forget;
mod join;
mod reload;
mod shape;

use shape::{Kind, Rule, Shape};

use serde::{Deserialize, Serialize};

use super::count::Groups;
use super::key::KeyHasher;
use super::lost::LostList;
use super::requests::Requests;
use super::sight::Sight;
use super::sightings::Seen;
use super::slab::NONE;
use super::tokens::Tokens;
use super::verdicts::Verdicts;
use crate::event::{Event, Token};
use crate::graph::{System, Topology};

/// Correlates the events of one stream.
#[derive(Debug, Serialize, Deserialize)]
pub struct Flow {
    #[serde(skip)]
    shape: Shape,
    state: State,
}

/// Two messages that became one.
#[derive(Debug)]
pub struct Joined {
    /// The number of the one that stays, and where that was seen.
    pub kept: (u32, Seen),
    /// The number of the one that is no more, and where that was seen.
    pub gone: (u32, Seen),
}

/// The events that come next.
#[derive(Debug, Default)]
struct Ahead {
    hashes: Vec<u64>,
    /// Where their tokens are remembered, as far as could be seen; the next one last.
    slots: Vec<u32>,
    /// The first requests of those tokens.
    requests: Vec<u32>,
}

/// What a stream remembers.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    tokens: Tokens,
    requests: Requests,
    groups: Vec<Groups>,
    lost: Vec<LostList>,
    /// By edge: outcomes placed so far (of a time check; count checks place their own).
    placed: Vec<u64>,
    /// By edge: whether somebody can testify.
    sights: Vec<Sight>,
    /// Nothing is forgotten before the clock has passed this; `u64::MAX`: before more is said.
    keep_until_us: u64,
    /// What was worked off last was due then.
    worked_us: u64,
    /// Where the token at hand was seen; of an event, where it had been seen before, if the stream discovers edges.
    #[serde(skip)]
    seen: Seen,
    /// Where the message of the event at hand had been seen before it, a bit for each node; none where they do not fit.
    #[serde(skip)]
    places: Option<u64>,
    #[serde(skip)]
    ahead: Ahead,
    /// Nothing is due as long as the clock has not passed this.
    idle_until_us: u64,
}

impl Flow {
    /// The correlator of the system's stream at `index`.
    pub fn new(system: &System, index: usize, hasher: KeyHasher) -> Self {
        let stream = &system.streams[index];
        let shape = Shape::new(stream, system.remember_us);
        let count = |(index, edge)| Groups::of(index, edge, stream.memory_us(), system.max_tokens);
        let state = State {
            tokens: Tokens::new(hasher),
            requests: Requests::new(shape.rules.iter().map(|rule| rule.patience_us)),
            groups: stream.edges.iter().enumerate().filter_map(count).collect(),
            lost: shape.rules.iter().map(|_| LostList::default()).collect(),
            placed: vec![0; shape.rules.len()],
            sights: stream.edges.iter().map(|edge| Sight::clear(edge.wait_us())).collect(),
            keep_until_us: 0,
            worked_us: 0,
            seen: Seen::default(),
            places: None,
            ahead: Ahead::default(),
            idle_until_us: u64::MAX,
        };
        Self { shape, state }
    }

    /// Makes what follows from the rest, after this was serialized; the stream stands at `index` of the system.
    pub fn restore(&mut self, system: &System, index: usize, hasher: KeyHasher) {
        self.shape = Shape::new(&system.streams[index], system.remember_us);
        self.state.tokens.restore(hasher);
    }

    /// The shape of the stream.
    pub fn topology(&self) -> &Topology {
        &self.shape.topology
    }

    /// How many tokens are remembered.
    #[inline]
    pub fn tokens(&self) -> usize {
        self.state.tokens.len()
    }

    /// Whether the token is remembered; `hash` is its hash.
    pub fn knows(&self, hash: u64, token: &Token) -> bool {
        self.state.tokens.find(NONE, hash, token).is_some()
    }

    /// The arrival of the oldest request in flight on an edge with a deadline.
    pub fn oldest_in_flight_us(&self, edge: usize) -> Option<u64> {
        let rule = &self.shape.rules[edge];
        match rule.kind {
            Kind::Count(groups) => self.state.groups[groups].oldest_arrival_us(),
            Kind::Open => None,
            Kind::Timed => self.state.requests.oldest_arrival_us(edge),
        }
    }

    /// What may be said on the edges from now on, how long tokens are remembered, and until when none is forgotten.
    /// What was due must have been worked off, and no moment may lie before that.
    pub fn see(&mut self, sights: Vec<Sight>, memory_us: u64, keep_until_us: u64) {
        self.shape.memory_us = memory_us;
        self.state.see(&self.shape, sights, keep_until_us);
    }

    /// An event whose token has this hash comes next, or after those that are expected already.
    #[inline]
    pub fn expect(&mut self, hash: u64) {
        self.state.ahead.hashes.push(hash);
    }

    /// Looks up the tokens of all events that are expected.
    #[inline]
    pub fn foresee(&mut self) {
        if self.state.ahead.hashes.is_empty() {
            return;
        }
        let Ahead { hashes, slots, requests } = &mut self.state.ahead;
        self.state.tokens.foresee(hashes, slots, requests);
        self.state.requests.foresee(requests);
        slots.reverse();
        hashes.clear();
    }

    /// Takes one event of `node` (its place in the stream). What was due before must have been worked off.
    /// Answers the number of its message, unless it is a duplicate: one message has it as long as it is remembered.
    #[inline]
    pub fn accept(
        &mut self,
        node: usize,
        event: &Event,
        hash: u64,
        now_us: u64,
        out: &mut impl Verdicts,
    ) -> Option<u32> {
        self.state.accept(&self.shape, node, event, hash, now_us, out)
    }

    /// Where the message of the last event that was new had been seen before it; only in a stream that discovers edges.
    #[inline]
    pub fn seen_before(&self) -> &Seen {
        &self.state.seen
    }

    /// Makes `alias` a name of the message of `token`, where that is remembered; both with their hashes. Answers which
    /// two messages became one, if that made one of two.
    pub fn join(
        &mut self,
        token: (&Token, u64),
        alias: (&Token, u64),
        now_us: u64,
        out: &mut impl Verdicts,
    ) -> Option<Joined> {
        let slot = self.state.tokens.find(NONE, token.1, token.0)?;
        self.state.join(&self.shape, slot, alias, now_us, out)
    }

    /// Whether something is due before `now_us`.
    #[inline]
    pub fn is_due(&self, now_us: u64) -> bool {
        self.state.idle_until_us < now_us
    }

    /// Judges and forgets what is due before `now_us`, in the order of time.
    #[inline]
    pub fn advance(&mut self, now_us: u64, out: &mut impl Verdicts) {
        if self.is_due(now_us) {
            self.state.work_off(&self.shape, now_us, out);
        }
    }

    /// When something falls due next; it is worked off when the clock has passed this.
    pub fn next_due_us(&mut self) -> Option<u64> {
        self.state.next_due(&self.shape, u64::MAX).map(|(due_us, _)| due_us)
    }

    /// When a request or a group is judged next for want of events; when the clock has passed this.
    pub fn next_deadline_us(&mut self) -> Option<u64> {
        self.state.next_judged(u64::MAX).map(|(due_us, _)| due_us)
    }

    /// Forgets one token before its time: the settled one whose last new event is oldest, else the
    /// oldest of all, whose requests are given up. Answers whether there was one.
    pub fn evict(&mut self, now_us: u64, out: &mut impl Verdicts) -> bool {
        self.state.evict(&self.shape, now_us, out)
    }
}

impl State {
    fn see(&mut self, shape: &Shape, sights: Vec<Sight>, keep_until_us: u64) {
        for (rule, sight) in shape.rules.iter().zip(&sights) {
            match rule.kind {
                Kind::Count(groups) => self.groups[groups].see(sight.clone(), shape.memory_us),
                Kind::Timed => {
                    let patience_us = rule.within_us.unwrap_or(0) + sight.wait_us;
                    self.requests.see(rule.edge, patience_us, sight.blind_until_us);
                }
                // Its requests have no deadline, but for those that were given one before a reload.
                Kind::Open => self.requests.see(rule.edge, 0, sight.blind_until_us),
            }
        }
        self.requests.relist();
        (self.sights, self.keep_until_us) = (sights, keep_until_us);
        self.idle_until_us = 0;
    }

    #[inline]
    fn next_place(&mut self, edge: usize) -> u64 {
        self.placed[edge] += 1;
        self.placed[edge] - 1
    }
}
