//! The messages that are looked at.
//!
//! One is taken in at its first event, if there is room, and stays until its stream has forgotten it and others need
//! its place: so all of its events are seen, however slow it is. It counts when it has had no new event for a while:
//! before that a node between two others may just be slow to report.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::bits::PLACES;
use super::discover::Sighting;

/// The most sightings of one message that are kept.
const SIGHTINGS_MAX: usize = 512;
/// So many of the oldest messages are asked whether they can go when one comes and there is no room.
const ASKED_MAX: usize = 8;

/// One message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Watched {
    /// Where it was seen, in the order of the reports.
    pub(super) sightings: Vec<Sighting>,
    /// How many of them are noted as evidence.
    pub(super) noted: usize,
    /// The number by which its stream knows it.
    message: Option<u32>,
    last_us: u64,
    /// When it may be at rest, while it waits for that.
    rests_us: Option<u64>,
}

/// The messages, each at its place.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sample {
    /// How long without a new event a message must be to be at rest.
    quiet_us: u64,
    /// How long without a new event a message must be to be forgotten by its stream.
    memory_us: u64,
    watched: Vec<Watched>,
    by_message: HashMap<u32, usize, hashbrown::DefaultHashBuilder>,
    /// Those that wait, by the time at which they may be at rest.
    waiting: BinaryHeap<Reverse<(u64, usize)>>,
    /// Places, that of the oldest message first.
    line: VecDeque<usize>,
}

impl Sample {
    pub(super) fn new(quiet_us: u64, memory_us: u64) -> Self {
        Self {
            quiet_us,
            memory_us,
            watched: Vec::new(),
            by_message: HashMap::default(),
            waiting: BinaryHeap::new(),
            line: VecDeque::new(),
        }
    }

    /// The same messages in a stream whose nodes stand elsewhere, or nowhere any more; nothing is noted of them yet.
    pub(super) fn moved(&self, quiet_us: u64, memory_us: u64, moves: &[Option<usize>]) -> Self {
        let mut next = Self::new(quiet_us, memory_us);
        for (place, watched) in self.iter().enumerate() {
            let moved = |sighting: &Sighting| Some(Sighting { node: moves[sighting.node]?, ..*sighting });
            let sightings = watched.sightings.iter().filter_map(moved).collect();
            next.watched.push(Watched { sightings, noted: 0, rests_us: None, ..*watched });
            next.line.push_back(place);
            next.by_message.extend(watched.message.map(|message| (message, place)));
            next.wait(place);
        }
        next
    }

    /// A place for a new message: one that was never taken, or an old one that is given up for it.
    pub(super) fn room(&mut self, now_us: u64) -> Option<usize> {
        if self.watched.len() < PLACES {
            self.watched.push(Watched::default());
            self.line.push_back(self.watched.len() - 1);
            return self.line.back().copied();
        }
        for _ in 0..ASKED_MAX {
            let place = self.line.pop_front()?;
            self.line.push_back(place);
            let watched = &self.watched[place];
            if watched.rests_us.is_none() && watched.last_us + self.memory_us < now_us {
                return Some(place);
            }
        }
        None
    }

    /// Gives the place to a message that is new to the stream and has this number.
    pub(super) fn begin(&mut self, place: usize, message: Option<u32>, now_us: u64) {
        if let Some(before) = self.watched[place].message {
            self.by_message.remove(&before);
        }
        if let Some(message) = message {
            self.by_message.insert(message, place);
        }
        let mut sightings = std::mem::take(&mut self.watched[place].sightings);
        sightings.clear();
        self.watched[place] = Watched { sightings, message, last_us: now_us, ..Watched::default() };
    }

    /// The number means another message from now on.
    pub(super) fn release(&mut self, message: u32) {
        if let Some(place) = self.by_message.remove(&message) {
            self.watched[place].message = None;
        }
    }

    /// Two messages are one: `kept` takes over what is known of `gone`. Answers the place that is left, if both had one.
    pub(super) fn join(&mut self, kept: u32, gone: u32) -> Option<usize> {
        let left = self.by_message.remove(&gone)?;
        self.watched[left].message = None;
        if self.by_message.contains_key(&kept) {
            return Some(left);
        }
        self.watched[left].message = Some(kept);
        self.by_message.insert(kept, left);
        None
    }

    /// Takes what is known of the message at a place, which can be given to another then.
    pub(super) fn vacate(&mut self, place: usize) -> Vec<Sighting> {
        let watched = &mut self.watched[place];
        (watched.noted, watched.last_us) = (0, 0);
        std::mem::take(&mut watched.sightings)
    }

    /// The message of this number, where it is here.
    pub(super) fn find(&self, message: u32) -> Option<usize> {
        self.by_message.get(&message).copied()
    }

    /// Adds a sighting, if the message was not seen at that node.
    pub(super) fn sight(&mut self, place: usize, sighting: Sighting, now_us: u64) {
        let watched = &mut self.watched[place];
        let known = watched.sightings.iter().any(|known| known.node == sighting.node);
        if !known && watched.sightings.len() < SIGHTINGS_MAX {
            watched.sightings.push(sighting);
            watched.last_us = now_us;
        }
    }

    /// Has the message wait until it is at rest.
    pub(super) fn wait(&mut self, place: usize) {
        let watched = &self.watched[place];
        if watched.rests_us.is_none() {
            self.wait_until(place, watched.last_us + self.quiet_us);
        }
    }

    /// Has the message wait until then.
    pub(super) fn wait_until(&mut self, place: usize, rests_us: u64) {
        self.watched[place].rests_us = Some(rests_us);
        self.waiting.push(Reverse((rests_us, place)));
    }

    pub(super) fn get(&self, place: usize) -> &Watched {
        &self.watched[place]
    }

    /// When the next message may come to rest: it does when the clock has passed this.
    pub(super) fn next_due_us(&self) -> Option<u64> {
        self.waiting.peek().map(|&Reverse((due_us, _))| due_us)
    }

    /// The message that is due at [`Self::next_due_us`], if it is at rest then; otherwise it waits on.
    pub(super) fn rest_next(&mut self) -> Option<usize> {
        let Reverse((due_us, place)) = self.waiting.pop()?;
        let quiet_us = self.watched[place].last_us + self.quiet_us;
        if quiet_us > due_us {
            self.wait_until(place, quiet_us);
            return None;
        }
        self.watched[place].rests_us = None;
        Some(place)
    }

    /// A message that waits to come to rest, and waits no longer.
    pub(super) fn pop_waiting(&mut self) -> Option<usize> {
        let Reverse((_, place)) = self.waiting.pop()?;
        self.watched[place].rests_us = None;
        Some(place)
    }

    /// All sightings of the message are noted.
    pub(super) fn set_noted(&mut self, place: usize) {
        let watched = &mut self.watched[place];
        watched.noted = watched.sightings.len();
    }

    /// All messages, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Watched> {
        self.line.iter().map(|&place| &self.watched[place])
    }
}
