//! What the journal counts about itself.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::figures::Delays;
use crate::clock::SECOND_US;
use crate::store::{Disk, Files};

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
    /// What stood in the folder when somebody looked last, and when that was, on the arrival clock.
    files: Mutex<(Option<Arc<Files>>, u64)>,
}

/// The folder is looked at this often at most.
const LOOK_EVERY_US: u64 = SECOND_US;

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

    /// Looks what stands in the folder, where nobody has of late. Only whoever may wait for the disk does so.
    pub(super) fn look(&self, disk: &dyn Disk, now_us: u64) {
        let looked_us = self.files.lock().unwrap_or_else(PoisonError::into_inner).1;
        if now_us >= looked_us + LOOK_EVERY_US {
            let files = Files::of(disk).ok().map(Arc::new);
            *self.files.lock().unwrap_or_else(PoisonError::into_inner) = (files, now_us);
        }
    }

    /// What stood in the folder when somebody looked last.
    pub(super) fn files(&self) -> Option<Arc<Files>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
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
