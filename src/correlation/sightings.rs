//! Where and when one message was seen, packed.

use serde::{Deserialize, Serialize};

use crate::event::TIMESTAMP_MIN_US;

/// Bits of a packed sighting that hold the timestamp; the node's place takes the 12 above them.
const TIMESTAMP_BITS: u32 = 52;
/// How many sightings stand with a token: the first, and those whose times are near to its, 35 minutes either way.
const LANES: usize = 4;
/// Bits of a lane: one node's place.
const LANE_BITS: u32 = 16;
/// The lowest bit of each lane, and the highest.
const LOW_BITS: u64 = 0x0001_0001_0001_0001;
const HIGH_BITS: u64 = LOW_BITS << (LANE_BITS - 1);
/// A lane with no sighting: no node has this place.
const FREE: u16 = u16::MAX;

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

/// The first sighting of a message, and up to three whose times are near to it. In halves, so that it fits beside others.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Sightings {
    /// The first one's time, as [`pack`] has it.
    first: [u32; 2],
    /// The nodes' places, a lane each, the first in the lowest.
    nodes: [u32; 2],
    /// By how much the times of the others lie after the first.
    offsets_us: [i32; LANES - 1],
}

#[inline]
fn whole(halves: [u32; 2]) -> u64 {
    u64::from(halves[0]) | u64::from(halves[1]) << 32
}

#[inline]
fn halves(whole: u64) -> [u32; 2] {
    [whole as u32, (whole >> 32) as u32]
}

impl Sightings {
    /// Those of a new message: a packed sighting.
    #[inline]
    pub(super) fn new(first: u64) -> Self {
        let nodes = u64::MAX << LANE_BITS | node_of(first) as u64;
        Self { first: halves(since(first)), nodes: halves(nodes), offsets_us: [0; LANES - 1] }
    }

    /// The first lane with a node's place, or with none.
    #[inline]
    fn lane(&self, place: u16) -> Option<usize> {
        let differs = whole(self.nodes) ^ (LOW_BITS * u64::from(place));
        // The highest bit of each lane that is 0; borrows can set further ones by mistake, but only above it.
        let same = differs.wrapping_sub(LOW_BITS) & !differs & HIGH_BITS;
        (same != 0).then_some((same.trailing_zeros() / LANE_BITS) as usize)
    }

    /// Adds a packed sighting, if there is room and its time is near enough.
    #[inline]
    pub(super) fn add(&mut self, sighting: u64) -> bool {
        let Some(lane) = self.lane(FREE) else { return false };
        let Ok(offset_us) = i32::try_from(since(sighting).wrapping_sub(whole(self.first)) as i64) else { return false };
        let Some(kept_us) = self.offsets_us.get_mut(lane.wrapping_sub(1)) else { return false };
        *kept_us = offset_us;
        let taken = u64::from(FREE) ^ node_of(sighting) as u64;
        self.nodes = halves(whole(self.nodes) ^ taken << (lane as u32 * LANE_BITS));
        true
    }

    /// When it was seen at a node, packed with it.
    #[inline]
    pub(super) fn at(&self, node: usize) -> Option<u64> {
        self.lane(node as u16).map(|lane| self.packed(node, lane))
    }

    /// The nodes' places below 64, a bit each.
    #[inline]
    pub(super) fn places(&self) -> u64 {
        let nodes = whole(self.nodes);
        let bit = |lane: u32| {
            let place = (nodes >> (lane * LANE_BITS)) as u16;
            u64::from(place < 64) << (place & 63)
        };
        bit(0) | bit(1) | bit(2) | bit(3)
    }

    /// All of them, packed.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        let nodes = whole(self.nodes);
        let places = (0..LANES).map(move |lane| (lane, (nodes >> (lane as u32 * LANE_BITS)) as u16));
        let taken = places.take_while(|&(_, place)| place != FREE);
        taken.map(|(lane, place)| self.packed(usize::from(place), lane))
    }

    #[inline]
    fn packed(&self, node: usize, lane: usize) -> u64 {
        let offset_us = lane.checked_sub(1).and_then(|near| self.offsets_us.get(near)).copied().unwrap_or(0);
        (node as u64) << TIMESTAMP_BITS | whole(self.first).wrapping_add_signed(i64::from(offset_us))
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
            offsets in proptest::collection::vec(-2_500_000_000..2_500_000_000_i64, 0..5),
        ) {
            let first = pack(last, first);
            let mut sightings = Sightings::new(first);
            let mut expected = vec![first];
            for (offset, node) in offsets.into_iter().zip([0, 1, 4095, 4094, 7]) {
                let node = if node == last { 9 } else { node };
                let sighting = pack(node, unpack(first).1.saturating_add_signed(offset));
                let near = i32::try_from(since(sighting) as i64 - since(first) as i64).is_ok();
                prop_assert_eq!(sightings.add(sighting), near && expected.len() < 4);
                if near && expected.len() < 4 {
                    expected.push(sighting);
                }
            }
            prop_assert_eq!(sightings.iter().collect::<Vec<_>>(), expected.clone());
            let places = expected.iter().map(|&sighting| unpack(sighting).0).filter(|&node| node < 64);
            prop_assert_eq!(sightings.places(), places.fold(0, |places, node| places | 1 << node));
            for node in [0, 1, 4095, 4094, 7, 9, last] {
                let found = expected.iter().copied().find(|&sighting| unpack(sighting).0 == node);
                prop_assert_eq!(sightings.at(node), found);
            }
        }
    }
}
