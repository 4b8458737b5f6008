//! When an input, or we, could not testify.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::correlation::Blank;

/// How many intervals are told apart; of more, the two oldest count as one, with the time between them.
const BLANKS_MAX: usize = 64;

/// The intervals in which somebody could not testify, oldest first. The last may be open.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Blanks {
    intervals: VecDeque<Blank>,
}

impl Blanks {
    /// Of somebody who could not testify before `until_us`.
    pub(super) fn before(until_us: u64) -> Self {
        Self { intervals: [(0, until_us)].into() }
    }

    /// From now on it cannot testify.
    pub(super) fn begin(&mut self, now_us: u64) {
        match self.intervals.back_mut() {
            Some(last) if last.1 >= now_us => last.1 = u64::MAX,
            _ => self.intervals.push_back((now_us, u64::MAX)),
        }
        if self.intervals.len() > BLANKS_MAX
            && let Some((begin_us, _)) = self.intervals.pop_front()
            && let Some(oldest) = self.intervals.front_mut()
        {
            oldest.0 = begin_us;
        }
    }

    /// From now on it can.
    pub(super) fn end(&mut self, now_us: u64) {
        if let Some(last) = self.intervals.back_mut().filter(|last| last.1 == u64::MAX) {
            last.1 = now_us;
        }
    }

    /// The first moment at which it can testify again; `u64::MAX` where it cannot now.
    pub(super) fn until_us(&self) -> u64 {
        self.intervals.back().map_or(0, |last| last.1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Blank> {
        self.intervals.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_merged() {
        let mut blanks = Blanks::before(10);
        assert_eq!(blanks.until_us(), 10);
        for round in 1..=100 {
            blanks.begin(round * 100);
            assert_eq!(blanks.until_us(), u64::MAX);
            blanks.end(round * 100 + 10);
        }
        assert_eq!(blanks.iter().count(), BLANKS_MAX);
        let oldest: Vec<Blank> = blanks.iter().take(2).collect();
        assert_eq!(oldest, [(0, 3_710), (3_800, 3_810)]);
        blanks.begin(10_010);
        assert_eq!(blanks.iter().last(), Some((10_000, u64::MAX)), "what follows at once is one");
    }
}
