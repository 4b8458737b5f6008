//! What an input of log files counts.

use std::sync::Arc;

use prometheus::{IntCounter, IntGauge};

use super::tailer::TailCounts;
use crate::input::body::Reason;
use crate::input::rules::Line;
use crate::metrics::Metrics;

/// What became of lines, under the input's name.
pub(super) struct Tally {
    metrics: Arc<Metrics>,
    input: String,
    /// In the order event, no rule, refused, too long.
    lines: [IntCounter; 4],
    truncations: IntCounter,
    lost_bytes: IntCounter,
    files: IntGauge,
    counted: TailCounts,
    /// What was wrong with the last line that was refused, until it has been told.
    pub(super) refused: Option<String>,
}

impl Tally {
    pub(super) fn new(metrics: &Arc<Metrics>, input: &str) -> Self {
        let counted = &metrics.counted;
        let lines = ["event", "no_rule", "refused", "too_long"];
        Self {
            lines: lines.map(|result| counted.log_lines_total.with_label_values(&[input, result])),
            truncations: counted.log_truncations_total.with_label_values(&[input]),
            lost_bytes: counted.log_lost_bytes_total.with_label_values(&[input]),
            files: counted.log_files.with_label_values(&[input]),
            metrics: Arc::clone(metrics),
            input: input.to_owned(),
            counted: TailCounts::default(),
            refused: None,
        }
    }

    /// A line was read.
    pub(super) fn line(&mut self, line: &Line) {
        let result = match line {
            Line::Event { .. } | Line::Unknown { .. } => 0,
            Line::NoRule => 1,
            Line::Refused { reason, error, .. } => {
                self.reject(*reason);
                if self.refused.is_none() {
                    self.refused = Some(error.clone());
                }
                2
            }
        };
        self.lines[result].inc();
    }

    /// A line was skipped because of its length.
    pub(super) fn too_long(&self) {
        self.lines[3].inc();
        self.reject(Reason::Syntax);
    }

    fn reject(&self, reason: Reason) {
        let labels = [self.input.as_str(), reason.name()];
        self.metrics.counted.events_rejected_total.with_label_values(&labels).inc();
    }

    /// Files were looked at.
    pub(super) fn looked(&mut self, files: usize, counts: TailCounts) {
        self.files.set(files as i64);
        self.truncations.inc_by(counts.truncations - self.counted.truncations);
        self.lost_bytes.inc_by(counts.lost_bytes - self.counted.lost_bytes);
        self.counted = counts;
    }
}
