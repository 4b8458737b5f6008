//! Sends a plan's events when they are due, however slow the server answers.

use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;

use super::super::client::{Answer, Client};
use super::delays::Delays;
use crate::clock::{Clock, MonotonicClock};
use crate::load::{Plan, Planned, Sent, token_text};

/// Nobody sleeps longer than this without looking whether all is over.
const NAP: Duration = Duration::from_millis(100);
/// A server that does not answer is tried again after this long, at first and at the most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// However long it says: a server that pushes back is asked again after this long.
const RETRY_AFTER_MAX_S: u64 = 5;

/// What is needed to send a plan.
pub(super) struct Drive<'p> {
    pub(super) clock: &'p MonotonicClock,
    pub(super) seed: u64,
    /// By node: its name in JSON.
    pub(super) nodes: Vec<String>,
    /// The most events in one request.
    pub(super) batch: usize,
    /// How long the server may take nothing.
    pub(super) patience_us: u64,
    pub(super) record: Option<Mutex<File>>,
    pub(super) bar: ProgressBar,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) sent: Sent,
    pub(super) events: u64,
    pub(super) acknowledged: u64,
    pub(super) refused: u64,
    pub(super) first_refused: Option<String>,
    /// Requests that were sent again.
    pub(super) retries: u64,
    pub(super) delays: Delays,
    /// When the last event was to be sent, and when it was, in microseconds from the start.
    pub(super) last_us: (u64, u64),
    /// When all was over, on the clock.
    pub(super) end_us: u64,
    /// Why it was given up.
    pub(super) error: Option<String>,
    last_answer_us: u64,
}

/// What the connections share.
struct Shared<'a, 'p> {
    drive: &'a Drive<'p>,
    source: Mutex<Source<'p>>,
    start_us: u64,
    tally: Mutex<Tally>,
    over: AtomicBool,
}

/// The plan, and its next event.
struct Source<'p> {
    plan: Plan<'p>,
    next: Option<Planned>,
}

/// Events that go together.
struct Batch {
    events: Vec<Planned>,
    lines: String,
}

impl<'p> Drive<'p> {
    /// Sends everything, each client over a connection of its own. Answers the plan, which is at its end unless it
    /// was given up.
    pub(super) fn run(&self, mut plan: Plan<'p>, clients: Vec<Client>) -> (Plan<'p>, Tally) {
        let next = plan.next();
        let start_us = self.clock.now_us();
        let sent = Sent { repeated: vec![0; self.nodes.len()], ..Sent::default() };
        let shared = Shared {
            drive: self,
            source: Mutex::new(Source { plan, next }),
            start_us,
            tally: Mutex::new(Tally { sent, ..Tally::default() }),
            over: AtomicBool::new(false),
        };
        thread::scope(|scope| {
            for client in clients {
                let shared = &shared;
                scope.spawn(move || {
                    while let Some(batch) = shared.next_batch() {
                        shared.deliver(&client, &batch);
                    }
                });
            }
        });
        let plan = shared.source.into_inner().unwrap_or_else(PoisonError::into_inner).plan;
        let mut tally = shared.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        tally.end_us = self.clock.now_us();
        tally.sent.outages_us = merged(tally.sent.outages_us);
        (plan, tally)
    }
}

impl Shared<'_, '_> {
    /// Now, in microseconds from the start.
    fn now_us(&self) -> u64 {
        self.drive.clock.now_us() - self.start_us
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is due, and takes what is; none where all is sent or over.
    fn next_batch(&self) -> Option<Batch> {
        // Held while we wait: the others have nothing to do either.
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let now_us = loop {
            if self.over.load(Ordering::Relaxed) {
                return None;
            }
            let (send_us, now_us) = (source.next?.send_us, self.now_us());
            if send_us <= now_us {
                break now_us;
            }
            thread::park_timeout(Duration::from_micros(send_us - now_us).min(NAP));
        };
        let mut events = Vec::new();
        while let Some(event) = source.next.filter(|event| event.send_us <= now_us && events.len() < self.drive.batch) {
            events.push(event);
            source.next = source.plan.next();
        }
        self.drive.bar.set_position(source.plan.begun());
        drop(source);
        let mut tally = self.tally();
        tally.events += events.len() as u64;
        if let (Some(first), Some(last)) = (events.first(), events.last()) {
            tally.sent.behind_us = tally.sent.behind_us.max(now_us - first.send_us);
            tally.last_us = tally.last_us.max((last.send_us, now_us));
        }
        drop(tally);
        let lines = events.iter().map(|event| self.line(event)).collect();
        Some(Batch { events, lines })
    }

    fn line(&self, event: &Planned) -> String {
        let node = &self.drive.nodes[event.node.0 as usize];
        let token = token_text(self.drive.seed, event.message);
        let timestamp = self.start_us.saturating_add_signed(event.stamp_us);
        format!("{{\"node\":{node},\"token\":\"{token}\",\"timestamp\":{timestamp}}}\n")
    }

    /// Sends a batch until the server has taken it, or the patience is at its end.
    fn deliver(&self, client: &Client, batch: &Batch) {
        let begun_us = self.now_us();
        // When the server stopped taking events is not known: when it last took some is.
        let outage_us = begun_us.min(self.tally().last_answer_us.max(1));
        let (mut failed, mut again) = (false, AGAIN.0);
        loop {
            let (error, pause) = match client.send(&batch.lines) {
                Ok(answer) if answer.status == 503 => {
                    let retry_after = Duration::from_secs(answer.retry_after_s.unwrap_or(1).min(RETRY_AFTER_MAX_S));
                    (answer.refusal(), retry_after)
                }
                Ok(answer) => {
                    if failed {
                        self.tally().sent.outages_us.push((outage_us, self.now_us()));
                    }
                    return self.answered(&answer, batch);
                }
                Err(error) => {
                    // It may have been taken, and only the answer is lost.
                    let mut tally = self.tally();
                    for event in &batch.events {
                        tally.sent.repeated[event.node.0 as usize] += 1;
                    }
                    again = (again * 2).min(AGAIN.1);
                    (error.to_string(), again)
                }
            };
            failed = true;
            if self.now_us() > begun_us + self.drive.patience_us {
                return self.give_up(error);
            }
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            self.tally().retries += 1;
            thread::park_timeout(pause);
        }
    }

    /// Notes what the server made of a batch.
    fn answered(&self, answer: &Answer, batch: &Batch) {
        let now_us = self.now_us();
        let told = answer.told();
        if !matches!(answer.status, 202 | 422) {
            return self.give_up(answer.refusal());
        }
        let refused: Vec<_> = told.rejected.iter().map(|refused| refused.index).collect();
        let mut tally = self.tally();
        tally.acknowledged += told.accepted;
        tally.refused += told.rejected.len() as u64 + told.rejected_more;
        tally.first_refused = tally.first_refused.take().or_else(|| Some(told.rejected.first()?.error.clone()));
        tally.last_answer_us = tally.last_answer_us.max(now_us);
        for event in &batch.events {
            tally.delays.add(now_us - event.send_us);
        }
        drop(tally);
        let Some(record) = &self.drive.record else { return };
        let kept = batch.lines.split_inclusive('\n').enumerate().filter(|(index, _)| !refused.contains(index));
        let lines: String = kept.map(|(_, line)| line).collect();
        // Whole lines at once, so that whoever reads along, or outlives us, has no half of one.
        let written = record.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines.as_bytes());
        if let Err(error) = written {
            self.give_up(format!("failed to write the record: {error}"));
        }
    }

    fn give_up(&self, error: String) {
        self.over.store(true, Ordering::Relaxed);
        self.tally().error.get_or_insert(error);
    }
}

/// Spans that overlap are one.
fn merged(mut spans_us: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    spans_us.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (from_us, to_us) in spans_us {
        match merged.last_mut() {
            Some((_, end_us)) if from_us <= *end_us => *end_us = to_us.max(*end_us),
            _ => merged.push((from_us, to_us)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_connections_saw_of_an_outage_is_one() {
        assert_eq!(merged(vec![(5, 9), (1, 2), (6, 7), (9, 12)]), [(1, 2), (5, 12)]);
    }
}
