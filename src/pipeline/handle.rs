//! The door to the pipeline: what inputs, pages and metrics hold of it.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, oneshot, watch};

use super::figures::Figures;
use super::intake::{Batch, Load, Refused, Reservation, Room};
use super::mailbox::Mailbox;
use super::observed::Observed;
use super::owner::Owner;
use super::query::Query;
use crate::board::{Board, EdgeDetail};
use crate::clock::{Clock, SECOND_US};
use crate::engine::Engine;
use crate::graph::System;
use crate::outcome::Transition;

/// Transitions that a slow subscriber may be behind before it loses the oldest.
const TRANSITIONS_MAX: usize = 4096;
/// An owner that has not shown a sign of life for this long hangs.
const HANG_US: u64 = 5 * SECOND_US;

/// A handle to the owner of the core; cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    shared: Arc<Shared>,
}

/// What the owner and the holders of handles share.
pub(super) struct Shared {
    pub(super) mailbox: Mailbox,
    pub(super) board: ArcSwap<Board>,
    pub(super) observed: ArcSwap<Observed>,
    pub(super) figures: Figures,
    pub(super) transitions: broadcast::Sender<(Arc<Observed>, Transition)>,
    /// Turns true when the owner has ended, by order or not.
    pub(super) ended: watch::Sender<bool>,
    pub(super) clock: Arc<dyn Clock>,
    room: Arc<Room>,
}

/// What a pipeline is made of.
pub struct Start {
    /// What is observed.
    pub system: Arc<System>,
    /// The arrival clock.
    pub clock: Arc<dyn Clock>,
}

/// A pipeline that runs; whoever holds this ends it.
pub struct Running {
    /// The door.
    pub pipeline: Pipeline,
    thread: JoinHandle<()>,
}

impl Start {
    /// Starts the owner's thread. The first board is there when this returns.
    pub fn run(self) -> io::Result<Running> {
        let now_us = self.clock.now_us();
        // Random keys, so that no sender can choose tokens that collide.
        let seed = (RandomState::new().hash_one(0_u8), RandomState::new().hash_one(1_u8));
        let mut engine = Engine::new(Arc::clone(&self.system), now_us, seed);
        let observed = Observed::new(self.system);
        let shared = Arc::new(Shared {
            mailbox: Mailbox::default(),
            board: ArcSwap::from_pointee(engine.board(now_us)),
            observed: ArcSwap::new(Arc::clone(&observed)),
            figures: Figures::default(),
            transitions: broadcast::channel(TRANSITIONS_MAX).0,
            ended: watch::channel(false).0,
            clock: self.clock,
            room: Arc::default(),
        });
        shared.figures.beat_us.store(now_us, Ordering::Relaxed);
        let owner = Owner::new(engine, observed, Arc::clone(&shared), now_us);
        let thread = std::thread::Builder::new().name("owner".to_owned()).spawn(move || owner.run())?;
        Ok(Running { pipeline: Pipeline { shared }, thread })
    }
}

impl Running {
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

    /// What is observed now: what events are parsed with.
    pub fn observed(&self) -> Arc<Observed> {
        self.shared.observed.load_full()
    }

    /// Now on the arrival clock, in microseconds.
    pub fn now_us(&self) -> u64 {
        self.shared.clock.now_us()
    }

    /// Takes room for events that will be sent.
    pub fn reserve(&self, load: Load) -> Result<Reservation, Refused> {
        let reserved = self.shared.room.reserve(load);
        if reserved.is_err() {
            self.shared.figures.overloaded.fetch_add(1, Ordering::Relaxed);
        }
        reserved
    }

    /// Hands a batch to the owner.
    pub fn send(&self, batch: Batch) -> Result<(), Refused> {
        self.shared.mailbox.send(batch).or(Err(Refused::Stopped))
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
    /// behind loses the oldest.
    pub fn transitions(&self) -> broadcast::Receiver<(Arc<Observed>, Transition)> {
        self.shared.transitions.subscribe()
    }

    /// What waits for the owner now.
    pub fn waiting(&self) -> Load {
        self.shared.room.taken()
    }

    /// What the pipeline counts about itself.
    pub fn figures(&self) -> &Figures {
        &self.shared.figures
    }

    /// Whether the owner works: it has not panicked, and showed a sign of life lately.
    pub fn is_alive(&self) -> bool {
        let figures = &self.shared.figures;
        let hangs = self.now_us() > figures.beat_us.load(Ordering::Relaxed) + HANG_US;
        !hangs && !figures.dead.load(Ordering::Relaxed)
    }

    /// Ready when the owner has ended; `true` where it panicked.
    pub async fn ended(&self) -> bool {
        let mut ended = self.shared.ended.subscribe();
        drop(ended.wait_for(|&ended| ended).await);
        self.shared.figures.dead.load(Ordering::Relaxed)
    }
}
