//! How long answers took, from the moment at which their events should have been sent.

use serde::Serialize;

use crate::board::ms;

/// Sub-buckets of each power of two: a bucket is at most 1/32 wide.
const SUB_BITS: u32 = 5;
const SUBS: u64 = 1 << SUB_BITS;

/// Delays in microseconds, in buckets.
#[derive(Debug, Default)]
pub(super) struct Delays {
    counts: Vec<u64>,
    all: u64,
    most_us: u64,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) max: f64,
}

impl Delays {
    pub(super) fn add(&mut self, delay_us: u64) {
        let bucket = bucket(delay_us);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.all += 1;
        self.most_us = self.most_us.max(delay_us);
    }

    /// None where nothing was measured.
    pub(super) fn percentiles(&self) -> Option<Percentiles> {
        let at = |share: f64| {
            let rank = (self.all as f64 * share).ceil() as u64;
            let mut below = 0;
            let found = self.counts.iter().position(|count| {
                below += count;
                below >= rank
            });
            ms(found.map_or(self.most_us, |bucket| highest_us(bucket).min(self.most_us)))
        };
        let percentiles =
            Percentiles { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: ms(self.most_us) };
        (self.all > 0).then_some(percentiles)
    }
}

fn bucket(delay_us: u64) -> usize {
    if delay_us < SUBS {
        return delay_us as usize;
    }
    let row = delay_us.ilog2() - SUB_BITS;
    ((u64::from(row) * SUBS) + (delay_us >> row)) as usize
}

/// The highest delay of a bucket.
fn highest_us(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * SUBS {
        return bucket;
    }
    let row = bucket / SUBS - 1;
    ((bucket - row * SUBS + 1) << row) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_is_put_there_and_is_narrow() {
        for delay_us in (0..5_000).chain([123_456, 9_999_999, 3_600_000_000]) {
            let highest_us = highest_us(bucket(delay_us));
            assert!(highest_us >= delay_us && (highest_us - delay_us) as f64 <= delay_us as f64 / 32.0, "{delay_us}");
            assert_eq!(bucket(highest_us), bucket(delay_us));
        }
    }

    #[test]
    fn percentiles_are_those_of_a_sorted_list() {
        let mut delays = Delays::default();
        assert_eq!(delays.percentiles(), None);
        (1..=1000).for_each(|delay| delays.add(delay * 1000));
        let Percentiles { p50, p90, p99, p999, max } = delays.percentiles().unwrap();
        for (found, exact) in [(p50, 500.0), (p90, 900.0), (p99, 990.0), (p999, 999.0)] {
            assert!(found >= exact && found < exact * 1.04, "{found} is not {exact}");
        }
        assert!((max - 1000.0).abs() < 1e-9);
    }
}
