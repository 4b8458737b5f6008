//! A pipeline in this process with a journal on a disk that may fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use observatory::clock::{Clock, MonotonicClock};
use observatory::event::{Report, Token};
use observatory::graph::System;
use observatory::journal::{Begin, Line, Played, play};
use observatory::manifest::{Source, load};
use observatory::outcome::Ledger;
use observatory::pipeline::{Batch, Changed, Journal, Load, Pipeline, Position, Refused, Running, Start, Stretch};
use observatory::store::{Disk, Limits};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{broadcast, oneshot};

use crate::harness::wait_until;

pub(crate) fn system(manifest: &str) -> Arc<System> {
    Arc::new(load(&Source::Text("test.toml".to_owned(), manifest.to_owned())).unwrap().system)
}

/// The least that can be judged soon.
pub(crate) const ONE_EDGE: &str = r#"
grace = "500ms"
[[stream]]
name = "orders"
[[stream.edge]]
from = "web"
to = "books"
check = { within = "200ms", ok = 1, fail = 1 }
"#;

/// A queue that brings what a node reports.
pub(crate) fn queue(name: &str, node: &str) -> String {
    format!("[[input.amqp]]\nname = {name:?}\nnodes = [{node:?}]\nurl = \"amqp://localhost\"\nqueue = {name:?}\n")
}

pub(crate) const LIMITS: Limits = Limits { max_bytes: 1 << 30, max_age_us: u64::MAX };

/// A clock that the test moves; clones are the same.
#[derive(Clone)]
pub(crate) struct Hand {
    now_us: Arc<AtomicU64>,
}

impl Hand {
    pub(crate) fn new() -> Self {
        Self { now_us: Arc::new(AtomicU64::new(1_790_000_000_000_000)) }
    }

    /// Somebody sets it back.
    pub(crate) fn set_back_ms(&self, ms: u64) {
        self.now_us.fetch_sub(ms * 1_000, Ordering::SeqCst);
    }

    pub(crate) fn pass_ms(&self, ms: u64) {
        self.now_us.fetch_add(ms * 1_000, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now_us(&self) -> u64 {
        self.now_us.load(Ordering::SeqCst)
    }
}

/// A server without its sockets.
pub(crate) struct Node {
    running: Running,
    changes: broadcast::Receiver<Changed>,
}

impl Node {
    pub(crate) fn start(manifest: &str, disk: &(impl Disk + Clone + 'static)) -> Self {
        Self::start_with(manifest, disk, LIMITS)
    }

    pub(crate) fn start_with(manifest: &str, disk: &(impl Disk + Clone + 'static), limits: Limits) -> Self {
        let journal = Some(Journal { disk: Arc::new(disk.clone()), limits });
        let start = Start { system: system(manifest), clock: Arc::new(MonotonicClock::start()), journal };
        Self::of(start.run().unwrap())
    }

    pub(crate) fn of(running: Running) -> Self {
        let changes = running.pipeline.transitions();
        Self { running, changes }
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.running.pipeline
    }

    /// Reports that nodes saw tokens; ready when it is acknowledged or refused.
    pub(crate) fn push(
        &self,
        events: &[(&str, String)],
        positions: Option<(&str, Vec<Position>)>,
    ) -> Result<(), Refused> {
        let by = self.pipeline().observed();
        let report = |(node, token): &(&str, String)| Report {
            node: by.nodes.find(node).unwrap(),
            token: Token::new(token).unwrap(),
            timestamp_us: None,
            parent: None,
            alias: None,
        };
        let reports = events.iter().map(report).collect();
        let positions = positions.map(|(name, at)| (name.into(), at));
        hand_over(self.pipeline(), reports, positions)?.blocking_recv().unwrap_or(Err(Refused::Stopped)).map(drop)
    }

    pub(crate) fn ledger(&self, edge: usize) -> Ledger {
        self.pipeline().board().streams[0].edges[edge].ledger
    }

    /// Waits until the ledger of an edge is as it should be.
    pub(crate) fn wait_for(&self, what: &str, edge: usize, is: impl Fn(&Ledger) -> bool) -> Ledger {
        wait_until(what, || Some(self.ledger(edge)).filter(|ledger| is(ledger)))
    }

    /// Ends; answers the changes since the start, as lines, and what was shown last.
    pub(crate) fn stop(mut self) -> (Vec<String>, String) {
        let pipeline = self.pipeline().clone();
        self.running.stop();
        let mut lines = Vec::new();
        loop {
            match self.changes.try_recv() {
                Ok(Changed { sequence, observed, transition }) => {
                    let line = Line::new(sequence, &observed.system, &transition);
                    lines.push((sequence, serde_json::to_string(&line).unwrap()));
                }
                Err(TryRecvError::Lagged(missed)) => panic!("{missed} changes missed"),
                Err(_) => break,
            }
        }
        (lines.into_iter().map(|(_, line)| line).collect(), seen(&pipeline.board()))
    }
}

/// Hands events over as a request does, or, with positions, as an input that reads by itself; where they are not refused at
/// once, the answer follows.
pub(crate) fn hand_over(
    pipeline: &Pipeline,
    reports: Vec<Report>,
    positions: Option<(Arc<str>, Vec<Position>)>,
) -> Result<oneshot::Receiver<Result<Vec<usize>, Refused>>, Refused> {
    let by = pipeline.observed();
    let room = pipeline.reserve(Load::of(&reports, &[]))?;
    let stretches = vec![Stretch { events: reports.len(), input: by.http, by }];
    let (done, answer) = oneshot::channel();
    pipeline.send(Batch { reports, stretches, unknown: Vec::new(), positions, room, done })?;
    Ok(answer)
}

/// What a board shows, without what depends on the moment at which it is looked at.
pub(crate) fn seen(board: &observatory::board::Board) -> String {
    let streams = board.streams.iter().map(|stream| {
        let nodes = stream.nodes.iter().map(|node| format!("{} {:?} {}", node.name, node.state, node.events));
        let edges = stream.edges.iter().map(|edge| {
            let observatory::board::EdgeBoard { from, to, status, held, pass, total, ledger, discovered, .. } = edge;
            format!("{from} -> {to} {status} {held} {pass}/{total} {discovered} {ledger:?}")
        });
        nodes.chain(edges).collect::<Vec<_>>()
    });
    format!("{:#?} {}", streams.collect::<Vec<_>>(), board.tokens)
}

/// Judges the journal again, from the oldest snapshot; answers the changes as lines, too.
pub(crate) fn replay(disk: &dyn Disk) -> (Vec<String>, Played) {
    let mut lines = Vec::new();
    let played = play(disk, Begin::Oldest, None, (5, 6), |sequence, before, now, changes| {
        let named =
            changes.before.iter().map(|change| (before, change)).chain(changes.now.iter().map(|change| (now, change)));
        for (system, change) in named {
            lines.push(serde_json::to_string(&Line::new(sequence, system, change)).unwrap());
        }
    });
    (lines, played.unwrap())
}
