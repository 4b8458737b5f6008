//! The tokens that a stream remembers: one line of memory each, and eight bytes a place in the index. Where they were seen
//! stands there, too, up to four nodes within half an hour; the rest stands in blocks.
//!
//! Settled tokens are forgotten in the order of their last new event's arrival. Those that a match settled
//! stand in a line: their last event was the newest, so they go to its end, and where they stood before nobody stands any
//! more. Those that a deadline settled are in a heap. Those that still wait for a deadline stand nowhere; they are lined up only when memory runs out.

mod ahead;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use serde::{Deserialize, Serialize};

use ahead::FORESEEN;

use super::index::Index;
use super::key::{KIND_BITS, Key, KeyHasher, LongTexts};
use super::names::Names;
use super::sightings::{Seen, Sightings, pack, unpack};
use super::slab::{NONE, Slab};
use crate::event::{Token, Words};

/// Sightings in one block.
const BLOCK: usize = 3;
/// Low bits of [`Head::stamp`] that hold the key's kind and the queue.
const TAG_BITS: u32 = KIND_BITS + 2;
/// No sighting: no node has this place.
const UNSEEN: u64 = u64::MAX;

/// Which queue a token is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Queue {
    /// None: the place is free.
    Free = 0,
    /// It waits for a deadline.
    Waiting = 1,
    /// Nothing waits; its newest event settled it.
    Matched = 2,
    /// Nothing waits; a deadline settled it.
    Judged = 3,
}

/// A token, in one line of memory.
#[derive(Debug, Serialize, Deserialize)]
#[repr(align(64))]
struct Head {
    key: Words,
    /// Arrival of the last new event, above the queue and the key's kind.
    stamp: u64,
    sightings: Sightings,
    more: u32,
    requests: u32,
    /// Its number in the line of the matched, if it stands there.
    turn: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Block {
    sightings: [u64; BLOCK],
    next: u32,
}

/// Tokens that a match settled, in the order of their last new event.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Line {
    slots: VecDeque<u32>,
    /// The number of the first of them.
    first: u32,
    /// The first when the next [`FORESEEN`] were read ahead the last time.
    foreseen: u32,
}

/// The tokens of one stream.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tokens {
    #[serde(skip)]
    hasher: KeyHasher,
    #[serde(skip)]
    index: Index,
    heads: Slab<Head>,
    blocks: Slab<Block>,
    texts: LongTexts,
    names: Names,
    matched: Line,
    judged: BinaryHeap<Reverse<(u64, u32)>>,
    /// Waiting tokens from the youngest to the oldest, made when memory runs out.
    lineup: Vec<(u64, u32)>,
}

impl Tokens {
    pub(super) fn new(hasher: KeyHasher) -> Self {
        Self {
            hasher,
            index: Index::default(),
            heads: Slab::new(),
            blocks: Slab::new(),
            texts: LongTexts::new(),
            names: Names::default(),
            matched: Line::default(),
            judged: BinaryHeap::new(),
            lineup: Vec::new(),
        }
    }

    /// Finds the tokens again after they were serialized, by another secret.
    pub(super) fn restore(&mut self, hasher: KeyHasher) {
        self.hasher = hasher;
        let mut index = Index::default();
        for slot in (0..self.heads.len()).filter(|&slot| self.queue_of(slot) != Queue::Free) {
            index.insert(self.texts.hash(hasher, key_of(&self.heads[slot])), slot);
        }
        self.index = index;
    }

    /// How many are remembered, aliases included.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.index.len() + self.names.len()
    }

    /// The place of a token that is remembered; `hash` is its hash, `foreseen` where [`Self::foresee`] saw it, or `NONE`.
    #[inline]
    pub(super) fn find(&self, foreseen: u32, hash: u64, token: &Token) -> Option<u32> {
        // Meanwhile it may have been forgotten, and its place be that of another one.
        if foreseen != NONE
            && self.queue_of(foreseen) != Queue::Free
            && self.texts.is(key_of(&self.heads[foreseen]), token)
        {
            return Some(foreseen);
        }
        let found = self.index.find(hash, |slot| self.texts.is(key_of(&self.heads[slot]), token));
        found.or_else(|| self.names.find(token))
    }

    /// Remembers a new token with its first sighting. It is on no queue yet: see [`Self::queue`].
    pub(super) fn insert(&mut self, hash: u64, token: &Token, node: usize, timestamp_us: u64) -> u32 {
        let key = self.texts.keep(token);
        let slot = self.heads.insert(Head {
            key: key.words,
            stamp: u64::from(key.kind),
            sightings: Sightings::new(pack(node, timestamp_us)),
            more: NONE,
            requests: NONE,
            turn: 0,
        });
        self.index.insert(hash, slot);
        slot
    }

    /// Loads where the token was seen.
    #[inline]
    pub(super) fn load(&self, slot: u32, seen: &mut Seen) {
        let head = &self.heads[slot];
        seen.clear();
        seen.extend(head.sightings.iter());
        seen.extend(self.blocked(head));
    }

    /// The places of all nodes at which the token was seen, a bit each, in a stream that has at most 64; `None` where that
    /// takes a longer look.
    #[inline]
    pub(super) fn seen_places(&self, slot: u32) -> Option<u64> {
        let head = &self.heads[slot];
        (head.more == NONE).then(|| head.sightings.places())
    }

    /// When the token was seen at a node, by the sender's clock.
    #[inline]
    pub(super) fn seen_at(&self, slot: u32, node: usize) -> Option<u64> {
        let head = &self.heads[slot];
        let found = match head.sightings.at(node) {
            None if head.more != NONE => self.blocked(head).find(|&sighting| unpack(sighting).0 == node),
            found => found,
        };
        found.map(|sighting| unpack(sighting).1)
    }

    /// What stands in blocks, packed.
    fn blocked(&self, head: &Head) -> impl Iterator<Item = u64> {
        let some = |place: u32| Some(place).filter(|&place| place != NONE);
        let blocks = std::iter::successors(some(head.more), move |&block| some(self.blocks[block].next));
        blocks.flat_map(|block| self.blocks[block].sightings).filter(|&sighting| sighting != UNSEEN)
    }

    /// Adds a sighting at a node where the token was not seen before.
    #[inline]
    pub(super) fn sight(&mut self, slot: u32, node: usize, timestamp_us: u64) {
        let sighting = pack(node, timestamp_us);
        let head = &mut self.heads[slot];
        if head.sightings.add(sighting) {
            return;
        }
        let more = head.more;
        if more != NONE {
            let block = &mut self.blocks[more];
            if let Some(free) = block.sightings.iter_mut().find(|sighting| **sighting == UNSEEN) {
                *free = sighting;
                return;
            }
        }
        self.heads[slot].more = self.blocks.insert(Block { sightings: [sighting, UNSEEN, UNSEEN], next: more });
    }

    /// The first of the token's requests.
    #[inline]
    pub(super) fn requests(&self, slot: u32) -> u32 {
        self.heads[slot].requests
    }

    /// Sets the first of the token's requests.
    #[inline]
    pub(super) fn set_requests(&mut self, slot: u32, first: u32) {
        self.heads[slot].requests = first;
    }

    /// The token itself.
    pub(super) fn token(&self, slot: u32) -> Token {
        self.texts.token(key_of(&self.heads[slot]))
    }

    /// The token by which the message of an event goes: not always the event's own.
    #[inline]
    pub(super) fn shown<'a>(&self, slot: u32, of_event: &'a Token) -> Cow<'a, Token> {
        if self.names.len() == 0 { Cow::Borrowed(of_event) } else { Cow::Owned(self.token(slot)) }
    }

    /// All tokens by which the message is known, its own first; `None` where it has no alias.
    pub(super) fn names(&self, slot: u32) -> Option<Vec<Token>> {
        let further = self.names.of(slot);
        (!further.is_empty()).then(|| std::iter::once(self.token(slot)).chain(further.iter().cloned()).collect())
    }

    /// Gives the message a further name, by which nothing is known.
    pub(super) fn add_name(&mut self, slot: u32, token: Token) {
        self.names.add(slot, token);
    }

    /// Moves the sightings and names of `other` to `slot`, and forgets `other`.
    pub(super) fn absorb(&mut self, slot: u32, other: u32) {
        let mut seen = Seen::default();
        self.load(other, &mut seen);
        let names = self.names(other).unwrap_or_else(|| vec![self.token(other)]);
        self.remove(other);
        for (node, timestamp_us) in seen.sightings() {
            self.sight(slot, node, timestamp_us);
        }
        for name in names {
            self.add_name(slot, name);
        }
    }

    /// The places of all messages, ascending.
    pub(super) fn slots(&self) -> Vec<u32> {
        let mut slots: Vec<u32> = self.index.places().collect();
        slots.sort_unstable();
        slots
    }

    /// Moves the token's sightings to the nodes' new places; answers whether one is left.
    pub(super) fn move_sightings(&mut self, slot: u32, nodes: &[Option<usize>]) -> bool {
        let mut seen = Seen::default();
        self.load(slot, &mut seen);
        let mut left = seen.sightings().filter_map(|(node, timestamp_us)| Some((nodes[node]?, timestamp_us)));
        let Some((node, timestamp_us)) = left.next() else { return false };
        self.release_blocks(slot);
        self.heads[slot].sightings = Sightings::new(pack(node, timestamp_us));
        for (node, timestamp_us) in left {
            self.sight(slot, node, timestamp_us);
        }
        true
    }

    fn release_blocks(&mut self, slot: u32) {
        let mut more = std::mem::replace(&mut self.heads[slot].more, NONE);
        while more != NONE {
            self.blocks.remove(more);
            more = self.blocks[more].next;
        }
    }

    /// Arrival of the token's last new event.
    #[inline]
    pub(super) fn last_arrival_us(&self, slot: u32) -> u64 {
        self.heads[slot].stamp >> TAG_BITS
    }

    /// The queue that the token is on.
    #[inline]
    pub(super) fn queue_of(&self, slot: u32) -> Queue {
        match (self.heads[slot].stamp >> KIND_BITS) & 3 {
            1 => Queue::Waiting,
            2 => Queue::Matched,
            3 => Queue::Judged,
            _ => Queue::Free,
        }
    }

    /// Puts the token behind all others, as `Waiting` or `Matched`, after a new event at `arrival_us`.
    #[inline]
    pub(super) fn queue(&mut self, slot: u32, queue: Queue, arrival_us: u64) {
        self.set_stamp(slot, queue, arrival_us);
        if queue == Queue::Matched {
            self.heads[slot].turn = self.matched.first.wrapping_add(self.matched.slots.len() as u32);
            self.matched.slots.push_back(slot);
        }
    }

    /// Moves a token from `Waiting` to `Judged`: its last deadline has passed.
    pub(super) fn settle(&mut self, slot: u32) {
        let arrival_us = self.last_arrival_us(slot);
        self.set_stamp(slot, Queue::Judged, arrival_us);
        self.judged.push(Reverse((arrival_us, slot)));
    }

    /// The settled token whose last new event is oldest.
    #[inline]
    pub(super) fn oldest_settled(&mut self) -> Option<u32> {
        let matched = self.oldest_matched();
        while let Some(&Reverse((arrival_us, slot))) = self.judged.peek() {
            if self.queue_of(slot) == Queue::Judged && self.last_arrival_us(slot) == arrival_us {
                let matched_first = matched.filter(|&matched| self.last_arrival_us(matched) <= arrival_us);
                return matched_first.or(Some(slot));
            }
            self.judged.pop();
        }
        matched
    }

    #[inline]
    fn oldest_matched(&mut self) -> Option<u32> {
        while let Some(&slot) = self.matched.slots.front() {
            if self.matched.first.is_multiple_of(FORESEEN as u32) && self.matched.foreseen != self.matched.first {
                self.matched.foreseen = self.matched.first;
                self.foresee_oldest();
            }
            if self.queue_of(slot) == Queue::Matched && self.heads[slot].turn == self.matched.first {
                return Some(slot);
            }
            self.matched.slots.pop_front();
            self.matched.first = self.matched.first.wrapping_add(1);
        }
        None
    }

    /// The token that waits for a deadline and whose last new event is oldest.
    ///
    /// The line is made by one look at all tokens and serves until it is used up: a token that had a new event
    /// since is younger than all that stand in it.
    pub(super) fn oldest_waiting(&mut self) -> Option<u32> {
        for _ in 0..2 {
            while let Some((arrival_us, slot)) = self.lineup.pop() {
                if self.queue_of(slot) == Queue::Waiting && self.last_arrival_us(slot) == arrival_us {
                    return Some(slot);
                }
            }
            let waiting = self.index.places().filter(|&slot| self.queue_of(slot) == Queue::Waiting);
            self.lineup = waiting.map(|slot| (self.last_arrival_us(slot), slot)).collect();
            self.lineup.sort_unstable_by(|one, other| other.cmp(one));
        }
        None
    }

    /// Forgets a token. Its requests must have been released.
    pub(super) fn remove(&mut self, slot: u32) {
        let key = key_of(&self.heads[slot]);
        let hash = self.texts.hash(self.hasher, key);
        self.index.remove(hash, slot);
        self.set_stamp(slot, Queue::Free, 0);
        self.release_blocks(slot);
        self.texts.release(key);
        self.names.take(slot);
        self.heads.remove(slot);
    }

    fn set_stamp(&mut self, slot: u32, queue: Queue, arrival_us: u64) {
        let head = &mut self.heads[slot];
        let kind = head.stamp & ((1 << KIND_BITS) - 1);
        head.stamp = arrival_us << TAG_BITS | (queue as u64) << KIND_BITS | kind;
    }
}

#[inline]
fn key_of(head: &Head) -> Key {
    Key { words: head.key, kind: (head.stamp & ((1 << KIND_BITS) - 1)) as u8 }
}
