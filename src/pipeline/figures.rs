//! What the pipeline counts about itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::journal_figures::JournalFigures;

/// The upper bounds of the verdict delay's histogram: 100 microseconds to a minute.
pub const DELAY_BOUNDS_US: [u64; 15] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 10_000_000,
    60_000_000,
];

/// A histogram of delays that takes many equal ones at once.
#[derive(Debug, Default)]
pub struct Delays {
    buckets: [AtomicU64; DELAY_BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Delays {
    /// Counts `times` delays of `delay_us`.
    pub(super) fn observe(&self, delay_us: u64, times: u64) {
        let bucket = DELAY_BOUNDS_US.partition_point(|&bound| bound < delay_us);
        self.buckets[bucket].fetch_add(times, Ordering::Relaxed);
        self.sum_us.fetch_add(delay_us.saturating_mul(times), Ordering::Relaxed);
    }

    /// The count of each bucket alone, and the sum in microseconds.
    pub fn read(&self) -> ([u64; DELAY_BOUNDS_US.len() + 1], u64) {
        (std::array::from_fn(|at| self.buckets[at].load(Ordering::Relaxed)), self.sum_us.load(Ordering::Relaxed))
    }
}

/// The pipeline's own figures, for metrics and health.
#[derive(Debug, Default)]
pub struct Figures {
    /// From an outcome's deadline, or the event's arrival, to its being on the board.
    pub verdict_delay: Delays,
    /// Batches that were refused because too much waited.
    pub overloaded: AtomicU64,
    /// Times at which nobody held the core for so long that we cannot testify for it.
    pub gaps: AtomicU64,
    /// How the journal is.
    pub journal: JournalFigures,
    /// Times that the owner panicked and was started again.
    pub restarts: AtomicU64,
    /// Boards published.
    pub boards: AtomicU64,
    /// When the owner last showed that it lives, on the arrival clock.
    pub(super) beat_us: AtomicU64,
    /// Whether the owner has panicked.
    pub(super) dead: AtomicBool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_inclusive() {
        let delays = Delays::default();
        delays.observe(100, 2);
        delays.observe(101, 1);
        delays.observe(u64::MAX, 1);
        let (buckets, _) = delays.read();
        assert_eq!((buckets[0], buckets[1], buckets[DELAY_BOUNDS_US.len()]), (2, 1, 1));
    }
}
