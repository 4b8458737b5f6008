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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};
    use std::thread::JoinHandle;

    use tokio::sync::oneshot;

    use super::super::intake::{Load, Room};
    use super::*;
    use crate::clock::MonotonicClock;

    /// An owner who is not woken sleeps on: nothing else comes that would wake it.
    const FOR_EVER: Duration = Duration::from_hours(1);
    const PATIENCE: Duration = Duration::from_secs(30);
    const ROUNDS: u32 = 30_000;

    /// An owner who tells how many batches and queries it has found, whenever it wakes, until it is told to stop.
    fn owner(deep: bool) -> (Arc<Mailbox>, Receiver<(usize, usize)>, JoinHandle<()>) {
        let mailbox = Arc::new(Mailbox::new(Arc::new(MonotonicClock::start())));
        let (tell, told) = sync_channel(1);
        let found = Arc::clone(&mailbox);
        let thread = std::thread::spawn(move || {
            loop {
                let work = found.take(FOR_EVER, deep);
                let batches = work.came.iter().filter(|(_, came)| matches!(came, Came::Batch(_))).count();
                if work.stop || tell.send((batches, work.came.len() - batches)).is_err() {
                    break;
                }
            }
        });
        (mailbox, told, thread)
    }

    /// Waits until so much has been found, or, for nothing, until the owner has woken.
    fn expect(told: &Receiver<(usize, usize)>, wanted: (usize, usize), what: &str) {
        let mut found = (0, 0);
        loop {
            let (batches, queries) = told.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("nobody woke for {what}"));
            found = (found.0 + batches, found.1 + queries);
            if found == wanted {
                break;
            }
        }
    }

    /// The owner is met on its way to sleep, at another place each time.
    fn dawdle(round: u32) {
        for _ in 0..round % 256 {
            std::hint::spin_loop();
        }
    }

    fn send(mailbox: &Mailbox) {
        let room = Arc::new(Room::default()).reserve(Load::default()).unwrap();
        let (reports, stretches, unknown) = (Vec::new(), Vec::new(), Vec::new());
        let batch = Batch { reports, stretches, unknown, positions: None, room, done: oneshot::channel().0 };
        mailbox.send(batch).unwrap();
    }

    fn ask(mailbox: &Mailbox) {
        let (stream, from, to) = (String::new(), String::new(), String::new());
        mailbox.ask(Query::Edge { stream, from, to, answer: oneshot::channel().0 }).unwrap();
    }

    fn stop(mailbox: &Mailbox, owner: JoinHandle<()>, told: &Receiver<(usize, usize)>) {
        mailbox.stop();
        let ended = (0..PATIENCE.as_millis()).any(|_| {
            // It may tell something before it sees that it is to end.
            let ended = told.recv_timeout(Duration::from_millis(1));
            matches!(ended, Err(std::sync::mpsc::RecvTimeoutError::Disconnected))
        });
        assert!(ended, "nobody woke to end");
        owner.join().unwrap();
    }

    #[test]
    fn whatever_comes_wakes_an_owner_who_sleeps_lightly() {
        let (mailbox, told, owner) = owner(false);
        for round in 0..ROUNDS {
            dawdle(round);
            match round % 3 {
                0 => {
                    send(&mailbox);
                    expect(&told, (1, 0), "a batch");
                }
                1 => {
                    ask(&mailbox);
                    expect(&told, (0, 1), "a query");
                }
                _ => {
                    mailbox.nudge();
                    expect(&told, (0, 0), "a nudge");
                }
            }
        }
        stop(&mailbox, owner, &told);
    }

    #[test]
    fn who_sleeps_deeply_wakes_for_all_but_events_and_finds_them_then() {
        let (mailbox, told, owner) = owner(true);
        for round in 0..ROUNDS {
            send(&mailbox);
            dawdle(round);
            if round % 2 == 0 {
                ask(&mailbox);
                expect(&told, (1, 1), "a query");
            } else {
                mailbox.nudge();
                expect(&told, (1, 0), "a nudge");
            }
        }
        stop(&mailbox, owner, &told);
    }
}
