//! What an input of a broker counts.

use std::sync::Arc;

use crate::input::body::Reason;
use crate::metrics::Metrics;

/// Counts events under the input's name.
#[derive(Clone)]
pub(super) struct Tally {
    metrics: Arc<Metrics>,
    input: String,
}

impl Tally {
    pub(super) fn new(metrics: Arc<Metrics>, input: &str) -> Self {
        Self { metrics, input: input.to_owned() }
    }

    pub(super) fn accepted(&self, events: usize) {
        self.metrics.counted.events_total.with_label_values(&[self.input.as_str()]).inc_by(events as u64);
    }

    pub(super) fn rejected(&self, reason: Reason, events: usize) {
        let labels = [self.input.as_str(), reason.name()];
        self.metrics.counted.events_rejected_total.with_label_values(&labels).inc_by(events as u64);
    }
}
