//! Takes snapshots of what is kept, often enough that a start reads little.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use tracing::warn;

use super::core::Core;
use super::handle::Shared;
use crate::clock::SECOND_US;
use crate::journal;
use crate::store::{Limits, Snapshot, prune, write_snapshot};

/// A snapshot is due when this much was written since the last, in bytes, and as much as that one took: nothing is taken
/// while it is made, and a start reads a million events in a fraction of a second.
const DUE_BYTES: u64 = 64 << 20;
/// Of what may be kept, at most one part in this lies between two snapshots: so the oldest can go.
const SHARE: u64 = 8;
/// A snapshot that could not be written is tried again after this long.
const AGAIN_US: u64 = 10 * SECOND_US;

/// Takes the snapshots; one at a time is being written, by a thread of its own.
pub(super) struct Shutter {
    shared: Arc<Shared>,
    limits: Limits,
    /// What was written since the last snapshot, in bytes.
    unsaved_bytes: u64,
    /// How large that was.
    snapshot_bytes: u64,
    /// When it was taken, on the arrival clock; the start, where none was.
    taken_us: u64,
    thread: Option<JoinHandle<io::Result<()>>>,
    not_before_us: u64,
}

impl Shutter {
    pub(super) fn new(shared: Arc<Shared>, limits: Limits, unsaved_bytes: u64) -> Self {
        let taken_us = shared.clock.now_us();
        Self { shared, limits, unsaved_bytes, snapshot_bytes: 0, taken_us, thread: None, not_before_us: 0 }
    }

    /// So much was written.
    pub(super) fn wrote(&mut self, bytes: u64) {
        self.unsaved_bytes += bytes;
    }

    /// Takes one where it is due. `written`: the last record that has happened.
    pub(super) fn click(&mut self, core: &Core, written: u64, now_us: u64) {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            self.finish(now_us);
        }
        let due_bytes = DUE_BYTES.min(self.limits.max_bytes / SHARE).max(self.snapshot_bytes);
        let old = now_us > self.taken_us + self.limits.max_age_us / SHARE;
        let due = self.unsaved_bytes >= due_bytes || (old && self.unsaved_bytes > 0);
        if due && self.thread.is_none() && now_us >= self.not_before_us {
            let snapshot = journal::snapshot(&core.kept, written);
            (self.unsaved_bytes, self.snapshot_bytes, self.taken_us) = (0, snapshot.bytes.len() as u64, now_us);
            if self.shared.stepped {
                return save(&self.shared, self.limits, &snapshot).unwrap_or_else(|error| self.failed(now_us, &error));
            }
            let (shared, limits) = (Arc::clone(&self.shared), self.limits);
            let thread = std::thread::Builder::new().name("snapshot".to_owned());
            match thread.spawn(move || save(&shared, limits, &snapshot)) {
                Ok(thread) => self.thread = Some(thread),
                Err(error) => self.failed(now_us, &error),
            }
        }
    }

    /// Takes one at the end.
    pub(super) fn close(&mut self, core: &Core, written: u64) {
        let now_us = self.shared.clock.now_us();
        self.finish(now_us);
        if self.unsaved_bytes > 0
            && let Err(error) = save(&self.shared, self.limits, &journal::snapshot(&core.kept, written))
        {
            self.failed(now_us, &error);
        }
    }

    /// Waits for the one that is being written.
    fn finish(&mut self, now_us: u64) {
        let Some(thread) = self.thread.take() else { return };
        let ended = thread.join().unwrap_or_else(|_panic| Err(io::Error::other("its thread panicked")));
        if let Err(error) = ended {
            self.failed(now_us, &error);
        }
    }

    fn failed(&mut self, now_us: u64, error: &io::Error) {
        // Due again, a little later: until then a start reads more.
        (self.unsaved_bytes, self.not_before_us) = (u64::MAX / 2, now_us + AGAIN_US);
        warn!(subsystem = "store", %error, "a snapshot could not be written: it is tried again");
    }
}

impl Drop for Shutter {
    fn drop(&mut self) {
        // Nobody else takes one meanwhile.
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn save(shared: &Shared, limits: Limits, snapshot: &Snapshot) -> io::Result<()> {
    let Some(journal) = &shared.journal else { return Ok(()) };
    write_snapshot(&*journal.disk, snapshot)?;
    prune(&*journal.disk, limits, snapshot.at_us).map(drop)
}
