//! Where and when one message was seen, packed.

use serde::{Deserialize, Serialize};

use crate::event::TIMESTAMP_MIN_US;

/// Bits of a packed sighting that hold the timestamp; the node's place takes the 12 above them.
const TIMESTAMP_BITS: u32 = 52;
/// Bits of a near sighting: the node's place above the distance of its time from the first.
const NEAR_BITS: u32 = 42;
/// Bits of that distance: nearly nine minutes either way.
const OFFSET_BITS: u32 = 30;
/// How many near sightings there is room for.
const NEAR_MAX: u32 = 3;
const NEAR_MASK: u64 = (1 << NEAR_BITS) - 1;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;
/// What a distance of nothing is written as.
const OFFSET_ZERO: u64 = 1 << (OFFSET_BITS - 1);

/// A node's place and a timestamp in 64 bits.
#[inline]
pub(super) fn pack(node: usize, timestamp_us: u64) -> u64 {
    let since = timestamp_us.saturating_sub(TIMESTAMP_MIN_US).min((1 << TIMESTAMP_BITS) - 2);
    (node as u64) << TIMESTAMP_BITS | since
}

/// The node's place and the timestamp of a packed sighting.
#[inline]
pub(super) fn unpack(sighting: u64) -> (usize, u64) {
    (node_of(sighting), since(sighting) + TIMESTAMP_MIN_US)
}

#[inline]
fn node_of(sighting: u64) -> usize {
    (sighting >> TIMESTAMP_BITS) as usize
}

#[inline]
fn since(sighting: u64) -> u64 {
    sighting & ((1 << TIMESTAMP_BITS) - 1)
}

/// The first sighting of a message, and up to three whose times are near to it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Sightings {
    first: u64,
    /// Three times [`NEAR_BITS`], from the lowest; one that is free has all its bits set.
    near: [u64; 2],
}

impl Sightings {
    /// Those of a new message: a packed sighting.
    #[inline]
    pub(super) fn new(first: u64) -> Self {
        Self { first, near: [u64::MAX; 2] }
    }

    #[inline]
    fn near(&self) -> u128 {
        u128::from(self.near[0]) | u128::from(self.near[1]) << 64
    }

    /// Adds a packed sighting, if there is room and its time is near enough.
    #[inline]
    pub(super) fn add(&mut self, sighting: u64) -> bool {
        let offset = since(sighting).wrapping_sub(since(self.first)).wrapping_add(OFFSET_ZERO);
        // All bits set are those of a free place.
        if offset >= OFFSET_MASK {
            return false;
        }
        let near = self.near();
        let free = (0..NEAR_MAX).find(|at| (near >> (at * NEAR_BITS)) as u64 & NEAR_MASK == NEAR_MASK);
        let Some(at) = free else { return false };
        let packed = (node_of(sighting) as u64) << OFFSET_BITS | offset;
        let near = near ^ u128::from(packed ^ NEAR_MASK) << (at * NEAR_BITS);
        self.near = [near as u64, (near >> 64) as u64];
        true
    }

    /// When it was seen at a node, packed with it.
    #[inline]
    pub(super) fn at(&self, node: usize) -> Option<u64> {
        if node_of(self.first) == node {
            return Some(self.first);
        }
        let near = self.near();
        (0..NEAR_MAX).map(|at| (near >> (at * NEAR_BITS)) as u64 & NEAR_MASK).find_map(|packed| {
            let here = packed >> OFFSET_BITS == node as u64 && packed != NEAR_MASK;
            here.then(|| self.unpack_near(packed))
        })
    }

    /// All of them, packed.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        let near = self.near();
        let places = (0..NEAR_MAX).map(move |at| (near >> (at * NEAR_BITS)) as u64 & NEAR_MASK);
        let taken = places.take_while(|&packed| packed != NEAR_MASK);
        std::iter::once(self.first).chain(taken.map(|packed| self.unpack_near(packed)))
    }

    #[inline]
    fn unpack_near(&self, packed: u64) -> u64 {
        let since = since(self.first).wrapping_add(packed & OFFSET_MASK).wrapping_sub(OFFSET_ZERO);
        (packed >> OFFSET_BITS) << TIMESTAMP_BITS | since
    }
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

    #[inline]
    pub(super) fn extend(&mut self, packed: impl Iterator<Item = u64>) {
        self.packed.extend(packed);
    }

    /// When it was seen at a node, by the sender's clock.
    #[inline]
    pub(super) fn at(&self, node: usize) -> Option<u64> {
        let here = |&&sighting: &&u64| node_of(sighting) == node;
        self.packed.iter().find(here).map(|&sighting| unpack(sighting).1)
    }

    /// The nodes at which it was seen, and when.
    pub fn sightings(&self) -> impl ExactSizeIterator<Item = (usize, u64)> {
        self.packed.iter().map(|&sighting| unpack(sighting))
    }

    /// The nodes at which it was seen.
    #[inline]
    pub(super) fn nodes(&self) -> impl Iterator<Item = usize> {
        self.packed.iter().map(|&sighting| node_of(sighting))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::TIMESTAMP_MAX_US;
    use crate::graph::STREAM_NODES_MAX;

    proptest! {
        #[test]
        fn what_is_added_is_found_as_it_was(
            first in TIMESTAMP_MIN_US..TIMESTAMP_MAX_US, last in STREAM_NODES_MAX - 6..STREAM_NODES_MAX,
            offsets in proptest::collection::vec(-600_000_000..600_000_000_i64, 0..5),
        ) {
            let first = pack(last, first);
            let mut sightings = Sightings::new(first);
            let mut expected = vec![first];
            for (offset, node) in offsets.into_iter().zip([0, 1, 4095, 4094, 7]) {
                let node = if node == last { 9 } else { node };
                let sighting = pack(node, unpack(first).1.saturating_add_signed(offset));
                let near = (-(1 << 29)..(1 << 29) - 1).contains(&(since(sighting) as i64 - since(first) as i64));
                prop_assert_eq!(sightings.add(sighting), near && expected.len() < 4);
                if near && expected.len() < 4 {
                    expected.push(sighting);
                }
            }
            prop_assert_eq!(sightings.iter().collect::<Vec<_>>(), expected.clone());
            for node in [0, 1, 4095, 4094, 7, 9, last] {
                let found = expected.iter().copied().find(|&sighting| unpack(sighting).0 == node);
                prop_assert_eq!(sightings.at(node), found);
            }
        }
    }
}
