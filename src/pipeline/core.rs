//! The core, with what is on the board and what is not yet: one at a time holds it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::{info, warn};

use super::front::Front;
use super::handle::Shared;
use super::observed::Observed;
use super::query::Query;
use crate::board::{Board, EdgeDetail};
use crate::clock::SECOND_US;
use crate::event::Report;
use crate::graph::{InputId, System};
use crate::journal::{Happening, Kept};
use crate::outcome::{Change, Status, Subject, Transition};

/// Between two boards there is this long at least.
const PAUSE_US: u64 = 20_000;
/// A change of status is on the board after this long at most.
const CHANGE_US: u64 = 50_000;
/// Mere numbers are on the board after this long at most, and an idle owner shows that it lives.
const REFRESH_US: u64 = SECOND_US;
/// Of the time at most one part in this goes into boards that show mere numbers.
const BOARD_SHARE: u64 = 50;
/// What falls due is worked off at most this often, so that a thousand tokens a second do not
/// become a thousand wake-ups.
const DUE_EVERY_US: u64 = 5_000;
/// The owner looks around this often, even where nothing is to do.
const LOOK_EVERY_US: u64 = SECOND_US / 2;

/// A change, with what names its places and the record that made it.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The sequence of the journal's record; 0 without a journal.
    pub sequence: u64,
    /// What was observed.
    pub observed: Arc<Observed>,
    /// What changed.
    pub transition: Transition,
}

/// What is kept, and what nobody but its holder needs.
pub(super) struct Core {
    pub(super) kept: Kept,
    /// What is observed now.
    observed: Arc<Observed>,
    /// What will happen.
    pub(super) front: Front,
    showing: Showing,
    /// When the owner's thread will look again.
    pub(super) watched_us: u64,
    /// Nobody watches any more: what is taken now would never be judged.
    pub(super) closed: bool,
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

impl Core {
    /// `board`: what is shown of it at first.
    pub(super) fn new(kept: Kept, observed: Arc<Observed>, board: &Board, now_us: u64) -> Self {
        let outcomes = outcomes(board);
        let showing = Showing { at_us: now_us, cost_us: 0, outcomes, unseen_us: None, changed: false };
        let front = Front::new(Arc::clone(&observed), kept.engine.now_us());
        Self { kept, observed, front, showing, watched_us: now_us, closed: false }
    }

    /// What is observed now.
    pub(super) fn observed(&self) -> &Arc<Observed> {
        &self.observed
    }

    /// What is listed happens.
    pub(super) fn happen(&mut self, shared: &Shared) {
        let mut listed = self.front.take();
        for happening in listed.drain(..) {
            self.apply(shared, &happening, 0);
            self.front.recycle(happening);
        }
        self.front.recycle_list(listed);
    }

    /// The next of the list happens. It has this sequence in the journal.
    pub(super) fn apply(&mut self, shared: &Shared, happening: &Happening, sequence: u64) {
        self.note_due(happening.now_us);
        let changes = self.kept.apply(happening);
        self.tell(shared, sequence, changes.before);
        match &happening.entry {
            crate::engine::Entry::Reload(_) => {
                if let Some(observed) = self.front.reloads.pop_front() {
                    shared.observed.store(Arc::clone(&observed));
                    self.observed = observed;
                }
                self.showing.changed = true;
            }
            crate::engine::Entry::Input { .. } => self.showing.changed = true,
            _ => {}
        }
        self.tell(shared, sequence, changes.now);
    }

    /// [`Self::wake_us`], if it is earlier than the owner's thread will look again. Most of the time that is known
    /// without a look at what is due.
    pub(super) fn wakes_early_us(&mut self, shared: &Shared) -> Option<u64> {
        let soonest_us =
            (self.front.listed_us + DUE_EVERY_US).min(self.showing.due_us()).min(self.front.awake_us + LOOK_EVERY_US);
        if soonest_us >= self.watched_us {
            return None;
        }
        Some(self.wake_us(shared)).filter(|&wake_us| wake_us < self.watched_us)
    }

    /// When there is something to do though nobody sends anything, where all that happens counts at once.
    pub(super) fn wake_us(&mut self, shared: &Shared) -> u64 {
        if shared.mailbox.is_closing() {
            return self.showing.due_us();
        }
        self.due_us().min(self.showing.due_us()).min(self.look_us())
    }

    /// When somebody must look around, so that we know that we ran.
    pub(super) fn look_us(&self) -> u64 {
        self.front.awake_us + LOOK_EVERY_US
    }

    /// When something falls due, or a little later.
    pub(super) fn due_us(&mut self) -> u64 {
        let due_us = self.kept.engine.next_due_us().map_or(u64::MAX, |due| due.saturating_add(1));
        due_us.max(self.front.listed_us + DUE_EVERY_US)
    }

    /// When the next board is due.
    pub(super) fn board_due_us(&self) -> u64 {
        self.showing.due_us()
    }

    /// The moment of what happens now, where all that happens counts at once: never before what has happened.
    fn now_us(&self, shared: &Shared) -> u64 {
        shared.mailbox.now_us().max(self.front.listed_us)
    }

    /// Correlates events; they arrive now, and have waited for that since `sent_us`, where they have. Gives the places of
    /// those that were not taken, because their nodes are gone.
    pub(super) fn take<'a>(
        &mut self,
        shared: &Shared,
        reports: Vec<Report>,
        stretches: impl IntoIterator<Item = (usize, InputId, &'a Arc<Observed>)>,
        unknown: Vec<String>,
        sent_us: Option<u64>,
    ) -> Vec<usize> {
        let now_us = self.now_us(shared);
        self.front.look_around(shared, now_us);
        let gone = self.front.list_events(reports, stretches, unknown, None, (now_us, 0));
        self.note_sent(sent_us.unwrap_or(now_us));
        self.happen(shared);
        gone
    }

    /// Events that were sent then will be on the next board.
    pub(super) fn note_sent(&mut self, sent_us: u64) {
        self.showing.unseen(sent_us);
    }

    /// Judges what is due by now.
    pub(super) fn work_off_due(&mut self, shared: &Shared) {
        let now_us = self.now_us(shared);
        self.front.look_around(shared, now_us);
        if self.kept.engine.next_due_us().is_some_and(|due_us| now_us > due_us) {
            self.front.list_beat(now_us);
        }
        self.happen(shared);
    }

    /// Lets time pass.
    pub(super) fn beat(&mut self, shared: &Shared) {
        let now_us = self.now_us(shared);
        self.front.look_around(shared, now_us);
        self.front.list_beat(now_us);
        self.happen(shared);
    }

    /// What falls due by now is not on the board yet.
    fn note_due(&mut self, now_us: u64) {
        if let Some(due_us) = self.kept.engine.next_due_us().filter(|&due_us| now_us > due_us) {
            self.showing.unseen(due_us);
        }
    }

    /// One edge, as it was when the last of the list happened.
    pub(super) fn edge(&mut self, stream: &str, from: &str, to: &str) -> Option<EdgeDetail> {
        let (stream, edge) = self.kept.engine.find_edge(stream, from, to)?;
        self.kept.engine.edge_detail(stream, edge)
    }

    /// Answers a question, where all that happens counts at once.
    pub(super) fn answer(&mut self, shared: &Shared, query: Query) {
        let now_us = self.now_us(shared);
        match query {
            Query::Edge { stream, from, to, answer } => {
                self.beat(shared);
                // Whoever asked may have gone away.
                drop(answer.send(self.edge(&stream, &from, &to)));
            }
            Query::Input { name, news, gaps } => {
                self.front.look_around(shared, now_us);
                self.front.list_news(shared, &name, news, gaps, now_us);
                self.happen(shared);
            }
            Query::Reload { observed, answer } => {
                self.front.look_around(shared, now_us);
                self.front.list_reload(observed, now_us);
                self.happen(shared);
                self.publish(shared);
                // It is in force, whether anybody waits for it or not.
                answer.send(()).unwrap_or_default();
            }
        }
    }

    /// We take no events from now on, but go on judging.
    pub(super) fn pause(&mut self, shared: &Shared, sequence: u64) {
        self.kept.engine.pause(self.kept.engine.now_us());
        self.tell_now(shared, sequence);
    }

    /// Judges what is due by a moment while no events are taken.
    pub(super) fn judge_paused(&mut self, shared: &Shared, now_us: u64, sequence: u64) {
        self.note_due(now_us);
        self.kept.engine.advance(now_us);
        self.tell_now(shared, sequence);
    }

    /// We take events again.
    pub(super) fn resume(&mut self, shared: &Shared, now_us: u64, sequence: u64) {
        self.note_due(now_us);
        self.kept.engine.resume(now_us);
        self.tell_now(shared, sequence);
    }

    fn tell_now(&mut self, shared: &Shared, sequence: u64) {
        let transitions = self.kept.engine.take_transitions();
        self.showing.changed = true;
        self.tell(shared, sequence, transitions);
    }

    /// Shows a new board where one is due, where all that happens counts at once.
    pub(super) fn publish_if_due(&mut self, shared: &Shared) {
        if shared.clock.now_us() >= self.showing.due_us() {
            self.beat(shared);
            self.publish(shared);
        }
    }

    /// Shows a new board where one is due, of the moment of what happened last.
    pub(super) fn show_if_due(&mut self, shared: &Shared) {
        if shared.clock.now_us() >= self.showing.due_us() {
            self.publish(shared);
        }
    }

    /// Shows a new board.
    pub(super) fn publish(&mut self, shared: &Shared) {
        let begun_us = shared.clock.now_us();
        let board = self.kept.board();
        let outcomes = outcomes(&board);
        shared.board.store(Arc::new(board));
        shared.shown.send_replace(());
        let now_us = shared.clock.now_us();
        let figures = &shared.figures;
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
    fn tell(&mut self, shared: &Shared, sequence: u64, transitions: Vec<Transition>) {
        for transition in transitions {
            self.showing.changed = true;
            log(&self.observed.system, &transition);
            // Nobody has to listen.
            let told = Changed { sequence, observed: Arc::clone(&self.observed), transition };
            drop(shared.transitions.send(told));
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
        Subject::Edge(edge) => {
            // Edges that traffic has shown make no transitions, and are not declared.
            let Some(edge) = stream.edges.get(edge) else { return };
            (node(edge.from), Some(node(edge.to)))
        }
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
