//! Which messages of the sample passed which two nodes, and in which order.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::bits::Bits;
use super::discover::Sighting;

/// The most pairs of nodes on which evidence is kept: enough for every message to pass 300 nodes.
pub(super) const PAIRS_MAX: usize = 49_152;

/// The messages that passed two nodes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pair {
    /// The node with the lower number.
    pub(super) low: u16,
    /// The other.
    pub(super) high: u16,
    /// Those seen at both.
    both: Bits,
    /// Of those, the ones that came to `low` first.
    low_first: Bits,
}

impl Pair {
    /// The messages seen at both nodes.
    #[inline]
    pub(super) fn both(&self) -> Bits {
        self.both
    }

    /// Of the messages seen at both, those that came to `node` (one of the two) first.
    #[inline]
    pub(super) fn first_at(&self, node: usize) -> Bits {
        if usize::from(self.low) == node { self.low_first } else { self.both.without(&self.low_first) }
    }

    /// The one of the two that `node` is not.
    pub(super) fn other(&self, node: usize) -> usize {
        usize::from(if usize::from(self.low) == node { self.high } else { self.low })
    }
}

/// What the sample says of each pair of nodes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Evidence {
    /// By node: the messages whose event there named no parent. The others say nothing about edges to it.
    unnamed: Vec<Bits>,
    pairs: Vec<Pair>,
    /// By both nodes: the index in `pairs`.
    index: HashMap<(u16, u16), u32, hashbrown::DefaultHashBuilder>,
    /// Places of `pairs` that are free.
    free: Vec<u32>,
    /// Pairs of sightings that were not noted because there were [`PAIRS_MAX`] pairs.
    pub(super) skipped: u64,
}

impl Evidence {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            unnamed: vec![Bits::NONE; nodes],
            pairs: Vec::new(),
            index: HashMap::default(),
            free: Vec::new(),
            skipped: 0,
        }
    }

    /// Notes the sightings of the message at `place` from the `noted`th on; those before it are noted already.
    pub(super) fn add(&mut self, place: usize, sightings: &[Sighting], noted: usize) {
        for (at, later) in sightings.iter().enumerate().skip(noted) {
            self.unnamed[later.node].set(place, !later.named);
            for earlier in &sightings[..at] {
                // At the same time: in the order in which they were reported.
                let first = if earlier.timestamp_us <= later.timestamp_us { earlier.node } else { later.node };
                let (low, high) = key(earlier.node, later.node);
                match self.pair_mut(low, high) {
                    Some(pair) => {
                        pair.both.set(place, true);
                        pair.low_first.set(place, usize::from(low) == first);
                    }
                    None => self.skipped += 1,
                }
            }
        }
    }

    /// Takes back what was noted of the message at `place`.
    pub(super) fn remove(&mut self, place: usize, sightings: &[Sighting]) {
        for (at, later) in sightings.iter().enumerate() {
            self.unnamed[later.node].set(place, false);
            for earlier in &sightings[..at] {
                let key = key(earlier.node, later.node);
                let Some(&index) = self.index.get(&key) else { continue };
                let pair = &mut self.pairs[index as usize];
                pair.both.set(place, false);
                pair.low_first.set(place, false);
                if pair.both.is_empty() {
                    self.index.remove(&key);
                    self.free.push(index);
                }
            }
        }
    }

    /// The messages whose event at the node named no parent.
    pub(super) fn unnamed(&self, node: usize) -> &Bits {
        &self.unnamed[node]
    }

    /// By node: the pairs that it is one of, by the number of the other node.
    pub(super) fn by_node(&self) -> Vec<Vec<&Pair>> {
        let mut by_node = vec![Vec::new(); self.unnamed.len()];
        for &index in self.index.values() {
            let pair = &self.pairs[index as usize];
            by_node[usize::from(pair.low)].push(pair);
            by_node[usize::from(pair.high)].push(pair);
        }
        for (node, pairs) in by_node.iter_mut().enumerate() {
            pairs.sort_unstable_by_key(|pair| pair.other(node));
        }
        by_node
    }

    fn pair_mut(&mut self, low: u16, high: u16) -> Option<&mut Pair> {
        if let Some(&index) = self.index.get(&(low, high)) {
            return Some(&mut self.pairs[index as usize]);
        }
        let pair = Pair { low, high, both: Bits::NONE, low_first: Bits::NONE };
        let index = if let Some(index) = self.free.pop() {
            self.pairs[index as usize] = pair;
            index
        } else if self.pairs.len() < PAIRS_MAX {
            self.pairs.push(pair);
            self.pairs.len() as u32 - 1
        } else {
            return None;
        };
        self.index.insert((low, high), index);
        Some(&mut self.pairs[index as usize])
    }
}

fn key(one: usize, other: usize) -> (u16, u16) {
    (one.min(other) as u16, one.max(other) as u16)
}
