//! When nobody could testify for a node or an edge.

use serde::{Deserialize, Serialize};

/// The time in which something was blind: the interval at hand, or the last one, and how long all before it lasted.
#[expect(clippy::struct_field_names, reason = "the unit is part of a name")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Blind {
    since_us: u64,
    /// The first moment at which it sees again; `u64::MAX` as long as that is not known.
    until_us: u64,
    /// The sum of the intervals before.
    before_us: u64,
}

impl Blind {
    /// From `now_us` on it is blind until `until_us`: not at all, where that has come.
    pub(super) fn set(&mut self, until_us: u64, now_us: u64) {
        if self.is(now_us) {
            self.until_us = until_us.max(now_us);
        } else if until_us > now_us {
            self.before_us += self.until_us - self.since_us;
            (self.since_us, self.until_us) = (now_us, until_us);
        }
    }

    /// Whether it is blind at a moment not before the last change.
    #[inline]
    pub(super) fn is(&self, now_us: u64) -> bool {
        now_us < self.until_us
    }

    /// How long it was blind up to a moment not before the last change.
    #[inline]
    pub(super) fn total_us(&self, now_us: u64) -> u64 {
        self.before_us + self.until_us.min(now_us).saturating_sub(self.since_us)
    }

    /// How long it will have been blind in all, as far as is known; `None`: for ever.
    #[inline]
    pub(super) fn expected_us(&self) -> Option<u64> {
        (self.until_us != u64::MAX).then(|| self.before_us + (self.until_us - self.since_us))
    }

    /// When it sees again, for what begins to depend on it.
    pub(super) fn until_us(&self) -> u64 {
        self.until_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_add_up() {
        let mut blind = Blind::default();
        assert_eq!((blind.is(10), blind.total_us(10), blind.expected_us()), (false, 0, Some(0)));
        blind.set(u64::MAX, 10);
        assert_eq!((blind.is(10), blind.total_us(15), blind.expected_us()), (true, 5, None));
        blind.set(20, 15);
        assert_eq!((blind.is(19), blind.is(20), blind.total_us(40)), (true, false, 10));
        blind.set(30, 40);
        assert_eq!((blind.is(40), blind.total_us(40)), (false, 10));
        blind.set(50, 45);
        blind.set(60, 50);
        assert_eq!((blind.total_us(70), blind.expected_us()), (25, Some(25)));
        blind.set(65, 59);
        blind.set(0, 61);
        assert_eq!((blind.is(61), blind.total_us(70)), (false, 26));
    }
}
