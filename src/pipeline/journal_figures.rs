//! What the journal counts about itself.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::figures::Delays;

/// Counts and states of the journal.
#[derive(Debug, Default)]
pub struct JournalFigures {
    /// Times that something was written and synced.
    pub syncs: AtomicU64,
    /// Bytes of all that.
    pub written_bytes: AtomicU64,
    /// How long writing and syncing took.
    pub sync_time: Delays,
    /// When it was written last, on the arrival clock; 0 where nothing has been.
    pub synced_us: AtomicU64,
    /// Times that it could not be written.
    pub failures: AtomicU64,
    /// A write does not come to its end.
    pub hangs: AtomicBool,
    failing: AtomicBool,
    error: Mutex<Option<String>>,
}

impl JournalFigures {
    /// Something was written.
    pub(super) fn wrote(&self, now_us: u64, begun_us: u64, bytes: u64) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.written_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.sync_time.observe(now_us.saturating_sub(begun_us), 1);
        self.synced_us.store(now_us, Ordering::Relaxed);
    }

    /// It could not be written; answers whether that is news.
    pub(super) fn fail(&self, error: &io::Error) -> bool {
        self.failures.fetch_add(1, Ordering::Relaxed);
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        !self.failing.swap(true, Ordering::AcqRel)
    }

    /// It is written again.
    pub(super) fn heal(&self) {
        self.failing.store(false, Ordering::Release);
    }

    /// Whether it cannot be written: then nothing is taken.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// What went wrong last.
    pub fn error(&self) -> Option<String> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
