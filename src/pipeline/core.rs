//! The core, with what is on the board and what is not yet: one at a time holds it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::{info, warn};

use super::handle::Shared;
use super::observed::{Observed, translate, translate_input};
use super::port::News;
use super::query::Query;
use super::senders::Senders;
use super::told::Told;
use crate::board::Board;
use crate::clock::SECOND_US;
use crate::engine::{Engine, Entry};
use crate::event::{Event, Report};
use crate::graph::{InputId, InputState, System};
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
/// Where nobody has looked around for longer than this, we did not run: stopped, suspended, or kept from it. What is
/// shorter is within what `grace` is for.
const STALL_US: u64 = 2 * SECOND_US;

/// The engine, and what nobody but its holder needs.
pub(super) struct Core {
    engine: Engine,
    observed: Arc<Observed>,
    senders: Senders,
    told: Told,
    /// When the last entry happened.
    advanced_us: u64,
    /// When somebody who held this last looked around.
    awake_us: u64,
    /// Whether requests with events were refused of late.
    refusing: bool,
    /// Room for the events of the next one.
    events: Vec<Event>,
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
    pub(super) fn new(engine: Engine, observed: Arc<Observed>, now_us: u64) -> Self {
        let showing = Showing { at_us: now_us, cost_us: 0, outcomes: 0, unseen_us: None, changed: false };
        Self {
            engine,
            observed,
            senders: Senders::default(),
            told: Told::default(),
            advanced_us: now_us,
            awake_us: now_us,
            refusing: false,
            events: Vec::new(),
            showing,
            watched_us: now_us,
            closed: false,
        }
    }

    /// The one door to the engine: whatever happens to it passes here, in order. Answers the changes
    /// until now where a reload gives what they name other places.
    fn happen(&mut self, shared: &Shared, entry: &Entry, now_us: u64) -> Vec<Transition> {
        self.look_around(shared, now_us);
        self.enter(entry, now_us)
    }

    fn enter(&mut self, entry: &Entry, now_us: u64) -> Vec<Transition> {
        self.note_due(now_us);
        self.advanced_us = now_us;
        self.engine.apply(entry, now_us)
    }

    /// Notes what kept us from taking events since anybody looked: it goes before what happens now.
    pub(super) fn look_around(&mut self, shared: &Shared, now_us: u64) {
        let awake_us = std::mem::replace(&mut self.awake_us, now_us);
        if now_us > awake_us + STALL_US {
            self.enter(&Entry::Gap { from_us: awake_us, until_us: now_us }, now_us);
            shared.figures.gaps.fetch_add(1, Ordering::Relaxed);
            shared.gaps.send_modify(|gaps| *gaps += 1);
            let ms = (now_us - awake_us) / 1_000;
            warn!(subsystem = "correlator", ms, "the server did not run for a while: what came then is not judged");
        }
        if let Some(first_us) = shared.refusals.take_first() {
            self.refuse(shared, first_us.clamp(self.advanced_us, now_us));
        } else if self.refusing && shared.refusals.is_over(now_us) {
            self.refusing = false;
            self.showing.changed = true;
            self.enter(&Entry::Input { input: self.observed.http, state: InputState::Up }, now_us);
            info!(subsystem = "input.http", "events are taken again");
        }
    }

    /// Requests with events are refused since a moment.
    fn refuse(&mut self, shared: &Shared, since_us: u64) {
        if std::mem::replace(&mut self.refusing, true) {
            return;
        }
        self.showing.changed = true;
        self.enter(&Entry::Input { input: self.observed.http, state: InputState::Down }, since_us);
        let waiting = shared.room.taken().events;
        warn!(subsystem = "input.http", waiting, "events are refused: more come than can be judged");
        if let Some(http) = self.observed.system.inputs.get(usize::from(self.observed.http.0)) {
            self.told.error(&http.name, "events were refused: more came than could be judged", since_us);
        }
    }

    /// When there is something to do though nobody sends anything.
    pub(super) fn wake_us(&mut self) -> u64 {
        let due_us = self.engine.next_due_us().map_or(u64::MAX, |due| due.saturating_add(1));
        due_us.max(self.advanced_us + DUE_EVERY_US).min(self.showing.due_us()).min(self.awake_us + LOOK_EVERY_US)
    }

    /// Correlates events; they arrive now, and have waited for that since `sent_us`, where they have.
    /// `stretches`: what so many of them, one after the other, were parsed with. Gives the places of those
    /// that were not taken, because their nodes are gone.
    pub(super) fn take<'a>(
        &mut self,
        shared: &Shared,
        reports: Vec<Report>,
        stretches: impl IntoIterator<Item = (usize, InputId, &'a Arc<Observed>)>,
        unknown: Vec<String>,
        sent_us: Option<u64>,
    ) -> Vec<usize> {
        let arrival_us = shared.clock.now_us();
        let mut events = std::mem::take(&mut self.events);
        let mut gone = Vec::new();
        let mut reports = reports.into_iter().enumerate();
        for (count, input, by) in stretches {
            let now = Arc::ptr_eq(by, &self.observed);
            let input = if now { input } else { translate_input(input, by, &self.observed) };
            for (place, mut report) in reports.by_ref().take(count) {
                if !now && let Err(name) = translate(&mut report, by, &self.observed) {
                    if self.observed.system.accept_unknown {
                        self.senders.count(name.to_owned());
                    } else {
                        gone.push(place);
                    }
                    continue;
                }
                events.push(report.arrive(input, arrival_us));
            }
        }
        for name in unknown {
            self.senders.count(name);
        }
        let entry = Entry::Events(events);
        self.happen(shared, &entry, arrival_us);
        if let Entry::Events(mut events) = entry {
            events.clear();
            self.events = events;
        }
        self.showing.unseen(sent_us.unwrap_or(arrival_us));
        self.tell_transitions(shared);
        gone
    }

    /// Judges what is due by now.
    pub(super) fn work_off_due(&mut self, shared: &Shared) {
        let now_us = shared.clock.now_us();
        self.look_around(shared, now_us);
        if self.engine.next_due_us().is_some_and(|due_us| now_us > due_us) {
            self.beat(shared, now_us);
        }
    }

    /// Lets time pass.
    fn beat(&mut self, shared: &Shared, now_us: u64) {
        self.happen(shared, &Entry::Beat, now_us);
        self.tell_transitions(shared);
    }

    /// What falls due by now is not on the board yet.
    fn note_due(&mut self, now_us: u64) {
        if let Some(due_us) = self.engine.next_due_us().filter(|&due_us| now_us > due_us) {
            self.showing.unseen(due_us);
        }
    }

    /// Answers a question.
    pub(super) fn answer(&mut self, shared: &Shared, query: Query) {
        match query {
            Query::Edge { stream, from, to, answer } => {
                self.beat(shared, shared.clock.now_us());
                let found = self.engine.find_edge(&stream, &from, &to);
                let detail = found.and_then(|(stream, edge)| self.engine.edge_detail(stream, edge));
                // Whoever asked may have gone away.
                drop(answer.send(detail));
            }
            Query::Input { name, news, answer } => {
                self.hear_of(shared, &name, news);
                answer.send(()).unwrap_or_default();
            }
            Query::Reload { observed, answer } => {
                self.reload(shared, observed);
                // It is in force, whether anybody waits for it or not.
                answer.send(()).unwrap_or_default();
            }
        }
    }

    /// An input tells how it is.
    fn hear_of(&mut self, shared: &Shared, name: &str, news: News) {
        let now_us = shared.clock.now_us();
        self.happen(shared, &Entry::Input { input: self.observed.input(name), state: news.state }, now_us);
        self.told.take(name, news, now_us);
        self.showing.changed = true;
        self.tell_transitions(shared);
    }

    /// Goes on with another system, and shows it at once. What has changed until now is told with the old
    /// one, which names its places.
    fn reload(&mut self, shared: &Shared, observed: Arc<Observed>) {
        let now_us = shared.clock.now_us();
        let transitions = self.happen(shared, &Entry::Reload(Arc::clone(&observed.system)), now_us);
        self.tell(shared, transitions);
        shared.observed.store(Arc::clone(&observed));
        self.observed = observed;
        self.publish(shared);
    }

    /// Shows a new board where one is due.
    pub(super) fn publish_if_due(&mut self, shared: &Shared) {
        if shared.clock.now_us() >= self.showing.due_us() {
            self.publish(shared);
        }
    }

    /// Shows a new board.
    pub(super) fn publish(&mut self, shared: &Shared) {
        let begun_us = shared.clock.now_us();
        self.beat(shared, begun_us);
        let mut board = self.engine.board();
        board.unknown_senders = self.senders.list();
        self.told.fill(&mut board.inputs);
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
    fn tell_transitions(&mut self, shared: &Shared) {
        let transitions = self.engine.take_transitions();
        self.tell(shared, transitions);
    }

    fn tell(&mut self, shared: &Shared, transitions: Vec<Transition>) {
        for transition in transitions {
            self.showing.changed = true;
            log(&self.observed.system, &transition);
            // Nobody has to listen.
            drop(shared.transitions.send((Arc::clone(&self.observed), transition)));
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
