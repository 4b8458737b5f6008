//! What every worker's handlers share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::body::{Budget, Limits};
use super::problem::Problem;
use crate::board::{Board, StreamBoard};
use crate::clock::SECOND_US;
use crate::graph::{NodeIndex, System, nearest};
use crate::live::Live;
use crate::metrics::Metrics;
use crate::picture::{Layout, lay_out};
use crate::pipeline::Pipeline;

/// A complaint about push-back is logged at most this often.
const COMPLAIN_EVERY_US: u64 = 10 * SECOND_US;

/// Shared by all handlers of all workers.
pub struct State {
    /// The way to the boards and to the owner.
    pub pipeline: Pipeline,
    /// What is observed.
    pub system: Arc<System>,
    /// Finds nodes by name.
    pub nodes: NodeIndex,
    /// Everything that is exported.
    pub metrics: Arc<Metrics>,
    /// Those who watch streams live.
    pub live: Arc<Live>,
    /// What clients may take.
    pub limits: Limits,
    /// The memory that bodies take.
    pub(super) budget: Budget,
    /// Whether `POST /events` is served.
    pub http_enabled: bool,
    /// How often the page asks to be loaded again where the browser runs no script.
    pub refresh_us: u64,
    /// When the server was started, on the arrival clock.
    pub started_us: u64,
    /// The manifest is in force and the inputs have been started.
    ready: AtomicBool,
    complained_us: AtomicU64,
    /// By stream: its layout, made when it is first asked for and again when the graph has changed.
    layouts: Vec<Mutex<Option<Arc<Layout>>>>,
}

impl State {
    /// The state of a server that runs this pipeline.
    pub fn new(
        pipeline: Pipeline,
        system: Arc<System>,
        metrics: Arc<Metrics>,
        http_enabled: bool,
        refresh_us: u64,
    ) -> Self {
        Self {
            nodes: NodeIndex::new(&system),
            live: Live::new(pipeline.clone()),
            limits: Limits::default(),
            budget: Budget::default(),
            started_us: pipeline.now_us(),
            ready: AtomicBool::new(false),
            complained_us: AtomicU64::new(0),
            layouts: system.streams.iter().map(|_| Mutex::new(None)).collect(),
            pipeline,
            system,
            metrics,
            http_enabled,
            refresh_us,
        }
    }

    /// Says whether the server is ready.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// Whether the server is ready.
    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) && self.pipeline.is_alive()
    }

    /// The stream of this name on a board, and its index.
    pub(super) fn stream<'a>(board: &'a Board, name: &str) -> Result<(usize, &'a Arc<StreamBoard>), Problem> {
        let found = board.streams.iter().enumerate().find(|(_, stream)| stream.name == name);
        found.ok_or_else(|| {
            let names = board.streams.iter().map(|stream| stream.name.as_str());
            let meant = nearest(name, names).map(|meant| format!("; did you mean {meant:?}?")).unwrap_or_default();
            Problem::not_found(format!("there is no stream {name:?}{meant}"))
        })
    }

    /// The layout of a stream.
    pub(super) fn layout(&self, index: usize, stream: &StreamBoard) -> Arc<Layout> {
        let mut kept = self.layouts[index].lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(layout) if layout.fits(stream) => Arc::clone(layout),
            _ => Arc::clone(kept.insert(lay_out(stream))),
        }
    }

    /// Says in the log that senders are pushed back: now and then, not for each of them.
    pub(super) fn complain(&self) {
        let now_us = self.pipeline.now_us();
        let last_us = self.complained_us.load(Ordering::Relaxed);
        if now_us >= last_us + COMPLAIN_EVERY_US || last_us == 0 {
            self.complained_us.store(now_us, Ordering::Relaxed);
            let waiting = self.pipeline.waiting();
            tracing::warn!(
                subsystem = "input.http",
                waiting_events = waiting.events,
                waiting_bytes = waiting.bytes,
                "events come faster than they can be judged: senders are asked to try again later"
            );
        }
    }
}
