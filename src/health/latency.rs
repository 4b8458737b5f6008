//! Latencies: quantiles of the last minute, and a histogram of all for the metrics.

use serde::{Deserialize, Serialize};

use crate::board::{LATENCY_BOUNDS_US, LatencyBoard, ms};
use crate::clock::SECOND_US;

/// Sub-buckets of each power of two: a bucket is at most 1/16 wide.
const SUB_BITS: u32 = 4;
/// Enough for latencies up to 2^40 microseconds, twelve days; longer ones share the last bucket.
const BUCKETS: usize = (41 - SUB_BITS as usize) << SUB_BITS;
/// The minute is kept in slots of ten seconds, and one that is being filled.
const SLOT_US: u64 = 10 * SECOND_US;
const SLOTS: usize = 7;

/// The latencies of one slot.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot {
    /// Its number: the slot's start over [`SLOT_US`].
    number: u64,
    counts: Box<[u32]>,
    min_us: u64,
    max_us: u64,
}

/// The latencies of one edge.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Latencies {
    slots: [Option<Slot>; SLOTS],
    /// The slot that is being filled, and its start.
    filling: (usize, u64),
    pub(super) buckets: [u64; LATENCY_BOUNDS_US.len() + 1],
    pub(super) sum_us: u64,
}

/// By bucket: the first of [`LATENCY_BOUNDS_US`] that is not below all of it. No bucket holds two bounds.
const BOUNDS: [u8; BUCKETS] = {
    let mut bounds = [0; BUCKETS];
    let (mut bucket, mut bound) = (0, 0);
    while bucket < BUCKETS {
        while bound < LATENCY_BOUNDS_US.len() && LATENCY_BOUNDS_US[bound] < lowest_us(bucket) {
            bound += 1;
        }
        bounds[bucket] = bound as u8;
        bucket += 1;
    }
    bounds
};

/// The lowest latency of a bucket.
const fn lowest_us(bucket: usize) -> u64 {
    let (row, sub) = (bucket >> SUB_BITS, (bucket & ((1 << SUB_BITS) - 1)) as u64);
    if row == 0 { sub } else { ((1 << SUB_BITS) + sub) << (row - 1) }
}

#[inline]
fn bucket_of(latency_us: u64) -> usize {
    if latency_us < 1 << SUB_BITS {
        return latency_us as usize;
    }
    let exponent = latency_us.ilog2();
    let sub = (latency_us >> (exponent - SUB_BITS)) & ((1 << SUB_BITS) - 1);
    let bucket = ((exponent - SUB_BITS + 1) as usize) << SUB_BITS | sub as usize;
    bucket.min(BUCKETS - 1)
}

/// The middle of a bucket.
fn middle_us(bucket: usize) -> u64 {
    let row = bucket >> SUB_BITS;
    lowest_us(bucket) + if row == 0 { 0 } else { (1 << (row - 1)) / 2 }
}

impl Latencies {
    pub(super) fn new() -> Self {
        Self { slots: Default::default(), filling: (0, 0), buckets: [0; LATENCY_BOUNDS_US.len() + 1], sum_us: 0 }
    }

    /// Notes the latency of a match that was decided at `at_us`.
    #[inline]
    pub(super) fn add(&mut self, latency_us: u64, at_us: u64) {
        let bucket = bucket_of(latency_us);
        let bound = usize::from(BOUNDS[bucket]);
        let above = LATENCY_BOUNDS_US.get(bound).is_some_and(|&bound_us| bound_us < latency_us);
        self.buckets[bound + usize::from(above)] += 1;
        self.sum_us = self.sum_us.saturating_add(latency_us);
        if at_us.wrapping_sub(self.filling.1) >= SLOT_US || self.slots[self.filling.0].is_none() {
            self.turn(at_us / SLOT_US);
        }
        let Some(slot) = &mut self.slots[self.filling.0] else { return };
        let count = &mut slot.counts[bucket];
        *count = count.saturating_add(1);
        slot.min_us = slot.min_us.min(latency_us);
        slot.max_us = slot.max_us.max(latency_us);
    }

    /// Fills the slot of this number from now on.
    #[cold]
    fn turn(&mut self, number: u64) {
        self.filling = (number as usize % SLOTS, number * SLOT_US);
        let slot = self.slots[self.filling.0].get_or_insert_with(|| Slot {
            number,
            counts: vec![0; BUCKETS].into(),
            min_us: u64::MAX,
            max_us: 0,
        });
        if slot.number != number {
            slot.counts.fill(0);
            (slot.number, slot.min_us, slot.max_us) = (number, u64::MAX, 0);
        }
    }

    /// The quantiles of the last minute; none where nothing came.
    pub(super) fn of_last_minute(&self, now_us: u64) -> Option<LatencyBoard> {
        let recent = || self.slots.iter().flatten().filter(|slot| slot.number + SLOTS as u64 > now_us / SLOT_US);
        let (min_us, max_us) =
            recent().fold((u64::MAX, 0), |(min_us, max_us), slot| (min_us.min(slot.min_us), max_us.max(slot.max_us)));
        let mut counts = [0_u64; BUCKETS];
        for slot in recent() {
            for (sum, &count) in counts.iter_mut().zip(&slot.counts) {
                *sum += u64::from(count);
            }
        }
        let total: u64 = counts.iter().sum();
        let quantile = |share: f64| {
            let rank = (total as f64 * share).ceil().max(1.0) as u64;
            let below = counts.iter().scan(0, |sum, &count| {
                *sum += count;
                Some(*sum)
            });
            let bucket = below.take_while(|&sum| sum < rank).count();
            ms(middle_us(bucket.min(BUCKETS - 1)).clamp(min_us, max_us))
        };
        (total > 0).then(|| LatencyBoard { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_its_middle_stands_for() {
        for latency_us in (0..5_000).chain([123_456, 500_000, 10_000_000, 86_400_000_000, 1 << 40]) {
            let middle_us = middle_us(bucket_of(latency_us));
            assert!(middle_us.abs_diff(latency_us) <= latency_us / 32 + 1, "{latency_us} in {middle_us}");
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn every_latency_counts_below_the_first_bound_that_holds_it() {
        for latency_us in LATENCY_BOUNDS_US.iter().flat_map(|&bound_us| [bound_us - 1, bound_us, bound_us + 1]) {
            let mut latencies = Latencies::new();
            latencies.add(latency_us, 0);
            let expected = LATENCY_BOUNDS_US.iter().take_while(|&&bound_us| bound_us < latency_us).count();
            assert_eq!(latencies.buckets.iter().position(|&count| count == 1), Some(expected), "{latency_us}");
        }
    }

    #[test]
    fn quantiles_are_near_the_truth_and_never_outside_of_what_came() {
        let mut latencies = Latencies::new();
        let now_us = 1_700_000_000 * SECOND_US;
        assert_eq!(latencies.of_last_minute(now_us), None);
        latencies.add(500_000, now_us);
        let one = LatencyBoard { p50: 500.0, p95: 500.0, p99: 500.0 };
        assert_eq!(latencies.of_last_minute(now_us), Some(one));
        assert_eq!(latencies.of_last_minute(now_us + 71 * SECOND_US), None);
        for latency_us in 1..=1000 {
            latencies.add(latency_us * 1000, now_us + 100 * SECOND_US);
        }
        let spread = latencies.of_last_minute(now_us + 100 * SECOND_US).unwrap();
        assert!((480.0..520.0).contains(&spread.p50) && (930.0..970.0).contains(&spread.p95), "{spread:?}");
        assert!(spread.p99 <= 1000.0);
    }
}
