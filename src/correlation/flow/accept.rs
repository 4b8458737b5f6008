//! What one event brings: the tokens' path through the correlator.

use super::{Kind, Rule, Shape, State};
use crate::correlation::lost::Lost;
use crate::correlation::matching::{Match, judge};
use crate::correlation::requests::State as RequestState;
use crate::correlation::slab::NONE;
use crate::correlation::tokens::Queue;
use crate::correlation::verdicts::{Decision, Verdicts};
use crate::event::{Event, Token};
use crate::outcome::Outcome;

impl State {
    /// Answers the place of the message where the event is new.
    #[inline]
    pub(super) fn accept(
        &mut self,
        shape: &Shape,
        node: usize,
        event: &Event,
        hash: u64,
        now_us: u64,
        out: &mut impl Verdicts,
    ) -> Option<u32> {
        let ends = &shape.nodes[node];
        let foreseen = self.ahead.slots.pop().unwrap_or(NONE);
        let slot = if let Some(slot) = self.tokens.find(foreseen, hash, &event.token) {
            self.places = if shape.small { self.tokens.seen_places(slot) } else { None };
            if self.seen_at(slot, node).is_some() {
                for rule in ends.incoming.iter().chain(&ends.outgoing) {
                    out.duplicate(rule.edge);
                }
                return None;
            }
            if shape.discovers {
                self.tokens.load(slot, &mut self.seen);
            }
            self.tokens.sight(slot, node, event.timestamp_us);
            slot
        } else {
            self.places = Some(0);
            self.seen.clear();
            self.tokens.insert(hash, &event.token, node, event.timestamp_us)
        };
        for rule in &ends.incoming {
            self.downstream(shape, rule, slot, event, now_us, out);
        }
        for rule in &ends.outgoing {
            self.upstream(rule, slot, event, now_us, out);
        }
        let waits = self.seen_beyond(shape, node, slot, now_us, out);
        self.tokens.queue(slot, if waits { Queue::Waiting } else { Queue::Matched }, now_us);
        self.idle_until_us = self.idle_until_us.min(now_us + shape.memory_us);
        Some(slot)
    }

    /// When the message of the event at hand had been seen at a node, by the sender's clock.
    #[inline]
    fn seen_at(&self, slot: u32, node: usize) -> Option<u64> {
        match self.places {
            Some(places) if places >> (node & 63) & 1 == 0 => None,
            _ => self.tokens.seen_at(slot, node),
        }
    }

    /// The event is the downstream end of an edge.
    #[inline]
    fn downstream(
        &mut self,
        shape: &Shape,
        rule: &Rule,
        slot: u32,
        event: &Event,
        now_us: u64,
        out: &mut impl Verdicts,
    ) {
        if let Kind::Count(groups) = rule.kind {
            self.groups[groups].downstream(&self.tokens.token(slot), event.timestamp_us, now_us, out);
            self.expect_groups(groups);
            return;
        }
        let Some(upstream_us) = self.seen_at(slot, rule.from) else {
            self.find_lost(shape, rule, slot, event, now_us, out);
            return;
        };
        let matched = judge(upstream_us, event.timestamp_us, rule.within_us, rule.clock_skew_us);
        self.meet(rule.edge, slot, matched, &self.tokens.shown(slot, &event.token), now_us, out);
    }

    /// The request of the message in `slot` has met its downstream event.
    #[inline]
    pub(super) fn meet(
        &mut self,
        edge: usize,
        slot: u32,
        matched: Match,
        token: &Token,
        now_us: u64,
        out: &mut impl Verdicts,
    ) {
        match self.close(edge, slot) {
            Before::Undecided => {
                let place = Some(self.next_place(edge));
                out.decided(&decision(edge, matched, token, now_us, place));
            }
            Before::Judged(from, place) => out.revised(&decision(edge, matched, token, now_us, place), from),
            Before::Uncounted => {}
        }
    }

    /// Closes the message's request on an edge.
    #[inline]
    fn close(&mut self, edge: usize, slot: u32) -> Before {
        let first = self.tokens.requests(slot);
        let Some(request) = self.requests.find(first, edge) else { return Before::Undecided };
        let record = self.requests.get(request);
        let before = match record.state {
            RequestState::Judged(outcome) => Before::Judged(outcome, record.place()),
            RequestState::InFlight => Before::Undecided,
            RequestState::Uncounted | RequestState::Corrected => Before::Uncounted,
        };
        let first = self.requests.close(first, request);
        self.tokens.set_requests(slot, first);
        before
    }

    /// The event is the upstream end of an edge.
    #[inline]
    fn upstream(&mut self, rule: &Rule, slot: u32, event: &Event, now_us: u64, out: &mut impl Verdicts) {
        if let Kind::Count(groups) = rule.kind {
            self.groups[groups].upstream(&self.tokens.token(slot), event.timestamp_us, now_us, out);
            self.expect_groups(groups);
            return;
        }
        out.upstream(rule.edge, true, now_us);
        if let Some(downstream_us) = self.seen_at(slot, rule.to) {
            let matched = judge(event.timestamp_us, downstream_us, rule.within_us, rule.clock_skew_us);
            let place = Some(self.next_place(rule.edge));
            let token = self.tokens.shown(slot, &event.token);
            out.decided(&decision(rule.edge, matched, &token, now_us, place));
        } else if rule.kind == Kind::Timed {
            self.idle_until_us = self.idle_until_us.min(now_us + self.requests.patience_us(rule.edge));
            let request = self.requests.open(rule.edge, slot, now_us, self.tokens.requests(slot));
            self.tokens.set_requests(slot, request);
        }
    }

    /// A downstream event without a remembered upstream: it may correct a lost token.
    fn find_lost(
        &mut self,
        shape: &Shape,
        rule: &Rule,
        slot: u32,
        event: &Event,
        now_us: u64,
        out: &mut impl Verdicts,
    ) {
        let Some(lost) = self.take_lost(rule.edge, slot, event, now_us, shape.remember_us) else { return };
        let matched = judge(lost.timestamp_us, event.timestamp_us, rule.within_us, rule.clock_skew_us);
        let token = self.tokens.shown(slot, &event.token);
        out.revised(&decision(rule.edge, matched, &token, now_us, lost.place), Outcome::Missing);
        let first = self.requests.corrected(rule.edge, slot, self.tokens.requests(slot));
        self.tokens.set_requests(slot, first);
    }

    /// What the lost list has of a message, by any of its tokens.
    #[inline]
    fn take_lost(&mut self, edge: usize, slot: u32, event: &Event, now_us: u64, remember_us: u64) -> Option<Lost> {
        let lost = &mut self.lost[edge];
        let by_event = lost.take(&event.token, now_us, remember_us);
        by_event.or_else(|| {
            let names = self.tokens.names(slot);
            names.into_iter().flatten().find_map(|name| lost.take(&name, now_us, remember_us))
        })
    }

    pub(super) fn expect_groups(&mut self, groups: usize) {
        if let Some(due_us) = self.groups[groups].next_due_us() {
            self.idle_until_us = self.idle_until_us.min(due_us);
        }
    }
}

/// What a request was when its downstream event came.
enum Before {
    /// It had no outcome yet.
    Undecided,
    /// It had been judged, and this was the place of that.
    Judged(Outcome, Option<u64>),
    /// The edge was declared after the upstream event had come.
    Uncounted,
}

/// A decision on a request that met its downstream event.
#[inline]
fn decision(edge: usize, matched: Match, token: &Token, at_us: u64, place: Option<u64>) -> Decision<'_> {
    let Match { outcome, latency_us, behind_us } = matched;
    Decision { edge, outcome, token: Some(token), latency_us, behind_us, at_us, place }
}
