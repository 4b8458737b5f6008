//! Reading ahead: the memory of tokens is asked for before it is needed, for many at once.

use std::hint::black_box;

use super::{Tokens, key_of};
use crate::correlation::slab::NONE;

/// So many tokens in the line of the matched are read ahead.
pub(super) const FORESEEN: usize = 32;
impl Tokens {
    /// Where the tokens with these hashes seem to be remembered, or `NONE`, added to `slots`.
    ///
    /// Reads all that will be read of them soon, in loops in which nothing waits for what was read: so the memory is asked
    /// for many tokens at once, and answers for all in little more time than for one.
    pub(in crate::correlation) fn foresee(&self, hashes: &[u64], slots: &mut Vec<u32>, requests: &mut Vec<u32>) {
        let read = hashes.iter().fold(0, |read, &hash| read ^ self.index.first_entry(hash));
        slots.clear();
        slots.extend(hashes.iter().map(|&hash| self.index.find(hash, |_| true).unwrap_or(NONE)));
        black_box(read);
        requests.clear();
        requests.extend(slots.iter().filter_map(|&slot| self.heads.get(slot)).map(|head| head.requests));
    }

    /// Reads what will be read of the next tokens to be forgotten, as [`Self::foresee`] does of those that come.
    pub(super) fn foresee_oldest(&self) {
        let oldest = || self.matched.slots.iter().take(FORESEEN).map(|&slot| &self.heads[slot]);
        let read = oldest().fold(0, |read, head| read ^ head.stamp);
        let hash = |head| self.texts.hash(self.hasher, key_of(head));
        black_box(oldest().fold(read, |read, head| read ^ self.index.first_entry(hash(head))));
    }
}
