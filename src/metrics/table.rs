//! Every metric, once: its name, its labels, and its help, which is its doc comment.

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};

use super::family::{Family, Kind};

/// How each kind of metric is made from its name, help and labels.
trait Make: Sized {
    fn make(opts: Opts, labels: &[&str]) -> prometheus::Result<Self>;
}

impl Make for IntCounterVec {
    fn make(opts: Opts, labels: &[&str]) -> prometheus::Result<Self> {
        Self::new(opts, labels)
    }
}

impl Make for IntGaugeVec {
    fn make(opts: Opts, labels: &[&str]) -> prometheus::Result<Self> {
        Self::new(opts, labels)
    }
}

/// Seconds: from a small answer out of memory to one that has waited for a timeout.
const DURATION_BOUNDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

impl Make for HistogramVec {
    fn make(opts: Opts, labels: &[&str]) -> prometheus::Result<Self> {
        Self::new(HistogramOpts::from(opts).buckets(DURATION_BOUNDS.to_vec()), labels)
    }
}

macro_rules! metrics {
    (
        counted { $( #[doc = $help:literal] $name:ident: $kind:ident [$($label:literal),*], )* }
        read { $( #[doc = $read_help:literal] $read_name:ident: $read_kind:ident, )* }
    ) => {
        /// What is counted as it happens.
        #[derive(Clone)]
        pub struct Counted {
            $( #[doc = $help] pub $name: $kind, )*
        }

        impl Counted {
            /// Makes all of them, and has the registry export them.
            pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
                $(
                    let opts = Opts::new(concat!("observatory_", stringify!($name)), $help.trim());
                    let $name = $kind::make(opts, &[$($label),*])?;
                    registry.register(Box::new($name.clone()))?;
                )*
                Ok(Self { $($name),* })
            }
        }

        /// What is read from the board and the pipeline at each scrape.
        pub(super) struct Read {
            $( #[doc = $read_help] pub(super) $read_name: Family, )*
        }

        impl Read {
            pub(super) fn new() -> Self {
                Self { $( $read_name: Family::new(
                    concat!("observatory_", stringify!($read_name)), $read_help.trim(), Kind::$read_kind,
                ), )* }
            }

            pub(super) fn into_families(self) -> Vec<Family> {
                vec![$( self.$read_name ),*]
            }
        }
    };
}

metrics! {
    counted {
        /// Events accepted, by the input that brought them.
        events_total: IntCounterVec["input"],
        /// Events refused, by the input that brought them and the reason.
        events_rejected_total: IntCounterVec["input", "reason"],
        /// Manifests read again, by what came of it.
        manifest_reloads_total: IntCounterVec["result"],
        /// Requests answered, by the route's pattern, the method and the status.
        http_requests_total: IntCounterVec["path", "method", "status"],
        /// Time from a request's head to its answer, by the route's pattern.
        http_request_duration_seconds: HistogramVec["path"],
        /// Connections that are open.
        connections: IntGaugeVec[],
        /// Connections turned away because as many were open as may be.
        connections_refused_total: IntCounterVec[],
        /// Tries to log in, by what came of them: ok, wrong, throttled.
        logins_total: IntCounterVec["result"],
        /// Those who watch the stream live.
        live_readers: IntGaugeVec["stream"],
        /// Live streams refused because as many were open as may be.
        live_refused_total: IntCounterVec["stream"],
        /// Live readers that were given the whole again: too far behind, or the graph changed.
        live_restarts_total: IntCounterVec["stream"],
        /// Parts of the server that panicked and were started again.
        task_restarts_total: IntCounterVec["task"],
        /// Lines of log files, by what became of them: an event, taken by no rule, refused, or too long and skipped.
        log_lines_total: IntCounterVec["input", "result"],
        /// How often a log file was truncated, or was another file under the same number.
        log_truncations_total: IntCounterVec["input"],
        /// Bytes of log files that were seen, and gone before they were read.
        log_lost_bytes_total: IntCounterVec["input"],
        /// Log files that the glob finds.
        log_files: IntGaugeVec["input"],
        /// Always 1; the labels say which build this is.
        build_info: IntGaugeVec["version", "revision"],
    }
    read {
        /// The status of the edge's window: 0 UNKNOWN, 1 OK, 2 WARN, 3 NOK.
        edge_status: Gauge,
        /// The worst status of the edge's last hold time: 0 UNKNOWN, 1 OK, 2 WARN, 3 NOK.
        edge_held_status: Gauge,
        /// 1 for the freshness that the edge has, 0 for all others.
        edge_freshness: Gauge,
        /// 1 for the state that the node is in, 0 for all others.
        node_state: Gauge,
        /// Requests of the edge: new events of its upstream node.
        edge_upstream_total: Counter,
        /// Requests of the edge by how they were first judged.
        edge_outcomes_total: Counter,
        /// Requests of the edge without an outcome.
        edge_in_flight: Gauge,
        /// Latency of the matches on the edge, by the senders' clocks.
        edge_latency_seconds: Histogram,
        /// Events of the edge's downstream node that never found their upstream event.
        edge_orphans_total: Counter,
        /// Events of the edge's two nodes that had been reported before.
        edge_duplicates_total: Counter,
        /// Outcomes of the edge that were corrected later.
        edge_revisions_total: Counter,
        /// How long nobody could testify for the edge: an input that feeds it was down or behind, or we did not run.
        edge_blind_seconds_total: Counter,
        /// What discovery did not look at, or refused: parents, messages, pairs.
        discovery_skipped_total: Counter,
        /// Edges that traffic shows and that are not drawn: they would close a cycle, or are too many.
        discovery_edges_left_out: Gauge,
        /// Arrival of the node's last event.
        node_last_event_timestamp_seconds: Gauge,
        /// Tokens remembered.
        tokens: Gauge,
        /// The most tokens that may be remembered.
        tokens_limit: Gauge,
        /// Tokens forgotten before their time, because the limit was reached.
        tokens_evicted_total: Counter,
        /// Events of senders that no stream knows.
        unknown_sender_events_total: Counter,
        /// 1 where what the input's senders report reaches us, 0 where it is down or catching up.
        input_up: Gauge,
        /// How far the input is behind its source.
        input_lag_seconds: Gauge,
        /// Accepted events that wait to be judged.
        waiting_events: Gauge,
        /// The most events that may wait to be judged.
        waiting_events_limit: Gauge,
        /// Requests refused because too many events waited.
        overloaded_total: Counter,
        /// Times at which we did not run for a while: stopped, suspended, or kept from running.
        gaps_total: Counter,
        /// How far our clock is ahead of the wall clock, which was set back while we were down.
        clock_ahead_seconds: Gauge,
        /// Times that the correlator panicked and was started again from the journal.
        correlator_restarts_total: Counter,
        /// 1 where the journal can be written, 0 where not: then nothing is taken.
        journal_up: Gauge,
        /// Segments of the journal.
        journal_segments: Gauge,
        /// What the journal's files take.
        journal_bytes: Gauge,
        /// The moment of the newest snapshot.
        journal_snapshot_timestamp_seconds: Gauge,
        /// Bytes written to the journal.
        journal_written_bytes_total: Counter,
        /// Times that the journal could not be written.
        journal_errors_total: Counter,
        /// How long writing to the journal and syncing it took.
        journal_sync_seconds: Histogram,
        /// Time from an outcome's deadline, or its event's arrival, to its being on the board.
        verdict_delay_seconds: Histogram,
        /// Boards published.
        boards_total: Counter,
    }
}
