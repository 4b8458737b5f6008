//! What falls due in a stream: deadlines, forgetting, groups; and forgetting before the time.

use super::{Kind, Shape, State};
use crate::correlation::lost::Lost;
use crate::correlation::requests::State as RequestState;
use crate::correlation::sight::witness_from_us;
use crate::correlation::slab::NONE;
use crate::correlation::verdicts::{Decision, Verdicts};
use crate::outcome::Outcome;

/// What falls due next in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Deadline,
    Groups(usize),
    Forget,
}

impl State {
    pub(super) fn work_off(&mut self, shape: &Shape, now_us: u64, out: &mut impl Verdicts) {
        while let Some((due_us, due)) = self.next_due(shape, now_us) {
            if due_us >= now_us {
                self.idle_until_us = due_us;
                return;
            }
            self.worked_us = self.worked_us.max(due_us);
            match due {
                Due::Deadline => self.judge_next(shape, now_us, out),
                Due::Groups(groups) => self.groups[groups].work_off(due_us, out),
                Due::Forget => self.forget_until(shape, now_us, out),
            }
        }
        self.idle_until_us = u64::MAX;
    }

    /// Forgets what is to be forgotten before something else is to be done.
    fn forget_until(&mut self, shape: &Shape, now_us: u64, out: &mut impl Verdicts) {
        let until_us = self.next_judged(now_us).map_or(now_us, |(due_us, _)| due_us.min(now_us));
        while let Some((due_us, slot)) = self.next_forgotten(shape)
            && due_us < until_us
        {
            self.worked_us = self.worked_us.max(due_us);
            self.forget(shape, slot, due_us, false, out);
        }
    }

    /// What falls due next, and when; exact where that is before `now_us`.
    #[inline]
    pub(super) fn next_due(&mut self, shape: &Shape, now_us: u64) -> Option<(u64, Due)> {
        let forget = self.next_forgotten(shape).map(|(due_us, _)| (due_us, Due::Forget));
        match (self.next_judged(now_us), forget) {
            (Some(judged), Some(forget)) => Some(judged.min(forget)),
            (judged, forget) => judged.or(forget),
        }
    }

    /// The deadline that falls due next.
    #[inline]
    pub(super) fn next_judged(&mut self, now_us: u64) -> Option<(u64, Due)> {
        // Look for the exact next deadline first: the bound by which edges are listed may be too early.
        self.requests.next_due(now_us);
        let mut next = self.requests.next_deadline_us().map(|due_us| (due_us, Due::Deadline));
        for (at, groups) in self.groups.iter().enumerate() {
            let due = groups.next_due_us().map(|due_us| (due_us, Due::Groups(at)));
            next = next.into_iter().chain(due).min();
        }
        next
    }

    /// The token that is forgotten next, and when.
    #[inline]
    fn next_forgotten(&mut self, shape: &Shape) -> Option<(u64, u32)> {
        let slot = self.tokens.oldest_settled().filter(|_| self.keep_until_us != u64::MAX)?;
        // Where the memory has become shorter, what it no longer reaches goes at once, not in the past.
        let begin_us = self.keep_until_us.max(self.worked_us);
        Some(((self.tokens.last_arrival_us(slot) + shape.memory_us).max(begin_us), slot))
    }

    /// Judges the request whose deadline is next.
    fn judge_next(&mut self, shape: &Shape, now_us: u64, out: &mut impl Verdicts) {
        let Some((due_us, request)) = self.requests.next_due(now_us) else { return };
        let record = self.requests.get(request);
        let (edge, slot) = (record.edge as usize, record.token);
        let (arrival_us, deadline_us) = (record.arrival_us, record.deadline_us);
        self.tokens.load(slot, &mut self.seen);
        let beyond = &shape.topology.beyond[edge];
        let timestamp_us = self.seen.at(shape.rules[edge].from).unwrap_or(arrival_us);
        let from_us = witness_from_us(arrival_us, timestamp_us, shape.memory_us);
        let outcome = if self.seen.nodes().any(|node| beyond.binary_search(&node).is_ok()) {
            Outcome::Unreported
        } else if self.sights[edge].testifies(from_us, deadline_us) {
            Outcome::Missing
        } else {
            Outcome::Indeterminate
        };
        let place = (outcome != Outcome::Indeterminate).then(|| self.next_place(edge));
        self.requests.judge(request, outcome, due_us, place);
        let token = self.tokens.token(slot);
        out.decided(&Decision { place, ..Decision::unmatched(edge, outcome, &token, due_us) });
        if !self.requests.any_in_flight(self.tokens.requests(slot)) {
            self.tokens.settle(slot);
        }
    }

    pub(super) fn evict(&mut self, shape: &Shape, now_us: u64, out: &mut impl Verdicts) -> bool {
        let slot = self.tokens.oldest_settled().or_else(|| self.tokens.oldest_waiting());
        if let Some(slot) = slot {
            self.forget(shape, slot, now_us, true, out);
        }
        slot.is_some()
    }

    /// Forgets a token, with the outcomes that this brings. `early`: before its time, so what is still
    /// in flight could not be judged.
    fn forget(&mut self, shape: &Shape, slot: u32, at_us: u64, early: bool, out: &mut impl Verdicts) {
        let first = self.tokens.requests(slot);
        if first == NONE && shape.small && self.tokens.seen_places(slot).is_some_and(|places| shape.is_whole(places)) {
            self.tokens.remove(slot);
            return;
        }
        self.tokens.load(slot, &mut self.seen);
        if first != NONE {
            self.give_up(shape, slot, at_us, out);
        }
        for node in self.seen.nodes() {
            for rule in &shape.nodes[node].incoming {
                let unmatched = !matches!(rule.kind, Kind::Count(_)) && self.seen.at(rule.from).is_none();
                if unmatched && !self.requests.has_corrected(first, rule.edge) {
                    out.orphan(rule.edge);
                }
            }
            for rule in &shape.nodes[node].outgoing {
                let undecided = !matches!(rule.kind, Kind::Count(_)) && self.seen.at(rule.to).is_none();
                if undecided && self.requests.find(first, rule.edge).is_none() {
                    let outcome = if early { Outcome::Indeterminate } else { Outcome::Unmatched };
                    let token = self.tokens.token(slot);
                    out.decided(&Decision::unmatched(rule.edge, outcome, &token, at_us));
                }
            }
        }
        self.requests.close_all(first);
        self.tokens.remove(slot);
    }

    /// What is in flight is given up as indeterminate; what is missing goes to the lost list.
    fn give_up(&mut self, shape: &Shape, slot: u32, at_us: u64, out: &mut impl Verdicts) {
        let mut request = self.tokens.requests(slot);
        while request != NONE {
            let record = self.requests.get(request);
            let (edge, deadline_us, place) = (record.edge as usize, record.deadline_us, record.place());
            let (state, next) = (record.state, record.next);
            match state {
                RequestState::InFlight => {
                    self.requests.judge(request, Outcome::Indeterminate, at_us, None);
                    let token = self.tokens.token(slot);
                    out.decided(&Decision::unmatched(edge, Outcome::Indeterminate, &token, at_us));
                }
                RequestState::Judged(Outcome::Missing) => {
                    let timestamp_us = self.seen.at(shape.rules[edge].from).unwrap_or(deadline_us);
                    let lost = Lost { timestamp_us, deadline_us, place };
                    self.lost[edge].expire(at_us, shape.remember_us);
                    let names = self.tokens.names(slot).unwrap_or_else(|| vec![self.tokens.token(slot)]);
                    self.lost[edge].enter(names, lost);
                }
                RequestState::Judged(_) | RequestState::Corrected | RequestState::Uncounted => {}
            }
            request = next;
        }
    }
}
