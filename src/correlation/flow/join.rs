//! Aliases: two tokens become one message.

use super::{Joined, Kind, Shape, State};
use crate::correlation::matching::judge;
use crate::correlation::requests::State as RequestState;
use crate::correlation::sightings::Seen;
use crate::correlation::slab::NONE;
use crate::correlation::tokens::Queue;
use crate::correlation::verdicts::{Decision, Verdicts};
use crate::event::Token;
use crate::outcome::Outcome;

impl State {
    /// Makes `alias` a name of the message in `slot`, and one message of the two where both have events.
    pub(super) fn join(
        &mut self,
        shape: &Shape,
        slot: u32,
        alias: (&Token, u64),
        now_us: u64,
        out: &mut impl Verdicts,
    ) -> Option<Joined> {
        let Some(other) = self.tokens.find(NONE, alias.1, alias.0) else {
            self.tokens.add_name(slot, alias.0.clone());
            self.join_groups(slot, alias.0, now_us, out);
            return None;
        };
        if other == slot {
            return None;
        }
        let (mut one, mut two) = (Seen::default(), Seen::default());
        self.tokens.load(slot, &mut one);
        self.tokens.load(other, &mut two);
        if one.nodes().any(|node| two.at(node).is_some()) {
            out.alias_conflict();
            return None;
        }
        self.join_groups(slot, &self.tokens.token(other), now_us, out);
        let token = self.tokens.token(slot);
        for edge in 0..shape.rules.len() {
            self.match_across(shape, edge, [(slot, &one), (other, &two)], &token, now_us, out);
            self.match_across(shape, edge, [(other, &two), (slot, &one)], &token, now_us, out);
        }
        self.merge(slot, other);
        for node in one.nodes().chain(two.nodes()) {
            self.seen_beyond(shape, node, slot, now_us, out);
        }
        let waits = self.requests.any_in_flight(self.tokens.requests(slot));
        self.tokens.queue(slot, if waits { Queue::Waiting } else { Queue::Matched }, now_us);
        self.idle_until_us = self.idle_until_us.min(now_us + shape.memory_us);
        Some(Joined { kept: (slot, one), gone: (other, two) })
    }

    /// Matches what `up` saw at an edge's upstream node with what `down` saw at its downstream node; the message
    /// goes by `token`.
    fn match_across(
        &mut self,
        shape: &Shape,
        edge: usize,
        [(up, at_up), (_, at_down)]: [(u32, &Seen); 2],
        token: &Token,
        now_us: u64,
        out: &mut impl Verdicts,
    ) {
        let rule = &shape.rules[edge];
        let (Some(upstream_us), Some(downstream_us)) = (at_up.at(rule.from), at_down.at(rule.to)) else { return };
        if matches!(rule.kind, Kind::Count(_)) {
            return;
        }
        let matched = judge(upstream_us, downstream_us, rule.within_us, rule.clock_skew_us);
        self.meet(edge, up, matched, token, now_us, out);
    }

    /// Moves all that is known of `other` to `slot`.
    fn merge(&mut self, slot: u32, other: u32) {
        let chain = self.requests.hand_over(self.tokens.requests(other), slot, self.tokens.requests(slot));
        self.tokens.set_requests(other, NONE);
        self.tokens.set_requests(slot, chain);
        self.tokens.absorb(slot, other);
    }

    /// Tells the count checks that go by token that what stands under `gone` is of the message in `slot`: groups
    /// remember tokens that the stream has forgotten.
    fn join_groups(&mut self, slot: u32, gone: &Token, now_us: u64, out: &mut impl Verdicts) {
        let kept = self.tokens.token(slot);
        for groups in 0..self.groups.len() {
            self.groups[groups].join(&kept, gone, now_us, out);
            self.expect_groups(groups);
        }
    }

    /// An event beyond an edge's `to` makes `unreported` of a remembered `missing`. Answers whether a request waits for its
    /// deadline.
    #[inline]
    pub(super) fn seen_beyond(
        &mut self,
        shape: &Shape,
        node: usize,
        slot: u32,
        now_us: u64,
        out: &mut impl Verdicts,
    ) -> bool {
        let request = self.tokens.requests(slot);
        request != NONE && self.seen_beyond_requests(shape, node, (slot, request), now_us, out)
    }

    fn seen_beyond_requests(
        &mut self,
        shape: &Shape,
        node: usize,
        (slot, mut request): (u32, u32),
        now_us: u64,
        out: &mut impl Verdicts,
    ) -> bool {
        let mut waits = false;
        while request != NONE {
            let record = self.requests.get(request);
            let (edge, next) = (record.edge as usize, record.next);
            if record.state == RequestState::InFlight {
                waits = true;
            } else if record.state == RequestState::Judged(Outcome::Missing)
                && shape.topology.beyond[edge].binary_search(&node).is_ok()
            {
                let place = record.place();
                self.requests.revise(request, Outcome::Unreported);
                let token = self.tokens.token(slot);
                let decision = Decision { place, ..Decision::unmatched(edge, Outcome::Unreported, &token, now_us) };
                out.revised(&decision, Outcome::Missing);
            }
            request = next;
        }
        waits
    }
}
