//! What may be said on an edge: whether somebody can testify that nothing came.

use std::sync::Arc;

/// A time in which nobody could testify: from its first moment to the first one after it.
pub type Blank = (u64, u64);

/// What may be said on one edge. The correlator is told whenever it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// How long a report may take to reach us, with the inputs' delay.
    pub wait_us: u64,
    /// What falls due by this moment waits until it has passed; `u64::MAX`: until more is said.
    pub blind_until_us: u64,
    /// When nobody could testify for the downstream node.
    pub blanks: Arc<[Blank]>,
}

impl Sight {
    /// Of an edge for which everybody can testify always.
    pub(super) fn clear(wait_us: u64) -> Self {
        Self { wait_us, blind_until_us: 0, blanks: Arc::default() }
    }

    /// Whether somebody could testify from one moment to another, both included.
    pub(super) fn testifies(&self, from_us: u64, until_us: u64) -> bool {
        let touches = |&(begin_us, end_us): &Blank| begin_us < end_us && begin_us <= until_us && end_us > from_us;
        !self.blanks.iter().any(touches)
    }
}

/// From when on somebody must have been able to testify for what arrived and was stamped then: the earlier of
/// the two, at most the stream's memory back.
pub(super) fn witness_from_us(arrival_us: u64, timestamp_us: u64, memory_us: u64) -> u64 {
    arrival_us.min(timestamp_us).max(arrival_us.saturating_sub(memory_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_count() {
        let sight = Sight { blanks: [(10, 20), (25, 25), (30, u64::MAX)].into(), ..Sight::clear(0) };
        let cases = [((0, 9), true), ((0, 10), false), ((19, 29), false), ((20, 29), true), ((20, 30), false)];
        for ((from_us, until_us), wanted) in cases {
            assert_eq!(sight.testifies(from_us, until_us), wanted, "{from_us} to {until_us}");
        }
        assert_eq!(witness_from_us(100, 90, 50), 90);
        assert_eq!(witness_from_us(100, 30, 50), 50);
        assert_eq!(witness_from_us(100, 110, 50), 100);
    }
}
