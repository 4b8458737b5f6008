//! Requests that were refused because we could not keep up: what they held may never be sent again.

use std::sync::atomic::{AtomicU64, Ordering};

/// So long must nothing be refused before it counts as over.
const OVER_US: u64 = crate::clock::SECOND_US;

/// When requests were refused, told by those who refuse them and read by the holder of the core.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// The first that the holder has not seen; 0 where there is none.
    first_us: AtomicU64,
    /// The last.
    last_us: AtomicU64,
}

impl Refusals {
    /// A request is refused.
    pub(super) fn note(&self, now_us: u64) {
        self.last_us.store(now_us, Ordering::Release);
        // Where there is one already, that was the first.
        self.first_us.compare_exchange(0, now_us, Ordering::AcqRel, Ordering::Acquire).unwrap_or_default();
    }

    /// The first since the last call, if it was by `now_us`.
    #[inline]
    pub(super) fn take_first(&self, now_us: u64) -> Option<u64> {
        if !(1..=now_us).contains(&self.first_us.load(Ordering::Relaxed)) {
            return None;
        }
        Some(self.first_us.swap(0, Ordering::AcqRel)).filter(|&first_us| first_us > 0)
    }

    /// What was refused up to a moment is known already.
    pub(super) fn forget(&self, until_us: u64) {
        if self.last_us.load(Ordering::Acquire) <= until_us {
            self.first_us.store(0, Ordering::Release);
        }
    }

    /// Whether nothing was refused for a while.
    pub(super) fn is_over(&self, now_us: u64) -> bool {
        self.last_us.load(Ordering::Acquire) + OVER_US <= now_us
    }
}
