//! The owner's mailbox: batches and queries in the order in which they came, each bounded, and one place to wait for both.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::intake::{Batch, Refused};
use super::query::{QUERIES_MAX, Query};
use crate::clock::Clock;

/// What was handed over.
#[derive(Debug)]
pub(super) enum Came {
    /// Events.
    Batch(Batch),
    /// A question, or something to be told.
    Query(Query),
}

/// Everything that waited.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// What came, with the moment at which it was handed over, in order.
    pub(super) came: Vec<(u64, Came)>,
    /// The moment at which this was taken: whatever is not in it is handed over then, or later.
    pub(super) now_us: u64,
    /// Take no more after this.
    pub(super) stop: bool,
}

/// Whether the owner sleeps: only then a wake-up, which costs a system call, is due.
#[derive(Debug, Default)]
enum Sleep {
    #[default]
    Awake,
    /// Whatever comes wakes it.
    Light,
    /// It could do nothing with events now.
    Deep,
}

#[derive(Debug, Default)]
struct Inside {
    work: Work,
    /// Queries among what came.
    queries: usize,
    /// The owner knows that it is to end, and goes on only to do so.
    stopping: bool,
    /// The owner is to look at its clock again.
    nudged: bool,
    sleep: Sleep,
}

/// Where the owner finds its work. Batches are bounded by the room that they had to reserve.
pub(super) struct Mailbox {
    inside: Mutex<Inside>,
    filled: Condvar,
    clock: Arc<dyn Clock>,
    /// From when on no time passes any more; not yet, where this is [`OPEN`].
    closing_us: AtomicU64,
}

/// No moment is later than this.
const OPEN: u64 = u64::MAX;

impl Mailbox {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { inside: Mutex::default(), filled: Condvar::new(), clock, closing_us: AtomicU64::new(OPEN) }
    }

    /// Puts a batch in; refused where the owner has been told to stop.
    pub(super) fn send(&self, batch: Batch) -> Result<(), Refused> {
        let mut inside = self.lock();
        if inside.work.stop {
            return Err(Refused::Stopped);
        }
        // The clock is asked while nobody else puts in or takes out: so moments are in the order of what came.
        let now_us = self.now_us();
        inside.work.came.push((now_us, Came::Batch(batch)));
        if !matches!(inside.sleep, Sleep::Deep) {
            self.wake(inside);
        }
        Ok(())
    }

    /// Puts a query in; gives it back where too many wait, or the owner has been told to stop.
    pub(super) fn ask(&self, query: Query) -> Result<(), Query> {
        let mut inside = self.lock();
        if inside.work.stop || inside.queries >= QUERIES_MAX {
            return Err(query);
        }
        let now_us = self.now_us();
        inside.work.came.push((now_us, Came::Query(query)));
        inside.queries += 1;
        self.wake(inside);
        Ok(())
    }

    /// Has the owner look at its clock again: something is due earlier than it knew.
    pub(super) fn nudge(&self) {
        let mut inside = self.lock();
        inside.nudged = true;
        self.wake(inside);
    }

    /// From now on not everybody is heard: so nothing is judged that falls due later, and what still comes has come now.
    pub(super) fn closing(&self) {
        self.freeze(&mut self.lock());
    }

    /// Whether no time passes any more.
    pub(super) fn is_closing(&self) -> bool {
        self.closing_us.load(Ordering::Acquire) != OPEN
    }

    /// Tells the owner to finish what waits and end.
    pub(super) fn stop(&self) {
        let mut inside = self.lock();
        self.freeze(&mut inside);
        inside.work.stop = true;
        self.wake(inside);
    }

    /// Takes all that waits; where there is nothing, waits for it up to `patience`. `deep`: events are nothing to wake for.
    pub(super) fn take(&self, patience: Duration, deep: bool) -> Work {
        let mut inside = self.lock();
        let told = inside.work.stop && !inside.stopping;
        let nothing = if deep { inside.queries == 0 } else { inside.work.came.is_empty() };
        if nothing && !told && !inside.nudged && !patience.is_zero() {
            inside.sleep = if deep { Sleep::Deep } else { Sleep::Light };
            // A spurious wake-up does no harm: the owner looks at its clock and comes back.
            inside = self.filled.wait_timeout(inside, patience).unwrap_or_else(PoisonError::into_inner).0;
            inside.sleep = Sleep::Awake;
        }
        (inside.nudged, inside.queries) = (false, 0);
        let stop = inside.work.stop;
        inside.stopping = stop;
        let work = std::mem::take(&mut inside.work);
        inside.work.stop = stop;
        Work { now_us: self.now_us(), ..work }
    }

    /// Drops all that waits, so that its senders learn that the owner is gone.
    pub(super) fn close(&self) {
        let mut inside = self.lock();
        inside.queries = 0;
        inside.work = Work { stop: true, ..Work::default() };
    }

    /// Now on the arrival clock, in microseconds; from [`Self::closing`] on, the moment of that.
    pub(super) fn now_us(&self) -> u64 {
        self.clock.now_us().min(self.closing_us.load(Ordering::Acquire))
    }

    /// Stops the clock, where it has not stopped. Nobody puts in or takes out meanwhile: so moments stay in order.
    fn freeze(&self, _inside: &mut Inside) {
        self.closing_us.fetch_min(self.clock.now_us(), Ordering::AcqRel);
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut inside: MutexGuard<'_, Inside>) {
        let sleep = std::mem::take(&mut inside.sleep);
        drop(inside);
        if !matches!(sleep, Sleep::Awake) {
            self.filled.notify_one();
        }
    }
}
