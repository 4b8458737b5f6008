//! The owner's mailbox: batches and queries, each bounded, and one place to wait for both.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::intake::{Batch, Refused};
use super::query::{QUERIES_MAX, Query};

/// Everything that waited.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) batches: Vec<Batch>,
    pub(super) queries: Vec<Query>,
    /// Take no more after this.
    pub(super) stop: bool,
}

#[derive(Debug, Default)]
struct Inside {
    work: Work,
    /// The owner knows that it is to end, and goes on only to do so.
    stopping: bool,
    /// The owner is to look at its clock again.
    nudged: bool,
    /// The owner sleeps: only then a wake-up, which costs a system call, is due.
    asleep: bool,
}

/// Where the owner finds its work. Batches are bounded by the room that they had to reserve.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    inside: Mutex<Inside>,
    filled: Condvar,
}

impl Mailbox {
    /// Puts a batch in; refused where the owner has been told to stop.
    pub(super) fn send(&self, batch: Batch) -> Result<(), Refused> {
        let mut inside = self.lock();
        if inside.work.stop {
            return Err(Refused::Stopped);
        }
        inside.work.batches.push(batch);
        self.wake(inside);
        Ok(())
    }

    /// Puts a query in; gives it back where too many wait, or the owner has been told to stop.
    pub(super) fn ask(&self, query: Query) -> Result<(), Query> {
        let mut inside = self.lock();
        if inside.work.stop || inside.work.queries.len() >= QUERIES_MAX {
            return Err(query);
        }
        inside.work.queries.push(query);
        self.wake(inside);
        Ok(())
    }

    /// Has the owner look at its clock again: something is due earlier than it knew.
    pub(super) fn nudge(&self) {
        let mut inside = self.lock();
        inside.nudged = true;
        self.wake(inside);
    }

    /// Tells the owner to finish what waits and end.
    pub(super) fn stop(&self) {
        let mut inside = self.lock();
        inside.work.stop = true;
        self.wake(inside);
    }

    /// Takes all that waits; where there is nothing, waits for it up to `patience`.
    pub(super) fn take(&self, patience: Duration) -> Work {
        let mut inside = self.lock();
        let work = &inside.work;
        let told = work.stop && !inside.stopping;
        let idle = work.batches.is_empty() && work.queries.is_empty() && !told && !inside.nudged;
        if idle && !patience.is_zero() {
            inside.asleep = true;
            // A spurious wake-up does no harm: the owner looks at its clock and comes back.
            inside = self.filled.wait_timeout(inside, patience).unwrap_or_else(PoisonError::into_inner).0;
            inside.asleep = false;
        }
        inside.nudged = false;
        let stop = inside.work.stop;
        inside.stopping = stop;
        let mut work = std::mem::take(&mut inside.work);
        inside.work.stop = stop;
        work.stop = stop;
        work
    }

    /// Drops all that waits, so that its senders learn that the owner is gone.
    pub(super) fn close(&self) {
        let mut inside = self.lock();
        inside.work = Work { stop: true, ..Work::default() };
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut inside: MutexGuard<'_, Inside>) {
        let asleep = std::mem::take(&mut inside.asleep);
        drop(inside);
        if asleep {
            self.filled.notify_one();
        }
    }
}
