//! The tokens that a stream remembers, in 48 bytes each and 8 to 32 for what they were seen at.
//!
//! Settled tokens are forgotten in the order of their last new event's arrival. Those that a match settled
//! stand in a list: their last event was the newest, so they go to its end. Those that a deadline settled are in a
//! heap. Those that still wait for a deadline stand nowhere; they are lined up only when memory runs out.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use hashbrown::HashTable;

use super::key::{KIND_BITS, Key, KeyHasher, LongTexts};
use super::names::Names;
use super::slab::{NONE, Slab};
use crate::event::{TIMESTAMP_MIN_US, Token};

/// Sightings in one block.
const BLOCK: usize = 3;
/// Low bits of [`Head::stamp`] that hold the key's kind and the queue.
const TAG_BITS: u32 = KIND_BITS + 2;
/// Bits of a packed sighting that hold the timestamp; the node's place takes the 12 above them.
const TIMESTAMP_BITS: u32 = 52;
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

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    key: [u8; 16],
    /// Arrival of the last new event, above the queue and the key's kind.
    stamp: u64,
    first: u64,
    prev: u32,
    next: u32,
    more: u32,
    requests: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Block {
    sightings: [u64; BLOCK],
    next: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Ends {
    first: u32,
    last: u32,
}

/// The tokens of one stream.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tokens {
    #[serde(skip)]
    hasher: KeyHasher,
    #[serde(skip)]
    index: HashTable<u32>,
    heads: Slab<Head>,
    blocks: Slab<Block>,
    texts: LongTexts,
    names: Names,
    matched: Ends,
    judged: BinaryHeap<Reverse<(u64, u32)>>,
    /// Waiting tokens from the youngest to the oldest, made when memory runs out.
    lineup: Vec<(u64, u32)>,
}

#[inline]
fn pack(node: usize, timestamp_us: u64) -> u64 {
    let since = timestamp_us.saturating_sub(TIMESTAMP_MIN_US).min((1 << TIMESTAMP_BITS) - 2);
    (node as u64) << TIMESTAMP_BITS | since
}

#[inline]
fn unpack(sighting: u64) -> (usize, u64) {
    let since = sighting & ((1 << TIMESTAMP_BITS) - 1);
    ((sighting >> TIMESTAMP_BITS) as usize, since + TIMESTAMP_MIN_US)
}

impl Tokens {
    pub(super) fn new(hasher: KeyHasher) -> Self {
        Self {
            hasher,
            index: HashTable::new(),
            heads: Slab::new(),
            blocks: Slab::new(),
            texts: LongTexts::new(),
            names: Names::default(),
            matched: Ends { first: NONE, last: NONE },
            judged: BinaryHeap::new(),
            lineup: Vec::new(),
        }
    }

    /// Finds the tokens again after they were serialized, by another secret.
    pub(super) fn restore(&mut self, hasher: KeyHasher) {
        self.hasher = hasher;
        let (heads, texts) = (&self.heads, &self.texts);
        let hash = |&slot: &u32| texts.hash(hasher, key_of(&heads[slot]));
        let taken = |slot: &u32| self.queue_of(*slot) != Queue::Free;
        let slots: Vec<u32> = (0..heads.len()).filter(taken).collect();
        let mut index = HashTable::with_capacity(slots.len());
        for slot in slots {
            index.insert_unique(hash(&slot), slot, hash);
        }
        self.index = index;
    }

    /// How many are remembered, aliases included.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.index.len() + self.names.len()
    }

    /// The place of a token that is remembered; `hash` is its hash.
    #[inline]
    pub(super) fn find(&self, hash: u64, token: &Token) -> Option<u32> {
        let found = self.index.find(hash, |&slot| self.texts.is(key_of(&self.heads[slot]), token));
        found.copied().or_else(|| self.names.find(token))
    }

    /// Remembers a new token with its first sighting. It is on no queue yet: see [`Self::queue`].
    pub(super) fn insert(&mut self, hash: u64, token: &Token, node: usize, timestamp_us: u64) -> u32 {
        let key = self.texts.keep(token);
        let slot = self.heads.insert(Head {
            key: key.bytes,
            stamp: u64::from(key.kind),
            first: pack(node, timestamp_us),
            prev: NONE,
            next: NONE,
            more: NONE,
            requests: NONE,
        });
        let (heads, texts, hasher) = (&self.heads, &self.texts, self.hasher);
        self.index.insert_unique(hash, slot, |&slot| texts.hash(hasher, key_of(&heads[slot])));
        slot
    }

    /// Loads where the token was seen.
    #[inline]
    pub(super) fn load(&self, slot: u32, seen: &mut Seen) {
        let head = &self.heads[slot];
        seen.packed.clear();
        seen.packed.push(head.first);
        let mut more = head.more;
        while more != NONE {
            let block = &self.blocks[more];
            let full = block.sightings.iter().take_while(|&&sighting| sighting != UNSEEN);
            seen.packed.extend(full);
            more = block.next;
        }
    }

    /// Adds a sighting at a node where the token was not seen before.
    pub(super) fn sight(&mut self, slot: u32, node: usize, timestamp_us: u64) {
        let sighting = pack(node, timestamp_us);
        let more = self.heads[slot].more;
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
        let mut slots: Vec<u32> = self.index.iter().copied().collect();
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
        self.heads[slot].first = pack(node, timestamp_us);
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
        self.unlink(slot);
        self.set_stamp(slot, queue, arrival_us);
        if queue == Queue::Matched {
            let last = std::mem::replace(&mut self.matched.last, slot);
            if last == NONE {
                self.matched.first = slot;
            } else {
                self.heads[last].next = slot;
            }
            let head = &mut self.heads[slot];
            (head.prev, head.next) = (last, NONE);
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
        while let Some(&Reverse((arrival_us, slot))) = self.judged.peek() {
            if self.queue_of(slot) == Queue::Judged && self.last_arrival_us(slot) == arrival_us {
                let matched = self.matched.first;
                let judged_first = matched == NONE || arrival_us < self.last_arrival_us(matched);
                return Some(if judged_first { slot } else { matched });
            }
            self.judged.pop();
        }
        Some(self.matched.first).filter(|&slot| slot != NONE)
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
            let waiting = self.index.iter().copied().filter(|&slot| self.queue_of(slot) == Queue::Waiting);
            self.lineup = waiting.map(|slot| (self.last_arrival_us(slot), slot)).collect();
            self.lineup.sort_unstable_by(|one, other| other.cmp(one));
        }
        None
    }

    /// Forgets a token. Its requests must have been released.
    pub(super) fn remove(&mut self, slot: u32) {
        let key = key_of(&self.heads[slot]);
        let hash = self.texts.hash(self.hasher, key);
        if let Ok(entry) = self.index.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
        self.unlink(slot);
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

    /// Takes the token out of the list of the matched, if it is there.
    fn unlink(&mut self, slot: u32) {
        if self.queue_of(slot) != Queue::Matched {
            return;
        }
        let (prev, next) = (self.heads[slot].prev, self.heads[slot].next);
        if prev == NONE {
            self.matched.first = next;
        } else {
            self.heads[prev].next = next;
        }
        if next == NONE {
            self.matched.last = prev;
        } else {
            self.heads[next].prev = prev;
        }
    }
}

#[inline]
fn key_of(head: &Head) -> Key {
    Key { bytes: head.key, kind: (head.stamp & ((1 << KIND_BITS) - 1)) as u8 }
}

/// Where one token was seen: loaded once, asked many times.
#[derive(Debug, Default)]
pub struct Seen {
    packed: Vec<u64>,
}

impl Seen {
    #[inline]
    pub(super) fn clear(&mut self) {
        self.packed.clear();
    }

    /// When it was seen at a node, by the sender's clock.
    #[inline]
    pub(super) fn at(&self, node: usize) -> Option<u64> {
        let here = |&&sighting: &&u64| (sighting >> TIMESTAMP_BITS) as usize == node;
        self.packed.iter().find(here).map(|&sighting| unpack(sighting).1)
    }

    /// The nodes at which it was seen, and when.
    pub fn sightings(&self) -> impl ExactSizeIterator<Item = (usize, u64)> {
        self.packed.iter().map(|&sighting| unpack(sighting))
    }

    /// The nodes at which it was seen.
    #[inline]
    pub(super) fn nodes(&self) -> impl Iterator<Item = usize> {
        self.packed.iter().map(|&sighting| unpack(sighting).0)
    }
}
