//! The immutable picture of now: what the page, the API and the metrics read.
//!
//! The pipeline makes a new board from the core after every batch and at least once a second.
//! The fields that are serialized are the contract of `GET /api/v1/streams/{stream}`.

mod json;
mod label;

pub use label::{Tone, check_line, label_lines, status_line};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::event::Token;
use crate::graph::{Check, CheckKind, InputKind, InputState, Threshold, Window};
use crate::outcome::{Freshness, Ledger, NodeState, Outcome, Status};

/// The state of everything at one moment.
#[derive(Clone, Debug)]
pub struct Board {
    /// When.
    pub at: Moment,
    /// The system's name.
    pub name: String,
    /// What the system is.
    pub description: String,
    /// The streams, in the order of the manifest.
    pub streams: Vec<Arc<StreamBoard>>,
    /// Tokens remembered, over all streams.
    pub tokens: usize,
    /// The most tokens that may be remembered.
    pub tokens_limit: usize,
    /// Tokens forgotten before their time because the limit was reached.
    pub tokens_evicted: u64,
    /// Nodes that no stream knows, where the manifest accepts them; most events first.
    pub unknown_senders: Vec<UnknownSender>,
    /// The inputs, in the order of the manifest.
    pub inputs: Vec<InputBoard>,
}

/// An input: whether it can testify, and what it has brought.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputBoard {
    /// Its name.
    pub name: String,
    /// How it gets its events.
    pub kind: InputKind,
    /// Whether it can testify.
    pub state: InputState,
    /// Since when.
    pub since: Moment,
    /// Events taken since the start.
    pub events: u64,
    /// Events a second in the last minute.
    pub rate: f64,
    /// When the last one came.
    pub last: Option<Moment>,
    /// How far behind it is, where it knows.
    pub lag_ms: Option<f64>,
    /// What went wrong last.
    pub last_error: Option<InputError>,
}

/// What went wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputError {
    /// When.
    pub at: Moment,
    /// What, in words for people, without secrets.
    pub error: String,
}

/// A node that no stream knows, and how many events it sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnknownSender {
    /// The name that it gave.
    pub name: String,
    /// Its events so far.
    pub events: u64,
}

/// One stream.
#[derive(Clone, Debug, Serialize)]
pub struct StreamBoard {
    /// Its name.
    pub name: String,
    /// What flows here.
    pub description: String,
    /// The worst `held` of the edges that have an outcome; silent nodes and edges count as NOK.
    pub status: Status,
    /// Edges that have no outcome yet.
    pub unobserved: usize,
    /// Aliases that were ignored because a node had seen both messages.
    pub alias_conflicts: u64,
    /// What discovery had to leave out, where the stream asks for discovery.
    #[serde(skip)]
    pub discovery: Option<DiscoveryBoard>,
    /// When this was so.
    pub at: Moment,
    /// The nodes, in the order of the manifest.
    pub nodes: Vec<NodeBoard>,
    /// The edges: those declared, in the order of the manifest, then those that traffic shows, in the order in which it did.
    pub edges: Vec<EdgeBoard>,
}

/// What discovery had to leave out in one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiscoveryBoard {
    /// Events whose parent would have closed a cycle (or was one edge too many).
    pub parents_refused: u64,
    /// Messages that were not looked at because others had all the places.
    pub messages_skipped: u64,
    /// Pairs of sightings that were not noted because there were too many pairs of nodes.
    pub pairs_skipped: u64,
    /// Edges that orders show and that are not drawn now because they would close a cycle.
    pub edges_in_cycles: usize,
    /// Edges that orders show and that are not drawn now because there are too many.
    pub edges_over_limit: usize,
}

/// One node in one stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeBoard {
    /// The node's id.
    pub name: String,
    /// What it has shown of itself.
    pub state: NodeState,
    /// No edge leads to it.
    pub root: bool,
    /// Accepted events, duplicates included.
    pub events: u64,
    /// Events a second in the last minute.
    pub rate: f64,
    /// Arrival of its last event.
    pub last: Option<Moment>,
    /// Whether a timestamp of its lay too far ahead of our clock.
    pub clock_flagged: bool,
    /// Requests on the edges into it that were seen beyond it, but not by it.
    pub unreported: u64,
}

/// One edge. In JSON it also has its `tone`, its `label`, and the `recent_fails` as `fails`.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeBoard {
    /// The upstream node.
    pub from: String,
    /// The downstream node.
    pub to: String,
    /// What people call it.
    pub name: Option<String>,
    /// The status of its window.
    pub status: Status,
    /// Since when.
    pub status_since: Moment,
    /// The worst status of the last `hold`.
    pub held: Status,
    /// Since when.
    pub held_since: Moment,
    /// How fresh all this is.
    pub freshness: Freshness,
    /// Passes in the window.
    pub pass: u64,
    /// Passes and fails in the window.
    pub total: u64,
    /// Requests without an outcome.
    pub in_flight: u64,
    /// New upstream events a second in the last minute.
    pub rate: f64,
    /// When the last pass was decided.
    pub last_pass: Option<Moment>,
    /// When the last fail was decided.
    pub last_fail: Option<Moment>,
    /// Drawn from traffic, not declared.
    pub discovered: bool,
    /// Latency in the last minute; none where nothing came.
    pub latency_ms: Option<LatencyBoard>,
    /// What it owes.
    pub check: Option<CheckBoard>,
    /// What came of its requests.
    pub ledger: Ledger,
    /// The last fails, newest last: at most [`RECENT_FAILS`].
    pub recent_fails: Arc<[OutcomeEntry]>,
    /// What the metrics count and never take back.
    pub counters: EdgeCounters,
}

/// How many fails an [`EdgeBoard`] carries for the page; the edge's own object has more.
pub const RECENT_FAILS: usize = 10;

/// First judgements: they never fall, whatever is revised later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EdgeCounters {
    /// By [`Outcome`], in the order of [`Outcome::ALL`].
    pub outcomes: [u64; 7],
    /// Latencies of all matches, by bucket of [`LATENCY_BOUNDS_US`]; one more for those above.
    pub latency_buckets: [u64; LATENCY_BOUNDS_US.len() + 1],
    /// Sum of all latencies in microseconds.
    pub latency_sum_us: u64,
    /// How long the edge was blind, in microseconds.
    pub blind_us: u64,
}

/// The upper bounds of the latency histogram: 100 microseconds to a day.
pub const LATENCY_BOUNDS_US: [u64; 21] = [
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    600_000_000,
    3_600_000_000,
    86_400_000_000,
];

/// Latency in the last minute, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyBoard {
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
}

/// Whether the journal can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writable {
    /// It can.
    Ok,
    /// Nothing can be written, and nothing is taken.
    Failing,
    /// A write does not end.
    Stalled,
}

/// One outcome in a window or a list of fails.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutcomeEntry {
    /// What came of it.
    pub outcome: Outcome,
    /// Which message; none for a group of a count check.
    pub token: Option<Token>,
    /// Latency in milliseconds, where it came and the clocks agree.
    pub latency_ms: Option<f64>,
    /// When it was decided.
    pub at: Moment,
}

/// The edge's own object: `GET /api/v1/streams/{stream}/edges/{from}/{to}`.
#[derive(Clone, Debug)]
pub struct EdgeDetail {
    /// What the stream's object says of it.
    pub edge: EdgeBoard,
    /// The outcomes in the window, newest last.
    pub window: Vec<OutcomeEntry>,
    /// The last 100 fails, newest last.
    pub fails: Vec<OutcomeEntry>,
    /// The age of the oldest request without an outcome, on an edge with a deadline.
    pub oldest_in_flight_ms: Option<f64>,
    /// By how much the downstream's clock was behind, of the last `reversed`.
    pub clock_difference_ms: Option<f64>,
    /// All latencies so far: `le_ms` (none for the last) and how many lay in that bucket alone.
    pub latency_histogram: Vec<LatencyBucket>,
}

/// One bucket of an edge's latency histogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyBucket {
    /// Its upper bound, inclusive; none above the last bound.
    pub le_ms: Option<f64>,
    /// Latencies in this bucket.
    pub count: u64,
}

/// A check, as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckBoard {
    /// `time` or `count`.
    pub kind: &'static str,
    /// The deadline in milliseconds.
    pub within_ms: f64,
    /// Passes that make it OK.
    pub ok: u32,
    /// Fails that make it WARN.
    pub warn: ThresholdBoard,
    /// Fails that make it NOK.
    pub fail: ThresholdBoard,
    /// The window, where the check says one: outcomes, or a duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowBoard>,
    /// Whether only some messages take this way.
    pub optional: bool,
    /// Grace with the inputs' delay, in milliseconds.
    pub grace_ms: f64,
    /// Of a count check: upstream events in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
    /// Of a count check: downstream events that make a group pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<u32>,
    /// Of a count check: whether tokens must be the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_token: Option<bool>,
    /// The deadline as the manifest writes it, for labels.
    #[serde(skip)]
    pub within_text: String,
}

/// A threshold: a number, or text like `"1%"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThresholdBoard(pub Threshold);

/// A window: a number of outcomes, or a duration like `"5m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowBoard(pub Window);

impl CheckBoard {
    /// A check of an edge whose grace, with the inputs' delay, is `wait_us`.
    pub fn new(check: &Check, wait_us: u64) -> Self {
        let count = match check.kind {
            CheckKind::Count(count) => Some(count),
            CheckKind::Time => None,
        };
        Self {
            kind: if count.is_some() { "count" } else { "time" },
            within_ms: ms(check.within_us),
            ok: check.thresholds.ok,
            warn: ThresholdBoard(check.thresholds.warn),
            fail: ThresholdBoard(check.thresholds.fail),
            window: check.thresholds.window.map(WindowBoard),
            optional: check.optional,
            grace_ms: ms(wait_us),
            every: count.map(|count| count.every),
            expect: count.map(|count| count.expect),
            same_token: count.map(|count| count.same_token),
            within_text: check.within_text.clone(),
        }
    }
}

/// Microseconds in milliseconds.
pub fn ms(us: u64) -> f64 {
    us as f64 / 1000.0
}
