//! The door to the pipeline: what inputs, pages and metrics hold of it.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, oneshot, watch};

use super::core::{Changed, Core};
use super::figures::Figures;
use super::intake::{Batch, Load, Refused, Reservation, Room};
use super::keeper::Keeper;
use super::mailbox::Mailbox;
use super::observed::Observed;
use super::opening::{self, Beginning, Journal};
use super::owner;
use super::query::Query;
use super::refusals::Refusals;
use super::stepped::Stepped;
use crate::board::{Board, EdgeDetail, Writable};
use crate::clock::{Clock, SECOND_US};
use crate::event::Report;
use crate::graph::System;
use crate::journal::Position;

/// Transitions that a slow subscriber may be behind before it loses the oldest.
const TRANSITIONS_MAX: usize = 4096;
/// An owner that has not shown a sign of life for this long hangs.
const HANG_US: u64 = 5 * SECOND_US;

/// More events than this go to the owner's thread: a worker has other connections to serve. So many take about as long to
/// correlate as to read.
const NOW_MAX: usize = 1024;

/// Where too many queries wait for the owner, whoever can wait tries again after this.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// Events that cannot be taken at once.
pub(super) struct TooBusy {
    pub(super) reports: Vec<Report>,
    pub(super) unknown: Vec<String>,
}

/// A handle to the owner of the core; cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    pub(super) shared: Arc<Shared>,
}

/// What the owner and the holders of handles share.
pub(super) struct Shared {
    pub(super) mailbox: Mailbox,
    pub(super) board: ArcSwap<Board>,
    /// Told whenever there is a new board.
    pub(super) shown: watch::Sender<()>,
    pub(super) observed: ArcSwap<Observed>,
    pub(super) figures: Figures,
    pub(super) refusals: Refusals,
    /// How often we did not run for a while.
    pub(super) gaps: watch::Sender<u64>,
    pub(super) transitions: broadcast::Sender<Changed>,
    /// Turns true when the owner has ended, by order or not.
    pub(super) ended: watch::Sender<bool>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) room: Arc<Room>,
    /// Where all that happens is kept, if it is.
    pub(super) journal: Option<Journal>,
    /// Whether there are no threads: see [`Stepped`](super::Stepped).
    pub(super) stepped: bool,
    core: Mutex<Core>,
}

/// Somebody panicked who held the core.
#[derive(Debug)]
pub(super) struct Poisoned;

impl Shared {
    /// Holds the core.
    pub(super) fn core(&self) -> Result<MutexGuard<'_, Core>, Poisoned> {
        self.core.lock().or(Err(Poisoned))
    }

    /// Goes on with another core, whatever has become of the one before.
    pub(super) fn replace(&self, core: Core) {
        *self.core.lock().unwrap_or_else(PoisonError::into_inner) = core;
        self.core.clear_poison();
    }
}

/// What a pipeline is made of.
pub struct Start {
    /// What is observed.
    pub system: Arc<System>,
    /// The arrival clock.
    pub clock: Arc<dyn Clock>,
    /// Where all that happens is kept; nowhere, if this is none.
    pub journal: Option<Journal>,
}

/// How the journal is, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalState {
    /// Whether it can be written.
    pub state: Writable,
    /// What went wrong last, if anything has.
    pub error: Option<String>,
    /// How many segments there are, and what all files take, in bytes; none where that could not be read.
    pub files: Option<(usize, u64)>,
    /// When it was written last, on the arrival clock.
    pub synced_us: Option<u64>,
    /// The moment of the newest snapshot.
    pub snapshot_us: Option<u64>,
}

/// A pipeline that runs; whoever holds this ends it.
pub struct Running {
    /// The door.
    pub pipeline: Pipeline,
    thread: JoinHandle<()>,
}

impl Start {
    /// Starts the owner's thread. When this returns, the manifest is in force and on the board, with all that was kept; unless
    /// the journal cannot be written: then what was kept is there, and all else follows when it can.
    pub fn run(self) -> io::Result<Running> {
        let (shared, keeper) = self.open(false)?;
        let owned = Arc::clone(&shared);
        let (begun, begins) = sync_channel(1);
        let waits = keeper.is_some();
        let owner = std::thread::Builder::new().name("owner".to_owned());
        let thread = owner.spawn(move || owner::run(&owned, keeper, &begun))?;
        if waits {
            // Where the owner ends before, whoever watches it is told.
            begins.recv().unwrap_or_default();
        }
        Ok(Running { pipeline: Pipeline { shared }, thread })
    }

    /// All but the threads: whoever holds it takes every step. Nothing that was kept is in force before the first.
    pub fn stepped(self) -> io::Result<Stepped> {
        let (shared, keeper) = self.open(true)?;
        Ok(Stepped::new(Pipeline { shared }, keeper))
    }

    fn open(self, stepped: bool) -> io::Result<(Arc<Shared>, Option<Keeper>)> {
        let observed = Observed::new(self.system);
        let Beginning { core, board, clock, written } = opening::begin(self.journal.as_ref(), &observed, self.clock)?;
        let shared = Arc::new(Shared {
            mailbox: Mailbox::new(Arc::clone(&clock)),
            board: ArcSwap::from_pointee(board),
            shown: watch::channel(()).0,
            observed: ArcSwap::new(Arc::clone(core.observed())),
            figures: Figures::default(),
            refusals: Refusals::default(),
            gaps: watch::channel(0).0,
            transitions: broadcast::channel(TRANSITIONS_MAX).0,
            ended: watch::channel(false).0,
            clock,
            room: Arc::default(),
            journal: self.journal,
            stepped,
            core: Mutex::new(core),
        });
        shared.figures.beat_us.store(shared.clock.now_us(), Ordering::Relaxed);
        let keeper = match shared.core() {
            Ok(core) => opening::keep(&shared, &core, written)?,
            Err(Poisoned) => None,
        };
        Ok((shared, keeper))
    }
}

impl Running {
    /// Lets the owner finish what waits; ready when it has ended.
    pub async fn finish(self) {
        self.pipeline.shared.mailbox.stop();
        self.pipeline.ended().await;
    }

    /// Lets the owner finish what waits, and waits for its end.
    pub fn stop(self) {
        self.pipeline.shared.mailbox.stop();
        // A panic has been logged where it was caught.
        drop(self.thread.join());
    }
}

impl Pipeline {
    /// The latest board.
    pub fn board(&self) -> Arc<Board> {
        self.shared.board.load_full()
    }

    /// Told of every new board; who is slow misses some, never the latest.
    pub fn shown(&self) -> watch::Receiver<()> {
        self.shared.shown.subscribe()
    }

    /// What is observed now: what events are parsed with.
    pub fn observed(&self) -> Arc<Observed> {
        self.shared.observed.load_full()
    }

    /// Whether this is what is observed now.
    pub fn observes(&self, observed: &Arc<Observed>) -> bool {
        Arc::ptr_eq(&self.shared.observed.load(), observed)
    }

    /// Now on the arrival clock, in microseconds.
    pub fn now_us(&self) -> u64 {
        self.shared.clock.now_us()
    }

    /// How far that is ahead of the wall clock, in microseconds: it was set back while the server was down.
    pub fn ahead_us(&self) -> u64 {
        self.shared.clock.ahead_us()
    }

    /// Where an input stood after the last of its events that are kept.
    pub fn positions(&self, input: &str) -> Vec<Position> {
        // Where somebody panicked who held the core: whoever starts inputs waits until it is there again.
        self.shared.core().map_or_else(|_poisoned| Vec::new(), |core| core.kept.positions.of(input))
    }

    /// Takes room for events that will be sent.
    pub fn reserve(&self, load: Load) -> Result<Reservation, Refused> {
        if self.shared.figures.journal.is_failing() {
            return Err(Refused::Unwritable);
        }
        let reserved = self.shared.room.reserve(load);
        if reserved.is_err() {
            self.shared.figures.overloaded.fetch_add(1, Ordering::Relaxed);
        }
        reserved
    }

    /// A request with events was answered that it should come again later: what it held may never do so.
    pub fn refused(&self) {
        self.shared.refusals.note(self.shared.clock.now_us());
    }

    /// Takes room for events that will be sent, as soon as there is some.
    pub(super) async fn room(&self, load: Load) -> Result<Reservation, Refused> {
        let mut ended = self.shared.ended.subscribe();
        tokio::select! {
            reservation = self.shared.room.wait(load) => Ok(reservation),
            _ = ended.wait_for(|&ended| ended) => Err(Refused::Stopped),
        }
    }

    /// Asks the owner, as soon as not too many wait for it.
    pub(super) async fn ask(&self, mut query: Query) -> Result<(), Refused> {
        while let Err(back) = self.shared.mailbox.ask(query) {
            if *self.shared.ended.borrow() {
                return Err(Refused::Stopped);
            }
            query = back;
            tokio::time::sleep(ASK_AGAIN).await;
        }
        Ok(())
    }

    /// Correlates a few events at once that were parsed with `by`, on the calling thread, where nobody holds
    /// the core and nothing waits; gives them back where that is not so. Answers how many were not taken
    /// because their nodes are gone.
    pub(super) fn take_now(
        &self,
        reports: Vec<Report>,
        by: &Arc<Observed>,
        unknown: Vec<String>,
    ) -> Result<usize, TooBusy> {
        let shared = &*self.shared;
        let few = reports.len() + unknown.len() <= NOW_MAX;
        if !few || shared.journal.is_some() || shared.room.is_taken() {
            return Err(TooBusy { reports, unknown });
        }
        match shared.core.try_lock() {
            Ok(mut core) if !core.closed => {
                let stretch = (reports.len(), by.http, by);
                let gone = core.take(shared, reports, [stretch], unknown, None).len();
                if let Some(wake_us) = core.wakes_early_us(shared) {
                    // It has been told: once is enough until it looks.
                    core.watched_us = wake_us;
                    drop(core);
                    shared.mailbox.nudge();
                }
                Ok(gone)
            }
            // Where it is closed, or somebody panicked who held it, the mailbox says so.
            Ok(_) | Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => Err(TooBusy { reports, unknown }),
        }
    }

    /// The server begins to stop: from now on not everybody who has something to report is heard.
    pub fn closing(&self) {
        self.shared.mailbox.closing();
    }

    /// Whether what happens is kept.
    pub(super) fn has_journal(&self) -> bool {
        self.shared.journal.is_some()
    }

    /// Hands a batch to the owner. With a journal it has arrived now; without one it arrives when the owner takes it.
    pub fn send(&self, batch: Batch) -> Result<(), Refused> {
        self.shared.mailbox.send(batch)
    }

    /// One edge with its window and fails, as it is now; none where there is no such edge any more.
    pub async fn edge(&self, stream: &str, from: &str, to: &str) -> Result<Option<EdgeDetail>, Refused> {
        let (answer, answered) = oneshot::channel();
        let (stream, from, to) = (stream.to_owned(), from.to_owned(), to.to_owned());
        self.shared.mailbox.ask(Query::Edge { stream, from, to, answer }).or(Err(Refused::Overloaded))?;
        answered.await.or(Err(Refused::Stopped))
    }

    /// Goes on with another manifest; it is in force, and on the board, when this is ready.
    pub async fn reload(&self, system: Arc<System>) -> Result<(), Refused> {
        let (answer, answered) = oneshot::channel();
        let observed = Observed::new(system);
        self.shared.mailbox.ask(Query::Reload { observed, answer }).or(Err(Refused::Overloaded))?;
        answered.await.or(Err(Refused::Stopped))
    }

    /// Every change from now on, in order, with what names its places; a subscriber that falls too far
    /// behind loses the oldest. Alerts and the trail, which are not built yet, will listen here.
    pub fn transitions(&self) -> broadcast::Receiver<Changed> {
        self.shared.transitions.subscribe()
    }

    /// What waits for the owner now.
    pub fn waiting(&self) -> Load {
        self.shared.room.taken()
    }

    /// How often we did not run for a while: changes when it has happened again.
    pub(super) fn gaps(&self) -> watch::Receiver<u64> {
        self.shared.gaps.subscribe()
    }

    /// What the pipeline counts about itself.
    pub fn figures(&self) -> &Figures {
        &self.shared.figures
    }

    /// How the journal is; none without one.
    pub fn journal(&self) -> Option<JournalState> {
        self.shared.journal.as_ref()?;
        let figures = &self.shared.figures.journal;
        let state = match (figures.is_failing(), figures.hangs.load(Ordering::Relaxed)) {
            (true, _) => Writable::Failing,
            (false, true) => Writable::Stalled,
            (false, false) => Writable::Ok,
        };
        let files = figures.files();
        Some(JournalState {
            state,
            error: figures.error(),
            snapshot_us: files.as_ref().and_then(|files| files.newest_snapshot_us()),
            files: files.as_ref().map(|files| (files.segments(), files.bytes())),
            synced_us: Some(figures.synced_us.load(Ordering::Relaxed)).filter(|&synced_us| synced_us > 0),
        })
    }

    /// Whether what is sent now would be kept, where it should be.
    pub fn is_keeping(&self) -> bool {
        let figures = &self.shared.figures.journal;
        !figures.is_failing() && !figures.hangs.load(Ordering::Relaxed)
    }

    /// Whether the owner works: it has not panicked, and showed a sign of life lately.
    pub fn is_alive(&self) -> bool {
        let figures = &self.shared.figures;
        let hangs = self.now_us() > figures.beat_us.load(Ordering::Relaxed) + HANG_US;
        !hangs && !figures.dead.load(Ordering::Relaxed)
    }

    /// Whether the owner has ended.
    pub fn has_ended(&self) -> bool {
        *self.shared.ended.borrow()
    }

    /// Ready when the owner has ended; `true` where it panicked.
    pub async fn ended(&self) -> bool {
        let mut ended = self.shared.ended.subscribe();
        drop(ended.wait_for(|&ended| ended).await);
        self.shared.figures.dead.load(Ordering::Relaxed)
    }
}
