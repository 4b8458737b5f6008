//! The health of one edge.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::held::{Standing, Turn};
use super::latency::Latencies;
use super::rate::Rate;
use super::rules::status;
use super::silence::{Hush, Silence};
use super::window::{OutcomeWindow, Placed};
use crate::board::EdgeCounters;
use crate::correlation::Decision;
use crate::graph::{Edge, Thresholds};
use crate::outcome::{Change, Ledger, Outcome};

/// How many fails an edge keeps by name.
const FAILS_MAX: usize = 100;

/// A change and when it took place.
pub(super) type Dated = (Change, u64);

/// The ledger, the window and the status of one edge.
#[derive(Debug, Serialize, Deserialize)]
pub struct EdgeHealth {
    thresholds: Thresholds,
    pub(super) window: OutcomeWindow,
    pub(super) standing: Standing,
    pub(super) silence: Silence,
    pub(super) ledger: Ledger,
    pub(super) outcomes: [u64; 7],
    pub(super) latencies: Latencies,
    pub(super) rate: Rate,
    /// The last fails, by place; the newest last.
    pub(super) fails: VecDeque<(u64, Placed)>,
    pub(super) last_pass_us: Option<u64>,
    pub(super) last_fail_us: Option<u64>,
    pub(super) last_outcome_us: Option<u64>,
    /// By how much the downstream's clock was behind, of the last `reversed`.
    pub(super) behind_us: Option<u64>,
    /// The moment up to which this has been brought.
    advanced_us: u64,
}

impl EdgeHealth {
    pub(super) fn new(edge: &Edge, start_us: u64) -> Self {
        let thresholds = edge.check.as_ref().map_or(Thresholds::UNCHECKED, |check| check.thresholds);
        Self {
            window: OutcomeWindow::new(thresholds.window()),
            thresholds,
            standing: Standing::new(edge.hold_us, start_us),
            silence: Silence::new(edge.silence_us, start_us),
            ledger: Ledger::default(),
            outcomes: [0; 7],
            latencies: Latencies::new(),
            rate: Rate::new(),
            fails: VecDeque::new(),
            last_pass_us: None,
            last_fail_us: None,
            last_outcome_us: None,
            behind_us: None,
            advanced_us: start_us,
        }
    }

    /// Goes on under what the edge owes now.
    pub(super) fn reload(&mut self, edge: &Edge, now_us: u64, out: &mut Vec<Dated>) {
        self.thresholds = edge.check.as_ref().map_or(Thresholds::UNCHECKED, |check| check.thresholds);
        self.window.resize(self.thresholds.window());
        self.standing.set_hold(edge.hold_us);
        out.extend(self.silence.set_after(edge.silence_us, now_us).map(silence_change));
        self.judge(now_us, out);
        out.extend(self.standing.hold(now_us).map(held_change));
        self.advance(now_us, out);
    }

    /// Whether it has an outcome.
    pub fn is_observed(&self) -> bool {
        self.last_outcome_us.is_some()
    }

    /// The first moment at which something changes if nothing arrives.
    pub(super) fn next_due_us(&self) -> Option<u64> {
        Some(self.due_us()).filter(|&due_us| due_us != u64::MAX)
    }

    #[inline]
    fn due_us(&self) -> u64 {
        let of = |due_us: Option<u64>| due_us.unwrap_or(u64::MAX);
        let (window, standing) = (of(self.window.next_expiry_us()), of(self.standing.next_decay_us()));
        window.min(standing).min(of(self.silence.next_due_us()))
    }

    /// Brings it up to a moment, change by change.
    #[inline(never)]
    pub(super) fn advance(&mut self, now_us: u64, out: &mut Vec<Dated>) {
        while self.due_us() <= now_us {
            self.turn(self.due_us(), out);
        }
        self.advanced_us = now_us;
    }

    /// Brings it up to the moment of something that arrived or fell due. What such a thing changes falls due only later:
    /// so nothing is left to do for the next one of that moment.
    #[inline]
    fn bring_up(&mut self, at_us: u64, out: &mut Vec<Dated>) {
        if at_us != self.advanced_us {
            self.advance(at_us, out);
        }
    }

    /// What changes at a moment without anything arriving.
    fn turn(&mut self, at_us: u64, out: &mut Vec<Dated>) {
        self.window.expire(at_us);
        self.judge(at_us, out);
        out.extend(self.standing.hold(at_us).map(held_change));
        out.extend(self.silence.advance(at_us).map(silence_change));
    }

    /// A new upstream event arrived.
    pub(super) fn upstream(&mut self, opened: bool, at_us: u64, out: &mut Vec<Dated>) {
        self.bring_up(at_us, out);
        self.rate.add(at_us);
        if let Some(hush) = self.silence.hear(at_us) {
            out.push(silence_change(hush));
        }
        if opened {
            self.ledger.upstream += 1;
            self.ledger.in_flight += 1;
        }
    }

    /// A request whose events came before the edge was drawn got its outcome: it says nothing about the rate.
    pub(super) fn recall(&mut self, decision: &Decision<'_>, out: &mut Vec<Dated>) {
        self.ledger.upstream += 1;
        self.ledger.in_flight += 1;
        self.decided(decision, out);
    }

    /// A request got its first outcome.
    pub(super) fn decided(&mut self, decision: &Decision<'_>, out: &mut Vec<Dated>) {
        let at_us = decision.at_us;
        self.bring_up(at_us, out);
        self.ledger.in_flight -= 1;
        self.outcomes[decision.outcome as usize] += 1;
        self.last_outcome_us = Some(at_us);
        self.note(decision);
        if decision.place.is_some() {
            let before = (self.window.passes, self.window.fails);
            self.window.push(decision);
            if (self.window.passes, self.window.fails) != before {
                self.judge(at_us, out);
            }
        }
    }

    /// An outcome was corrected.
    pub(super) fn revised(&mut self, decision: &Decision<'_>, from: Outcome, out: &mut Vec<Dated>) {
        self.bring_up(decision.at_us, out);
        *self.ledger.of_mut(from) -= 1;
        self.ledger.revisions += 1;
        let failed = decision.place.and_then(|place| self.fails.iter().position(|(other, _)| *other == place));
        if from.is_fail() && decision.outcome.is_fail() {
            // It stays where it stands, as what it is now; one that left the list stays off it.
            if let Some(at) = failed {
                self.fails[at].1.outcome = decision.outcome;
                self.fails[at].1.latency_us = decision.latency_us;
            }
            self.note_match(decision);
        } else {
            if let Some(at) = failed {
                self.fails.remove(at);
            }
            self.note(decision);
        }
        if let Some(place) = decision.place {
            self.window.revise(place, decision);
            self.judge(decision.at_us, out);
        }
    }

    /// Notes an outcome; a fail goes to the list of the last ones.
    #[inline]
    fn note(&mut self, decision: &Decision<'_>) {
        self.note_match(decision);
        if decision.outcome.is_fail() {
            self.keep_fail(decision);
        }
    }

    #[cold]
    fn keep_fail(&mut self, decision: &Decision<'_>) {
        if self.fails.len() == FAILS_MAX {
            self.fails.pop_front();
        }
        let &Decision { outcome, latency_us, at_us, .. } = decision;
        let placed = Placed { outcome, token: decision.token.cloned(), latency_us, at_us };
        self.fails.push_back((decision.place.unwrap_or(u64::MAX), placed));
    }

    #[inline]
    fn note_match(&mut self, decision: &Decision<'_>) {
        let &Decision { outcome, latency_us, behind_us, at_us, .. } = decision;
        *self.ledger.of_mut(outcome) += 1;
        if let Some(latency_us) = latency_us {
            self.latencies.add(latency_us, at_us);
        }
        if outcome.is_pass() {
            self.last_pass_us = Some(at_us);
        } else if outcome.is_fail() {
            self.last_fail_us = Some(at_us);
        }
        if outcome == Outcome::Reversed {
            self.behind_us = Some(behind_us);
        }
    }

    #[inline]
    fn judge(&mut self, at_us: u64, out: &mut Vec<Dated>) {
        let now = status(self.window.passes, self.window.fails, &self.thresholds);
        if now == self.standing.status {
            return;
        }
        let [status_turn, held_turn] = self.standing.set(now, at_us);
        out.extend(status_turn.map(|Turn { from, to, at_us }| (Change::Status { from, to }, at_us)));
        out.extend(held_turn.map(held_change));
    }

    pub(super) fn counters(&self, now_us: u64) -> EdgeCounters {
        EdgeCounters {
            blind_us: self.silence.blind.total_us(now_us),
            outcomes: self.outcomes,
            latency_buckets: self.latencies.buckets,
            latency_sum_us: self.latencies.sum_us,
        }
    }
}

fn held_change(Turn { from, to, at_us }: Turn) -> Dated {
    (Change::Held { from, to }, at_us)
}

pub(super) fn silence_change(Hush { silent, at_us }: Hush) -> Dated {
    (Change::Silent(silent), at_us)
}
