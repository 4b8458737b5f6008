//! Window, status and held status of an edge, recomputed from all that was decided.

use observatory::graph::{Threshold, Thresholds, Window};
use observatory::outcome::{Outcome, Status};

use super::edge::EdgeModel;

impl EdgeModel {
    pub(super) fn thresholds(&self) -> Thresholds {
        self.spec.check.as_ref().map_or(Thresholds::UNCHECKED, |check| check.thresholds)
    }

    /// Indices of the records in the window at a moment, newest last.
    pub(super) fn window_at(&self, at_us: u64) -> Vec<usize> {
        let first = |record: usize| self.records[record].first.expect("it was decided");
        let placed = |&record: &usize| !matches!(first(record).0, Outcome::Indeterminate | Outcome::Unmatched);
        let placed: Vec<usize> = self.decided.iter().copied().filter(placed).collect();
        match self.thresholds().window() {
            Window::Outcomes(size) => placed[placed.len().saturating_sub(size as usize)..].to_vec(),
            Window::Time(span_us) => placed.into_iter().filter(|&record| first(record).1 + span_us >= at_us).collect(),
        }
    }

    /// Passes and fails in the window at a moment.
    pub(super) fn passes_and_fails_at(&self, at_us: u64) -> (u64, u64) {
        let window = self.window_at(at_us);
        let count = |is: fn(Outcome) -> bool| {
            window.iter().filter(|&&record| self.records[record].outcome.is_some_and(is)).count() as u64
        };
        (count(Outcome::is_pass), count(Outcome::is_fail))
    }

    /// The status of the window at a moment.
    fn status_at(&self, at_us: u64) -> Status {
        let (passes, fails) = self.passes_and_fails_at(at_us);
        status(&self.thresholds(), passes, fails)
    }

    /// The worst status of the last `hold`: a status that was left at `t` is held up to and including `t + hold`.
    fn held_at(&self, at_us: u64) -> Status {
        let current = self.statuses.last().expect("there is always a status").1;
        let left = self.statuses.windows(2).filter(|pair| pair[1].0 + self.spec.hold_us >= at_us);
        left.map(|pair| pair[0].1).fold(current, Status::max)
    }

    /// Judges the edge anew at a moment.
    pub(super) fn refresh(&mut self, at_us: u64) {
        let status = self.status_at(at_us);
        if status != self.statuses.last().expect("there is always a status").1 {
            self.statuses.push((at_us, status));
        }
        let held = self.held_at(at_us);
        if held != self.helds.last().expect("there is always a held status").1 {
            self.helds.push((at_us, held));
        }
    }

    /// Lets all decay that is due before a moment: what is due at `t` changes at `t + 1`.
    pub(super) fn decay_to(&mut self, to_us: u64) {
        while let Some(due_us) = self.next_decay().filter(|&due_us| due_us < to_us) {
            let before = (self.window_at(due_us).len(), self.helds.len());
            self.refresh(due_us + 1);
            self.decayed_us = due_us + 1;
            if self.window_at(due_us + 1).len() < before.0 {
                self.happened.push("window in time expired");
            }
            if self.helds.len() > before.1 {
                self.happened.push("held decayed");
            }
        }
        self.decayed_us = self.decayed_us.max(to_us);
    }

    /// The next moment after which an outcome leaves the window or a status is held no longer.
    fn next_decay(&self) -> Option<u64> {
        let held = self.statuses.windows(2).map(|pair| pair[1].0 + self.spec.hold_us);
        let span_us = match self.thresholds().window() {
            Window::Time(span_us) => Some(span_us),
            Window::Outcomes(_) => None,
        };
        let window = span_us.into_iter().flat_map(|span_us| {
            self.records.iter().filter_map(move |record| record.first.map(|(_, at_us)| at_us + span_us))
        });
        held.chain(window).filter(|&due_us| due_us >= self.decayed_us).min()
    }

    /// Since when it is silent: no new upstream event came for longer than `silence`.
    pub(super) fn silent_since(&self, now_us: u64) -> Option<u64> {
        let silent_us = self.blind.after(self.heard_us, self.spec.silence_us?)?;
        (now_us >= silent_us).then_some(silent_us)
    }

    /// A new upstream event.
    pub(super) fn hear(&mut self, now_us: u64) {
        self.silences.extend(self.silent_since(now_us).map(|since_us| (since_us, now_us)));
        self.heard_us = now_us;
    }
}

/// The status of so many passes and fails.
fn status(thresholds: &Thresholds, passes: u64, fails: u64) -> Status {
    let ok = u64::from(thresholds.ok);
    let percent = |threshold| matches!(threshold, Threshold::Percent(_));
    let too_few = (percent(thresholds.warn) || percent(thresholds.fail)) && passes + fails < ok;
    let reached = |threshold| match threshold {
        Threshold::Count(count) => fails >= u64::from(count.max(1)),
        // In ten-thousandths of a percent.
        Threshold::Percent(parts) => fails * 100 * 10_000 >= u64::from(parts) * (passes + fails) && fails > 0,
    };
    if reached(thresholds.fail) && !too_few {
        Status::Nok
    } else if reached(thresholds.warn) && !too_few {
        Status::Warn
    } else if passes >= ok {
        Status::Ok
    } else {
        Status::Unknown
    }
}
