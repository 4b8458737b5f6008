//! A small seeded generator of numbers: the same seed gives the same plan, on every machine.

use super::faults::Share;

/// `splitmix64`.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// A generator for one purpose (a message, a node) under a seed.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        Self(mix(seed ^ 0x6c6f_6164_2e72_6e64) ^ mix(purpose))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number in `from..=to`.
    pub(super) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from + 1)
    }

    /// True in this share of all cases.
    pub(super) fn chance(&mut self, share: Share) -> bool {
        // Drawn always, so that one more fault does not change what becomes of all the rest.
        self.next() % u64::from(Share::ALL.0) < u64::from(share.0)
    }
}

/// Stirs a number.
pub(super) fn mix(number: u64) -> u64 {
    let mut mixed = number;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
