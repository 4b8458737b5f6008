//! What every worker's handlers share.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use actix_web::http::header::HeaderValue;
use arc_swap::ArcSwap;

use super::body::{Budget, Limits};
use super::front;
use super::gate::Gate;
use super::layouts::Layouts;
use super::manifest::ManifestState;
use super::problem::Problem;
use super::refused::Refused;
use super::tls::Certificate;
use crate::board::{Board, StreamBoard, Writable};
use crate::clock::{Moment, SECOND_US, duration_text};
use crate::graph::nearest;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::pipeline::{JournalState, Pipeline};

/// A complaint about push-back is logged at most this often.
const COMPLAIN_EVERY_US: u64 = 10 * SECOND_US;

/// What all workers share, held by one of them: it is held again without a count that all of them would write.
pub(super) type Local<T> = Rc<Arc<T>>;

/// Shared by all handlers of all workers.
pub struct State {
    /// The way to the boards, to the owner, and to what is observed now.
    pub pipeline: Pipeline,
    /// Everything that is exported.
    pub metrics: Arc<Metrics>,
    /// Those who watch streams live.
    pub live: Arc<Live>,
    /// Who may read and report.
    pub gate: Gate,
    /// What clients may take.
    pub limits: Limits,
    /// The memory that bodies take.
    pub(super) budget: Budget,
    /// Whether `POST /events` is served.
    pub http_enabled: bool,
    /// How often the page asks to be loaded again where the browser runs no script.
    refresh_us: AtomicU64,
    /// What has become of the manifest.
    manifest: ArcSwap<ManifestState>,
    /// When the server was started, on the arrival clock.
    pub started_us: u64,
    /// The manifest is in force and the inputs have been started.
    ready: AtomicBool,
    complained_us: AtomicU64,
    /// What was said of events that were refused.
    refused: Refused,
    /// Where everything stands in the pictures.
    pub(super) layouts: Layouts,
    /// The content security policy of every page.
    policy: ArcSwap<HeaderValue>,
    /// The certificate, where the server is reached by TLS.
    pub certificate: Option<Arc<Certificate>>,
}

impl State {
    /// The state of a server that runs this pipeline.
    pub fn new(pipeline: Pipeline, metrics: Arc<Metrics>, http_enabled: bool, refresh_us: u64) -> Self {
        let started_us = pipeline.now_us();
        Self {
            live: Live::new(pipeline.clone()),
            gate: Gate::open(),
            limits: Limits::default(),
            budget: Budget::default(),
            started_us,
            manifest: ArcSwap::from_pointee(ManifestState::in_force(Moment(started_us), Vec::new())),
            ready: AtomicBool::new(false),
            complained_us: AtomicU64::new(0),
            refused: Refused::default(),
            layouts: Layouts::default(),
            policy: ArcSwap::from_pointee(front::policy(&[])),
            certificate: None,
            pipeline,
            metrics,
            http_enabled,
            refresh_us: AtomicU64::new(refresh_us),
        }
    }

    /// Says whether the server is ready.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// How often the page asks to be loaded again where the browser runs no script.
    pub(super) fn refresh_us(&self) -> u64 {
        self.refresh_us.load(Ordering::Relaxed)
    }

    /// Changes how often that is.
    pub fn set_refresh_us(&self, refresh_us: u64) {
        self.refresh_us.store(refresh_us, Ordering::Relaxed);
    }

    /// Whether Graphviz lays out the pictures, where it can.
    pub fn lay_out_by_graphviz(&self, asked: bool) {
        self.layouts.by_graphviz(asked);
    }

    /// The content security policy of every page.
    pub(super) fn policy(&self) -> Arc<HeaderValue> {
        self.policy.load_full()
    }

    /// Says whose pages may show ours in a frame.
    pub fn set_frame_ancestors(&self, origins: &[String]) {
        self.policy.store(Arc::new(front::policy(origins)));
    }

    /// What every page says of the server itself.
    pub(super) fn notices(&self) -> Vec<String> {
        let mut notices = self.manifest().notices();
        let problem = self.certificate.as_ref().and_then(|certificate| certificate.problem());
        notices.extend(
            problem.map(|problem| format!("The certificate is bad, and the one before it goes on: {problem}.")),
        );
        let journal = if self.pipeline.is_keeping() { None } else { self.pipeline.journal() };
        notices.extend(journal.map(|JournalState { state, error, .. }| {
            let why = error.filter(|_| state == Writable::Failing).map_or_else(String::new, |error| format!(" ({error})"));
            format!("The journal cannot be written{why}: nothing is taken until it can. What was taken goes on being judged.")
        }));
        let ahead_us = self.pipeline.ahead_us();
        if ahead_us >= SECOND_US {
            let unit_us = if ahead_us >= 600 * SECOND_US { 60 * SECOND_US } else { SECOND_US };
            let ahead = duration_text(ahead_us / unit_us * unit_us);
            notices.push(format!(
                "The clock was set back while the server was down. Until both agree again, the times here are ahead of it, by {ahead} now."
            ));
        }
        notices
    }

    /// What has become of the manifest.
    pub fn manifest(&self) -> Arc<ManifestState> {
        self.manifest.load_full()
    }

    /// Says what has become of it.
    pub fn set_manifest(&self, manifest: ManifestState) {
        self.manifest.store(Arc::new(manifest));
    }

    /// Whether the server is ready.
    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) && self.pipeline.is_alive() && self.pipeline.is_keeping()
    }

    /// The stream of this name on a board, and its index there.
    pub(super) fn stream<'a>(board: &'a Board, name: &str) -> Result<(usize, &'a Arc<StreamBoard>), Problem> {
        let found = board.streams.iter().enumerate().find(|(_, stream)| stream.name == name);
        found.ok_or_else(|| {
            let names = board.streams.iter().map(|stream| stream.name.as_str());
            let meant = nearest(name, names).map(|meant| format!("; did you mean {meant:?}?")).unwrap_or_default();
            Problem::not_found(format!("there is no stream {name:?}{meant}"))
        })
    }

    /// Says that events were refused, and why: now and then, not of each of them. `unsaid`: how many more were, of which only
    /// the number is said.
    pub(super) fn note_refused(&self, events: usize, error: &str, unsaid: usize) {
        self.refused.note(&self.pipeline, events, error, unsaid);
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
