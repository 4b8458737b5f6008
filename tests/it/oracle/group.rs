//! Count checks: groups of upstream events, and the downstream events that they claim.

use observatory::event::Token;
use observatory::outcome::Outcome;

use super::edge::{EdgeModel, Record};

/// What a group holds.
#[derive(Debug)]
pub(super) struct Group {
    /// Its upstream events, in order of arrival: token and stamp.
    members: Vec<(Token, u64)>,
    claims: u32,
    /// How many make it full.
    every: u32,
}

impl Group {
    fn is_full(&self) -> bool {
        self.members.len() == self.every as usize
    }
}

/// A downstream event that no group has claimed.
#[derive(Debug)]
pub(super) struct Waiting {
    token: Token,
    stamp_us: u64,
    arrival_us: u64,
}

impl EdgeModel {
    /// An upstream event joins the group that is not full, or begins one.
    pub(super) fn join_group(&mut self, token: &Token, stamp_us: u64, now_us: u64, number: u64) {
        let every = self.spec.count().expect("a count check").every;
        let full = |record: &Record| record.group.as_ref().is_none_or(Group::is_full);
        if self.records.last().is_none_or(full) {
            self.begin_group(stamp_us, now_us, every);
        }
        let patience_us = self.spec.patience_us().expect("a count check has a deadline");
        let record = self.records.last_mut().expect("there is one now");
        (record.arrival_us, record.number) = (now_us, number);
        let group = record.group.as_mut().expect("a count check has groups");
        group.members.push((token.clone(), stamp_us));
        if group.is_full() {
            record.deadline_us = Some(now_us + patience_us);
        }
        self.judge_full_groups(now_us);
        for waiting in std::mem::take(&mut self.waiting) {
            if self.claim(&waiting.token, waiting.stamp_us, now_us) {
                self.happened.push("claimed after waiting");
            } else {
                self.waiting.push(waiting);
            }
        }
    }

    fn begin_group(&mut self, stamp_us: u64, now_us: u64, every: u32) {
        self.records.push(Record {
            token: None,
            stamp_us,
            first_arrival_us: now_us,
            arrival_us: now_us,
            number: 0,
            deadline_us: None,
            message: None,
            group: Some(Group { members: Vec::new(), claims: 0, every }),
            first: None,
            outcome: None,
            latency_us: None,
        });
        let before = self.waiting.len();
        let skew_us = self.spec.clock_skew_us;
        self.waiting.retain(|waiting| waiting.stamp_us + skew_us >= stamp_us);
        if self.waiting.len() < before {
            self.happened.push("dropped: before the group");
        }
        let unjudged: Vec<_> = (0..self.records.len()).filter(|&group| self.records[group].outcome.is_none()).collect();
        if unjudged.len() > self.max_tokens {
            self.happened.push("group given up");
            self.decide(unjudged[0], Outcome::Indeterminate, now_us);
        }
    }

    /// A downstream event is claimed, or waits.
    pub(super) fn offer(&mut self, token: &Token, stamp_us: u64, now_us: u64) {
        if self.claim(token, stamp_us, now_us) {
            return;
        }
        self.waiting.push(Waiting { token: token.clone(), stamp_us, arrival_us: now_us });
        if self.waiting.len() > self.max_tokens {
            self.happened.push("dropped: too many wait");
            self.waiting.remove(0);
        }
    }

    /// When a waiting event is dropped.
    pub(super) fn drop_us(&self, waiting: &Waiting) -> u64 {
        let check = self.spec.check.as_ref().expect("a count check");
        let until_us = waiting.arrival_us + check.within_us + 2 * (self.spec.grace_us + self.spec.delay_us);
        until_us.max(self.unjudged_until_us)
    }

    /// Drops what has waited too long.
    pub(super) fn drop_waiting(&mut self, at_us: u64) {
        let kept = std::mem::take(&mut self.waiting).into_iter().filter(|waiting| self.drop_us(waiting) > at_us);
        self.waiting = kept.collect();
    }

    /// With `same_token`: what stands under `gone` stands under `kept` from here on, and what waits is offered again.
    pub(super) fn join_tokens(&mut self, kept: &Token, gone: &Token, now_us: u64) {
        if !self.spec.count().is_some_and(|count| count.same_token) {
            return;
        }
        let members = self.records.iter_mut().filter_map(|record| record.group.as_mut()).flat_map(|it| &mut it.members);
        let tokens = members.map(|(token, _)| token).chain(self.waiting.iter_mut().map(|waiting| &mut waiting.token));
        for token in tokens.filter(|token| *token == gone) {
            *token = kept.clone();
        }
        for waiting in std::mem::take(&mut self.waiting) {
            if self.claim(&waiting.token, waiting.stamp_us, now_us) {
                self.happened.push("alias: claimed across");
            } else {
                self.waiting.push(waiting);
            }
        }
    }

    /// The oldest group that can takes the event.
    fn claim(&mut self, token: &Token, stamp_us: u64, now_us: u64) -> bool {
        let found = self.records.iter().position(|record| self.can_claim(record, token, stamp_us));
        if let Some(group) = found.and_then(|record| self.records[record].group.as_mut()) {
            group.claims += 1;
            self.judge_full_groups(now_us);
        }
        found.is_some()
    }

    fn can_claim(&self, record: &Record, token: &Token, stamp_us: u64) -> bool {
        let (Some(count), Some(check), Some(group)) = (self.spec.count(), &self.spec.check, &record.group) else {
            return false;
        };
        let &(_, first_us) = group.members.first().expect("a group has begun with an event");
        let &(_, last_us) = group.members.last().expect("a group has begun with an event");
        let covers = stamp_us + self.spec.clock_skew_us >= first_us
            && (!group.is_full() || stamp_us <= last_us + check.within_us);
        let holds = !count.same_token || group.members.iter().any(|(member, _)| member == token);
        record.outcome.is_none() && covers && group.claims < count.expect && holds
    }

    /// A full group with all its claims is a pass at this moment.
    fn judge_full_groups(&mut self, now_us: u64) {
        let expect = self.spec.count().expect("a count check").expect;
        for index in 0..self.records.len() {
            let record = &self.records[index];
            let complete = record.group.as_ref().is_some_and(|group| group.is_full() && group.claims == expect);
            if record.outcome.is_none() && complete {
                self.decide(index, Outcome::Pass, now_us);
            }
        }
    }
}
