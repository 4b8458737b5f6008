//! Count checks: of every so many upstream events, so many must be seen downstream.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::sight::{Sight, witness_from_us};
use super::verdicts::{Decision, Verdicts};
use crate::event::Token;
use crate::graph::{CountCheck, Edge};
use crate::outcome::Outcome;

/// Upstream events that are judged together.
#[derive(Debug, Serialize, Deserialize)]
struct Group {
    /// What it covers begins here, by the senders' clocks.
    begin_us: u64,
    /// Its first event: the arrival and the timestamp.
    first: (u64, u64),
    /// Its last event so far: the timestamp and the arrival.
    last_us: u64,
    last_arrival_us: u64,
    /// When it is judged, once it is full.
    deadline_us: u64,
    size: u32,
    claims: u32,
    judged: bool,
    /// With `same_token`: the tokens that it holds.
    tokens: Vec<Token>,
}

/// A downstream event that no group could claim yet.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    timestamp_us: u64,
    arrival_us: u64,
    /// With `same_token` only.
    token: Option<Token>,
}

/// The groups of one edge with a count check.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Groups {
    edge: usize,
    check: CountCheck,
    within_us: u64,
    clock_skew_us: u64,
    sight: Sight,
    /// How long the stream remembers a token.
    memory_us: u64,
    /// The most groups, and the most waiting events.
    limit: usize,
    /// From the oldest that is not judged; only the last may be not full.
    open: VecDeque<Group>,
    /// The number of the first of `open`, counted from the edge's first group.
    first: u64,
    waiting: VecDeque<Waiting>,
    /// With `same_token`: the numbers of the groups that hold a token, ascending.
    holders: HashMap<Token, Vec<u64>>,
    /// Groups in `open` that are not judged.
    unjudged: usize,
    /// Whether a group may fall due before one that began earlier: its wait was shorter.
    mixed: bool,
    /// Outcomes placed so far.
    placed: u64,
}

impl Groups {
    /// The groups of an edge, if its check is by count. `limit` bounds the groups and the waiting events.
    pub(super) fn of(index: usize, edge: &Edge, memory_us: u64, limit: usize) -> Option<Self> {
        Some(Self {
            edge: index,
            check: edge.count()?,
            within_us: edge.check.as_ref()?.within_us,
            clock_skew_us: edge.clock_skew_us,
            sight: Sight::clear(edge.wait_us()),
            memory_us,
            limit,
            open: VecDeque::new(),
            first: 0,
            waiting: VecDeque::new(),
            holders: HashMap::new(),
            unjudged: 0,
            mixed: false,
            placed: 0,
        })
    }

    /// What may be said from now on, and how long the stream remembers a token.
    pub(super) fn see(&mut self, sight: Sight, memory_us: u64) {
        self.mixed |= sight.wait_us < self.sight.wait_us;
        (self.sight, self.memory_us) = (sight, memory_us);
    }

    /// Continues the numbering of an edge's outcomes.
    pub(super) fn placing_from(self, placed: u64) -> Self {
        Self { placed, ..self }
    }

    /// Outcomes placed so far.
    pub(super) fn placed(&self) -> u64 {
        self.placed
    }

    /// Gives up every group that is not judged.
    pub(super) fn give_up(&mut self, now_us: u64, out: &mut impl Verdicts) {
        while !self.open.is_empty() {
            self.judge_front(Outcome::Indeterminate, now_us, out);
        }
        self.waiting.clear();
    }

    /// Goes on under another check of the edge. Where that makes other groups, those at hand are given up.
    pub(super) fn carry_into(&mut self, fresh: Self, now_us: u64, out: &mut impl Verdicts) -> Self {
        if fresh.check != self.check {
            self.give_up(now_us, out);
            return fresh.placing_from(self.placed);
        }
        Self {
            open: std::mem::take(&mut self.open),
            first: self.first,
            waiting: std::mem::take(&mut self.waiting),
            holders: std::mem::take(&mut self.holders),
            unjudged: self.unjudged,
            mixed: true,
            placed: self.placed,
            ..fresh
        }
    }

    /// Takes a new upstream event.
    pub(super) fn upstream(&mut self, token: &Token, timestamp_us: u64, now_us: u64, out: &mut impl Verdicts) {
        let begins = self.open.back().is_none_or(|group| self.is_full(group));
        out.upstream(self.edge, begins, now_us);
        if begins {
            self.begin(timestamp_us, now_us, out);
        }
        let number = self.first + self.open.len() as u64 - 1;
        if let Some(group) = self.open.back_mut() {
            group.size += 1;
            (group.last_us, group.last_arrival_us) = (timestamp_us, now_us);
            group.deadline_us = now_us + self.within_us + self.sight.wait_us;
            if self.check.same_token {
                group.tokens.push(token.clone());
                self.holders.entry(token.clone()).or_default().push(number);
            }
        }
        self.pass_if_complete(number, now_us, out);
        if begins || self.check.same_token {
            self.offer_waiting(token, now_us, out);
        }
    }

    /// Takes a new downstream event.
    pub(super) fn downstream(&mut self, token: &Token, timestamp_us: u64, now_us: u64, out: &mut impl Verdicts) {
        if self.claim(token, timestamp_us, now_us, out) {
            return;
        }
        if self.waiting.len() >= self.limit {
            self.waiting.pop_front();
        }
        let token = self.check.same_token.then(|| token.clone());
        self.waiting.push_back(Waiting { timestamp_us, arrival_us: now_us, token });
    }

    /// Two tokens are one message from here on: what stands under `gone` stands under `kept`, and what
    /// waits under it is offered again.
    pub(super) fn join(&mut self, kept: &Token, gone: &Token, now_us: u64, out: &mut impl Verdicts) {
        if !self.check.same_token {
            return;
        }
        let moved = self.holders.remove(gone).unwrap_or_default();
        for &number in &moved {
            let group = &mut self.open[(number - self.first) as usize];
            for token in group.tokens.iter_mut().filter(|token| *token == gone) {
                token.clone_from(kept);
            }
        }
        if !moved.is_empty() {
            let holders = self.holders.entry(kept.clone()).or_default();
            holders.extend(moved);
            holders.sort_unstable();
        }
        for waiting in &mut self.waiting {
            if waiting.token.as_ref() == Some(gone) {
                waiting.token = Some(kept.clone());
            }
        }
        let mut at = 0;
        while at < self.waiting.len() {
            let timestamp_us = self.waiting[at].timestamp_us;
            let fits = self.waiting[at].token.as_ref() == Some(kept);
            if fits && self.claim(kept, timestamp_us, now_us, out) {
                self.waiting.remove(at);
            } else {
                at += 1;
            }
        }
    }

    /// When the next group falls due, or the next waiting event is dropped: what is due is worked
    /// off when the clock has passed this.
    pub(super) fn next_due_us(&self) -> Option<u64> {
        if self.sight.blind_until_us == u64::MAX {
            return None;
        }
        let group = self.next_group().map(|at| self.open[at].deadline_us);
        let waiting = self.waiting.front().map(|waiting| self.drop_us(waiting));
        group.into_iter().chain(waiting).min().map(|due_us| due_us.max(self.sight.blind_until_us))
    }

    /// The full group that falls due next.
    #[inline]
    fn next_group(&self) -> Option<usize> {
        let due = |at: &usize| !self.open[*at].judged && self.is_full(&self.open[*at]);
        let looked_at = if self.mixed { self.open.len() } else { self.open.len().min(1) };
        (0..looked_at).filter(due).min_by_key(|&at| self.open[at].deadline_us)
    }

    /// Works off what is due at `due_us`, the answer of [`Self::next_due_us`].
    pub(super) fn work_off(&mut self, due_us: u64, out: &mut impl Verdicts) {
        if self.waiting.front().is_some_and(|waiting| self.drop_us(waiting) <= due_us) {
            self.waiting.pop_front();
            return;
        }
        let Some(at) = self.next_group() else { return };
        let (group, (arrival_us, timestamp_us)) = (&self.open[at], self.open[at].first);
        let from_us = witness_from_us(arrival_us, timestamp_us, self.memory_us);
        let testifies = self.sight.testifies(from_us, group.deadline_us);
        let outcome = if testifies { Outcome::Missing } else { Outcome::Indeterminate };
        self.judge(at, outcome, due_us, out);
    }

    /// The last arrival in the oldest group that is not judged.
    pub(super) fn oldest_arrival_us(&self) -> Option<u64> {
        self.open.front().map(|group| group.last_arrival_us)
    }

    fn is_full(&self, group: &Group) -> bool {
        group.size >= self.check.every
    }

    fn drop_us(&self, waiting: &Waiting) -> u64 {
        waiting.arrival_us + self.within_us + 2 * self.sight.wait_us
    }

    /// Begins a group; waiting events stamped before what it covers are dropped.
    fn begin(&mut self, timestamp_us: u64, now_us: u64, out: &mut impl Verdicts) {
        if self.unjudged >= self.limit {
            self.judge_front(Outcome::Indeterminate, now_us, out);
        }
        let begin_us = timestamp_us.saturating_sub(self.clock_skew_us);
        self.waiting.retain(|waiting| waiting.timestamp_us >= begin_us);
        self.unjudged += 1;
        self.open.push_back(Group {
            begin_us,
            first: (now_us, timestamp_us),
            last_us: timestamp_us,
            last_arrival_us: now_us,
            deadline_us: u64::MAX,
            size: 0,
            claims: 0,
            judged: false,
            tokens: Vec::new(),
        });
    }

    /// Offers the waiting events again, in order of arrival. Only the newest group can take one: what
    /// the others cover never grows, nor does their room. With `same_token`, only one of this token.
    fn offer_waiting(&mut self, token: &Token, now_us: u64, out: &mut impl Verdicts) {
        let mut at = 0;
        while at < self.waiting.len() {
            let waiting = &self.waiting[at];
            let fits = waiting.token.as_ref().is_none_or(|held| held == token);
            let timestamp_us = waiting.timestamp_us;
            if fits && self.claim(token, timestamp_us, now_us, out) {
                self.waiting.remove(at);
            } else {
                at += 1;
            }
            if self.open.back().is_none_or(|newest| newest.judged || newest.claims >= self.check.expect) {
                return;
            }
        }
    }

    /// Has the oldest group that can take the downstream event claim it.
    fn claim(&mut self, token: &Token, timestamp_us: u64, now_us: u64, out: &mut impl Verdicts) -> bool {
        let takes = |group: &Group| {
            let begun = timestamp_us >= group.begin_us;
            let ended = self.is_full(group) && timestamp_us > group.last_us.saturating_add(self.within_us);
            !group.judged && group.claims < self.check.expect && begun && !ended
        };
        let number = if self.check.same_token {
            let holders = self.holders.get(token).map_or(&[][..], Vec::as_slice);
            holders.iter().copied().find(|&number| takes(&self.open[(number - self.first) as usize]))
        } else {
            self.open.iter().position(takes).map(|at| self.first + at as u64)
        };
        let Some(number) = number else { return false };
        self.open[(number - self.first) as usize].claims += 1;
        self.pass_if_complete(number, now_us, out);
        true
    }

    fn pass_if_complete(&mut self, number: u64, now_us: u64, out: &mut impl Verdicts) {
        let at = (number - self.first) as usize;
        if self.is_full(&self.open[at]) && self.open[at].claims >= self.check.expect {
            self.judge(at, Outcome::Pass, now_us, out);
        }
    }

    fn judge_front(&mut self, outcome: Outcome, at_us: u64, out: &mut impl Verdicts) {
        if !self.open.is_empty() {
            self.judge(0, outcome, at_us, out);
        }
    }

    fn judge(&mut self, at: usize, outcome: Outcome, at_us: u64, out: &mut impl Verdicts) {
        let number = self.first + at as u64;
        self.open[at].judged = true;
        self.unjudged -= 1;
        for token in std::mem::take(&mut self.open[at].tokens) {
            if let Some(holders) = self.holders.get_mut(&token) {
                holders.retain(|&holder| holder != number);
                if holders.is_empty() {
                    self.holders.remove(&token);
                }
            }
        }
        while self.open.front().is_some_and(|group| group.judged) {
            self.open.pop_front();
            self.first += 1;
        }
        self.mixed &= !self.open.is_empty();
        let place = (outcome != Outcome::Indeterminate).then_some(self.placed);
        self.placed += u64::from(place.is_some());
        let edge = self.edge;
        out.decided(&Decision { edge, outcome, token: None, latency_us: None, behind_us: 0, at_us, place });
    }
}
