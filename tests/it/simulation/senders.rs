//! Those who report: by HTTP, where each has its patience, or by lines in a file.

use observatory::event::{Report, Token};
use observatory::graph::NodeId;
use observatory::pipeline::Refused;
use tokio::sync::oneshot;

use super::plan::{Feed, MS, Plan};
use super::world::{Act, World};
use crate::journal::node::hand_over;

/// How often a stubborn sender tries.
const TRIES: u64 = 30;
/// So long it may take until a refusal counts as over.
const REFUSED_US: u64 = 2_100 * MS;
/// The node to which floods come, and how many messages of one come at once.
const FLOODED: usize = 3;
const FLOOD_AT_ONCE: u64 = 50;

/// A request without an answer.
pub(super) struct Waiting {
    of: Option<(usize, usize, u64)>,
    pub(super) sent_us: u64,
    answer: oneshot::Receiver<Result<Vec<usize>, Refused>>,
}

impl World<'_> {
    pub(super) fn feed(&self, message: usize, place: usize) -> Feed {
        self.plan.feeds[self.plan.messages[message].seen[place].node]
    }

    pub(super) fn note_first(&mut self, act: Act) {
        let now_us = self.server_us();
        if let Act::Report(message, place, _) = act {
            self.fates[message][place].first_us.get_or_insert(now_us);
        }
    }

    pub(super) fn report(&mut self, message: usize, place: usize, tries: u64) {
        self.note_first(Act::Report(message, place, tries));
        if self.feed(message, place) == Feed::File {
            self.lines.push((message, place));
            return;
        }
        let now_us = self.server_us();
        let (Some(pipeline), None) = (self.host.pipeline().cloned(), self.stopping) else {
            return self.again(message, place, tries);
        };
        let memory_us =
            self.plan.systems[0].streams.iter().map(observatory::graph::Stream::memory_us).min().unwrap_or(0);
        if self.fates[message][place].maybe_us.is_some_and(|(from_us, _)| now_us > from_us + memory_us / 2) {
            return self.tell(|| format!("m{message}/{place} is given up: it may have been taken"));
        }
        let report = report_of(self.plan, message, place);
        match hand_over(&pipeline, vec![report], None) {
            Ok(answer) => {
                self.waiting.push(Waiting { of: Some((message, place, tries)), sent_us: now_us, answer });
                self.nudge();
            }
            Err(_) => self.refused(message, place, tries),
        }
    }

    /// The owner is to look at what has come.
    pub(super) fn nudge(&mut self) {
        let soon_us = self.now_us + self.rng.below(200);
        self.at(soon_us, Act::Round);
    }

    fn refused(&mut self, message: usize, place: usize, tries: u64) {
        let now_us = self.server_us();
        if let Some(pipeline) = self.host.pipeline() {
            pipeline.refused();
        }
        self.trouble(now_us, now_us + REFUSED_US);
        self.tell(|| format!("m{message}/{place} is refused"));
        self.again(message, place, tries);
    }

    /// A sender tries again, or not.
    pub(super) fn again(&mut self, message: usize, place: usize, tries: u64) {
        if tries < TRIES * self.plan.stubborn / 100 {
            let pause_us = 300 * MS + self.rng.below(500 * MS);
            self.at(self.now_us + pause_us, Act::Report(message, place, tries + 1));
        } else {
            self.tell(|| format!("m{message}/{place} is given up"));
        }
    }

    pub(super) fn pour(&mut self, left: u64) {
        let Some(pipeline) = self.host.pipeline().cloned() else { return };
        let count = left.min(FLOOD_AT_ONCE);
        let report = |number: u64| Report {
            node: NodeId(FLOODED as u32),
            token: Token::new(&format!("f{number}")).unwrap(),
            timestamp_us: None,
            parent: None,
            alias: None,
        };
        let reports = (self.flood..self.flood + count).map(report).collect();
        self.flood += count;
        if let Ok(answer) = hand_over(&pipeline, reports, None) {
            self.waiting.push(Waiting { of: None, sent_us: self.server_us(), answer });
            self.nudge();
        }
        if left > count {
            self.at(self.now_us + 20 * MS, Act::Flood(left - count));
        }
    }

    /// What senders were told.
    pub(super) fn answers(&mut self) {
        let now_us = self.server_us();
        let behind = now_us < self.now_us;
        let waiting = std::mem::take(&mut self.waiting);
        for mut one in waiting {
            let answer = one.answer.try_recv();
            match (answer, one.of) {
                (Err(oneshot::error::TryRecvError::Empty), _) => self.waiting.push(one),
                (Ok(Ok(_)), Some((message, place, _))) => {
                    self.fates[message][place].take(one.sent_us, now_us, behind);
                }
                (Ok(Err(_)), Some((message, place, tries))) => {
                    // It may stand on the disk all the same, and count after a restart.
                    let fate = &mut self.fates[message][place];
                    fate.maybe_us.get_or_insert((one.sent_us, now_us));
                    fate.behind |= behind;
                    self.refused(message, place, tries);
                }
                (Err(_), Some((message, place, tries))) => {
                    let fate = &mut self.fates[message][place];
                    fate.maybe_us.get_or_insert((one.sent_us, now_us));
                    fate.behind |= behind;
                    self.tell(|| format!("m{message}/{place}: nobody knows"));
                    self.again(message, place, tries);
                }
                (_, None) => {}
            }
        }
    }
}

/// What a node reports.
pub(super) fn report_of(plan: &Plan, message: usize, place: usize) -> Report {
    let (message, seen) = (&plan.messages[message], &plan.messages[message].seen[place]);
    Report {
        node: NodeId(seen.node as u32),
        token: Token::new(&message.token).unwrap(),
        timestamp_us: Some(seen.stamp_us),
        parent: None,
        alias: None,
    }
}
