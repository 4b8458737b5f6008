//! The owner: the one thread that holds the core.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::{info, warn};

use super::handle::Shared;
use super::intake::Batch;
use super::observed::{Observed, translate};
use super::query::Query;
use super::senders::Senders;
use crate::board::Board;
use crate::clock::SECOND_US;
use crate::engine::Engine;
use crate::graph::System;
use crate::outcome::{Change, Status, Subject, Transition};

/// Between two boards there is this long at least.
const PAUSE_US: u64 = 10_000;
/// A change of status is on the board after this long at most.
const CHANGE_US: u64 = 50_000;
/// Mere numbers are on the board after this long at most, and an idle owner shows that it lives.
const REFRESH_US: u64 = SECOND_US;
/// Of the owner's time at most one part in this goes into boards that show mere numbers.
const BOARD_SHARE: u64 = 50;
/// What falls due is worked off at most this often, so that a thousand tokens a second do not
/// become a thousand wake-ups.
const DUE_EVERY_US: u64 = 5_000;

/// Owns the core; nobody else touches it.
pub(super) struct Owner {
    engine: Engine,
    observed: Arc<Observed>,
    shared: Arc<Shared>,
    senders: Senders,
    /// When the core was last advanced.
    advanced_us: u64,
    showing: Showing,
}

/// What is on the board and what is not yet.
struct Showing {
    /// When the board was published.
    at_us: u64,
    /// How long it took to make.
    cost_us: u64,
    /// Outcomes on it.
    outcomes: u64,
    /// The oldest arrival or deadline that is not on it.
    unseen_us: Option<u64>,
    /// A status changed that is not on it.
    changed: bool,
}

impl Showing {
    /// When the next board is due.
    fn due_us(&self) -> u64 {
        let pause_us = match self.unseen_us {
            _ if self.changed => (self.cost_us * BOARD_SHARE).clamp(PAUSE_US, CHANGE_US),
            Some(_) => (self.cost_us * BOARD_SHARE).clamp(PAUSE_US, REFRESH_US),
            None => REFRESH_US,
        };
        self.at_us + pause_us
    }

    fn unseen(&mut self, since_us: u64) {
        self.unseen_us = Some(self.unseen_us.map_or(since_us, |oldest| oldest.min(since_us)));
    }
}

impl Owner {
    pub(super) fn new(engine: Engine, observed: Arc<Observed>, shared: Arc<Shared>, now_us: u64) -> Self {
        let showing = Showing { at_us: now_us, cost_us: 0, outcomes: 0, unseen_us: None, changed: false };
        Self { engine, observed, shared, senders: Senders::default(), advanced_us: now_us, showing }
    }

    /// Works until it is told to stop; a panic is caught, and told by `dead`.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        if catch_unwind(AssertUnwindSafe(|| self.work())).is_err() {
            shared.figures.dead.store(true, Ordering::Relaxed);
            tracing::error!(subsystem = "correlator", "the correlator panicked: nothing is judged any more");
        }
        shared.mailbox.close();
        shared.ended.send_replace(true);
    }

    fn work(&mut self) {
        loop {
            let patience_us = self.wake_us().saturating_sub(self.shared.clock.now_us());
            let work = self.shared.mailbox.take(Duration::from_micros(patience_us));
            let now_us = self.shared.clock.now_us();
            self.shared.figures.beat_us.store(now_us, Ordering::Relaxed);
            // Here a journal takes all batches, with their arrival, and syncs once.
            for batch in work.batches {
                self.take(batch);
            }
            self.work_off_due();
            for query in work.queries {
                self.answer(query);
            }
            if work.stop {
                self.publish();
                return;
            }
            self.publish_if_due();
        }
    }

    /// When there is something to do though nobody sends anything.
    fn wake_us(&mut self) -> u64 {
        let due_us = self.engine.next_due_us().map_or(u64::MAX, |due| due.saturating_add(1));
        due_us.max(self.advanced_us + DUE_EVERY_US).min(self.showing.due_us())
    }

    /// Correlates a batch and acknowledges it.
    fn take(&mut self, batch: Batch) {
        let arrival_us = self.shared.clock.now_us();
        self.note_due(arrival_us);
        let mut gone = Vec::new();
        let mut reports = batch.reports.into_iter().enumerate();
        for stretch in &batch.stretches {
            let now = Arc::ptr_eq(&stretch.by, &self.observed);
            for (place, mut report) in reports.by_ref().take(stretch.events) {
                if !now && let Err(name) = translate(&mut report, &stretch.by, &self.observed) {
                    if self.observed.system.accept_unknown {
                        self.senders.count(name.to_owned());
                    } else {
                        gone.push(place);
                    }
                    continue;
                }
                self.engine.accept(&report.arrive(arrival_us), arrival_us);
            }
        }
        for name in batch.unknown {
            self.senders.count(name);
        }
        self.advanced_us = arrival_us;
        self.showing.unseen(batch.sent_us);
        self.tell_transitions();
        self.publish_if_due();
        drop(batch.room);
        // The sender may have gone away; what it sent has counted all the same.
        drop(batch.done.send(gone));
    }

    fn work_off_due(&mut self) {
        let now_us = self.shared.clock.now_us();
        if self.engine.next_due_us().is_some_and(|due_us| now_us > due_us) {
            self.note_due(now_us);
            self.engine.advance(now_us);
            self.advanced_us = now_us;
            self.tell_transitions();
        }
    }

    /// What falls due by now is not on the board yet.
    fn note_due(&mut self, now_us: u64) {
        if let Some(due_us) = self.engine.next_due_us().filter(|&due_us| now_us > due_us) {
            self.showing.unseen(due_us);
        }
    }

    fn answer(&mut self, query: Query) {
        match query {
            Query::Edge { stream, from, to, answer } => {
                let now_us = self.shared.clock.now_us();
                let found = self.observed.edge(&stream, &from, &to);
                let detail = found.map(|(stream, edge)| self.engine.edge_detail(stream, edge, now_us));
                // Whoever asked may have gone away.
                drop(answer.send(detail));
                self.tell_transitions();
            }
            Query::Reload { observed, answer } => {
                self.reload(observed);
                // It is in force, whether anybody waits for it or not.
                answer.send(()).unwrap_or_default();
            }
        }
    }

    /// Goes on with another system, and shows it at once. What has changed until now is told with the old
    /// one, which names its places.
    fn reload(&mut self, observed: Arc<Observed>) {
        let now_us = self.shared.clock.now_us();
        self.note_due(now_us);
        let transitions = self.engine.reload(Arc::clone(&observed.system), now_us);
        self.tell(transitions);
        self.advanced_us = now_us;
        self.shared.observed.store(Arc::clone(&observed));
        self.observed = observed;
        self.publish();
    }

    fn publish_if_due(&mut self) {
        if self.shared.clock.now_us() >= self.showing.due_us() {
            self.publish();
        }
    }

    fn publish(&mut self) {
        let begun_us = self.shared.clock.now_us();
        let mut board = self.engine.board(begun_us);
        self.tell_transitions();
        board.unknown_senders = self.senders.list();
        let outcomes = outcomes(&board);
        self.shared.board.store(Arc::new(board));
        let now_us = self.shared.clock.now_us();
        let figures = &self.shared.figures;
        figures.boards.fetch_add(1, Ordering::Relaxed);
        let new = outcomes.saturating_sub(self.showing.outcomes);
        if new > 0 {
            let since_us = self.showing.unseen_us.unwrap_or(begun_us);
            figures.verdict_delay.observe(now_us.saturating_sub(since_us), new);
        }
        let cost_us = now_us.saturating_sub(begun_us);
        self.showing = Showing { at_us: now_us, cost_us, outcomes, unseen_us: None, changed: false };
    }

    /// Tells everybody who listens what has changed; the log is told here.
    fn tell_transitions(&mut self) {
        let transitions = self.engine.take_transitions();
        self.tell(transitions);
    }

    fn tell(&mut self, transitions: Vec<Transition>) {
        for transition in transitions {
            self.showing.changed = true;
            log(&self.observed.system, &transition);
            // Nobody has to listen.
            drop(self.shared.transitions.send((Arc::clone(&self.observed), transition)));
        }
    }
}

/// First judgements on a board.
fn outcomes(board: &Board) -> u64 {
    let edges = board.streams.iter().flat_map(|stream| &stream.edges);
    edges.map(|edge| edge.counters.outcomes.iter().sum::<u64>()).sum()
}

/// One line for a change that people act on.
fn log(system: &System, transition: &Transition) {
    let stream = &system.streams[transition.stream];
    let node = |place: usize| system.nodes[stream.nodes[place].id.0 as usize].as_str();
    let (from, to) = match transition.subject {
        Subject::Edge(edge) => (node(stream.edges[edge].from), Some(node(stream.edges[edge].to))),
        Subject::Node(place) => (node(place), None),
    };
    let stream = stream.name.as_str();
    match (transition.change, to) {
        (Change::Status { .. }, _) => {}
        (Change::Held { from: was, to: is }, _) => {
            let bad = is >= Status::Warn;
            let (was, is) = (was.name(), is.name());
            if bad {
                warn!(subsystem = "health", stream, from, to, was, is, "the edge's held status changed");
            } else {
                info!(subsystem = "health", stream, from, to, was, is, "the edge's held status changed");
            }
        }
        (Change::Silent(true), Some(to)) => warn!(subsystem = "health", stream, from, to, "the edge fell silent"),
        (Change::Silent(false), Some(to)) => info!(subsystem = "health", stream, from, to, "the edge is heard again"),
        (Change::Silent(true), None) => warn!(subsystem = "health", stream, node = from, "the node fell silent"),
        (Change::Silent(false), None) => info!(subsystem = "health", stream, node = from, "the node is heard again"),
    }
}
