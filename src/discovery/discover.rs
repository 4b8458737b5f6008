//! Discovery of the edges of one stream.

use serde::{Deserialize, Serialize};

use super::drawing::Drawing;
use super::evidence::Evidence;
use super::law;
use super::sample::Sample;
use crate::clock::SECOND_US;

/// The most pairs of sightings that are noted between two looks at the evidence.
const NOTED_MAX: usize = 1 << 19;
/// So many steps of judging the evidence make a look a second rarer.
const STEPS_A_SECOND: u64 = 1 << 16;

/// A message was seen at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The node's place in the stream.
    pub node: usize,
    /// When, by the sender's clock.
    pub timestamp_us: u64,
    /// Whether the event named the node that the message came from: then its order says nothing.
    pub named: bool,
}

/// What discovery had to leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Events whose parent would have closed a cycle (or was one edge too many).
    pub parents_refused: u64,
    /// Messages that were not looked at because others had all the places.
    pub messages_skipped: u64,
    /// Pairs of sightings that were not noted because there were too many pairs of nodes.
    pub pairs_skipped: u64,
    /// Edges that orders show and that are not drawn now because they would close a cycle.
    pub edges_in_cycles: usize,
    /// Edges that orders show and that are not drawn now because there are too many.
    pub edges_over_limit: usize,
}

/// Finds the edges of one stream. The same calls give the same edges.
#[derive(Debug, Serialize, Deserialize)]
pub struct Discovery {
    sample: Sample,
    evidence: Evidence,
    drawing: Drawing,
    /// Whether there is evidence that was not looked at, and when it will be.
    look_us: Option<u64>,
    /// The earliest time of the next look.
    rested_us: u64,
    /// Pairs of sightings noted since the last look.
    noted: usize,
    parents_refused: u64,
    messages_skipped: u64,
}

impl Discovery {
    /// For a stream of so many nodes, with these edges declared. A message counts when it has had no new event for
    /// `quiet_us`, and gets none any more when it has had none for `memory_us`.
    pub fn new(nodes: usize, declared: &[(usize, usize)], quiet_us: u64, memory_us: u64) -> Self {
        Self {
            sample: Sample::new(quiet_us, memory_us),
            evidence: Evidence::new(nodes),
            drawing: Drawing::new(nodes, declared),
            look_us: None,
            rested_us: 0,
            noted: 0,
            parents_refused: 0,
            messages_skipped: 0,
        }
    }

    /// Goes on in another shape of the stream: `moves` says where its nodes stand now, if they still do.
    #[must_use]
    pub fn reload(
        &self,
        nodes: usize,
        declared: &[(usize, usize)],
        (quiet_us, memory_us): (u64, u64),
        moves: &[Option<usize>],
    ) -> Self {
        Self {
            sample: self.sample.moved(quiet_us, memory_us, moves),
            drawing: self.drawing.moved(nodes, declared, moves),
            parents_refused: self.parents_refused,
            messages_skipped: self.messages_skipped,
            ..Self::new(nodes, declared, quiet_us, memory_us)
        }
    }

    /// An event at `to` says that the message came from `from`. Answers whether it is an edge now: one that would close
    /// a cycle is refused.
    pub fn parent(&mut self, from: usize, to: usize) -> bool {
        let drawn = self.drawing.name(from, to);
        self.parents_refused += u64::from(!drawn);
        drawn
    }

    /// A message was seen at a node where it had not been seen. `message` is its number in the stream; `before` is where it
    /// was seen already: nowhere, if it is new. Numbers may be given anew to new messages. What was due must have been
    /// worked off.
    pub fn see(
        &mut self,
        message: u32,
        before: impl ExactSizeIterator<Item = (usize, u64)>,
        sighting: Sighting,
        now_us: u64,
    ) {
        let found = if before.len() == 0 {
            self.sample.release(message);
            self.begin(Some(message), now_us)
        } else {
            self.sample.find(message)
        };
        let Some(place) = found else { return };
        if before.len() != self.sample.get(place).sightings.len() {
            // Some came by another number of the same message.
            for (node, timestamp_us) in before {
                self.sample.sight(place, Sighting { node, timestamp_us, named: false }, now_us);
            }
        }
        self.sample.sight(place, sighting, now_us);
        self.sample.wait(place);
    }

    /// Two messages are one: the one with the number `kept`, that was seen at all those nodes.
    pub fn join(&mut self, kept: u32, gone: u32, seen: impl Iterator<Item = (usize, u64)>, now_us: u64) {
        let left = self.sample.join(kept, gone);
        let Some(place) = self.sample.find(kept) else { return };
        if let Some(left) = left {
            let gone = self.sample.get(left);
            self.evidence.remove(left, &gone.sightings[..gone.noted]);
            for sighting in self.sample.vacate(left) {
                self.sample.sight(place, sighting, now_us);
            }
        }
        for (node, timestamp_us) in seen {
            self.sample.sight(place, Sighting { node, timestamp_us, named: false }, now_us);
        }
        self.sample.wait(place);
    }

    /// Takes a whole message at once, at rest; sightings at the same time are in the order that they are given in.
    pub fn message(&mut self, sightings: impl IntoIterator<Item = Sighting>, now_us: u64) {
        let Some(place) = self.begin(None, now_us) else { return };
        for sighting in sightings {
            self.sample.sight(place, sighting, now_us);
        }
        self.note(place, now_us);
    }

    /// When [`Self::advance`] has something to do next; it does it when the clock has passed this.
    pub fn next_due_us(&self) -> Option<u64> {
        self.sample.next_due_us().into_iter().chain(self.look_us).min()
    }

    /// Takes messages that have come to rest, and looks at the evidence at most once a second; up to `now_us`, or until
    /// other edges are drawn: then it answers when that was, and goes on at the next call.
    #[inline]
    pub fn advance(&mut self, now_us: u64) -> Option<u64> {
        while let Some(due_us) = self.next_due_us().filter(|&due_us| due_us < now_us) {
            if self.sample.next_due_us() == Some(due_us) {
                if let Some(place) = self.sample.rest_next() {
                    self.note(place, due_us);
                }
            } else if self.look(due_us) {
                return Some(due_us);
            }
        }
        None
    }

    /// Looks at all that was seen up to now, at rest or not. Answers whether other edges are drawn.
    pub fn look_at_all(&mut self, now_us: u64) -> bool {
        while self.sample.next_due_us().is_some() {
            if let Some(place) = self.sample.pop_waiting() {
                self.noted = 0;
                self.note(place, now_us);
            }
        }
        self.look(now_us)
    }

    /// Looks at the evidence now. Answers whether other edges are drawn.
    pub fn look(&mut self, now_us: u64) -> bool {
        let before = self.drawing.revision;
        let (rulings, steps) = law::rule(&self.evidence);
        self.drawing.take(&rulings);
        self.look_us = None;
        self.noted = 0;
        self.rested_us = now_us + SECOND_US * (1 + steps / STEPS_A_SECOND);
        self.drawing.revision != before
    }

    /// The edges that are drawn, in the order in which they were found: pairs of places of nodes.
    pub fn edges(&self) -> &[(usize, usize)] {
        &self.drawing.drawn
    }

    /// Grows with every change of [`Self::edges`].
    pub fn revision(&self) -> u64 {
        self.drawing.revision
    }

    /// The timestamps at both ends of an edge of the messages that are known to have passed both, the oldest first.
    pub fn passed(&self, (from, to): (usize, usize)) -> impl Iterator<Item = (u64, u64)> {
        self.sample.iter().filter_map(move |watched| {
            let at = |node| watched.sightings.iter().find(|sighting| sighting.node == node);
            Some((at(from)?.timestamp_us, at(to)?.timestamp_us))
        })
    }

    /// What had to be left out.
    pub fn counters(&self) -> Counters {
        Counters {
            parents_refused: self.parents_refused,
            messages_skipped: self.messages_skipped,
            pairs_skipped: self.evidence.skipped,
            edges_in_cycles: self.drawing.in_cycles,
            edges_over_limit: self.drawing.over_limit,
        }
    }

    /// Makes room for a new message.
    fn begin(&mut self, message: Option<u32>, now_us: u64) -> Option<usize> {
        let room = self.sample.room(now_us);
        self.messages_skipped += u64::from(room.is_none());
        let place = room?;
        let gone = self.sample.get(place);
        self.evidence.remove(place, &gone.sightings[..gone.noted]);
        self.sample.begin(place, message, now_us);
        Some(place)
    }

    /// A message has come to rest: notes what it says, or, where that is too much for now, after the next look.
    fn note(&mut self, place: usize, now_us: u64) {
        let watched = self.sample.get(place);
        let pairs = (watched.sightings.len().pow(2) - watched.noted.pow(2)) / 2;
        match self.look_us {
            Some(look_us) if self.noted + pairs > NOTED_MAX => self.sample.wait_until(place, look_us + 1),
            _ => {
                self.noted += pairs;
                self.evidence.add(place, &watched.sightings, watched.noted);
                self.sample.set_noted(place);
                self.look_us = self.look_us.or(Some(now_us.max(self.rested_us)));
            }
        }
    }
}
