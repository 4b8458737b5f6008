//! Sets of messages: one bit for each place of the sample.

use std::ops::{BitAnd, BitOrAssign};

use serde::{Deserialize, Serialize};

/// Messages in the sample.
pub(super) const PLACES: usize = 1024;
const WORDS: usize = PLACES / 64;

/// A set of messages of the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bits([u64; WORDS]);

impl Bits {
    pub(super) const NONE: Self = Self([0; WORDS]);

    #[inline]
    pub(super) fn set(&mut self, place: usize, on: bool) {
        let (word, bit) = (&mut self.0[place / 64], 1 << (place % 64));
        *word = if on { *word | bit } else { *word & !bit };
    }

    /// How many.
    #[inline]
    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Those of `self` that are not in `other`.
    #[inline]
    pub(super) fn without(self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & !other.0[word]))
    }
}

impl BitAnd<&Bits> for Bits {
    type Output = Self;

    #[inline]
    fn bitand(self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }
}

impl BitOrAssign for Bits {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
    }
}
