//! What falls due in a stream: deadlines, forgetting, groups; and forgetting before the time.

use super::{Flow, State};
use crate::correlation::finding::{Decision, Finding};
use crate::correlation::lost::Lost;
use crate::correlation::slab::NONE;
use crate::correlation::tokens::Queue;
use crate::outcome::Outcome;

/// What falls due next in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Deadline,
    Groups(usize),
    Forget,
}

impl Flow {
    /// Judges and forgets what is due before `now_us`, in the order of time.
    #[inline]
    pub fn advance(&mut self, now_us: u64, out: &mut Vec<Finding>) {
        if self.idle_until_us < now_us {
            self.work_off(now_us, out);
        }
    }

    /// When something falls due next; it is worked off when the clock has passed this.
    pub fn next_due_us(&mut self) -> Option<u64> {
        self.next_due(u64::MAX).map(|(due_us, _)| due_us)
    }

    fn work_off(&mut self, now_us: u64, out: &mut Vec<Finding>) {
        while let Some((due_us, due)) = self.next_due(now_us) {
            if due_us >= now_us {
                self.idle_until_us = due_us;
                return;
            }
            match due {
                Due::Deadline => self.judge_next(now_us, out),
                Due::Groups(groups) => self.groups[groups].work_off(due_us, out),
                Due::Forget => {
                    if let Some(slot) = self.tokens.oldest_settled() {
                        self.forget(slot, due_us, false, out);
                    }
                }
            }
        }
        self.idle_until_us = u64::MAX;
    }

    /// What falls due next, and when; exact where that is before `now_us`.
    fn next_due(&mut self, now_us: u64) -> Option<(u64, Due)> {
        // Look for the exact next deadline first: the bound by which edges are listed may be too early.
        self.requests.next_due(now_us);
        let deadline = self.requests.next_deadline_us().map(|due_us| (due_us, Due::Deadline));
        let forget =
            self.tokens.oldest_settled().map(|slot| (self.tokens.last_arrival_us(slot) + self.memory_us, Due::Forget));
        let groups = self.groups.iter().enumerate();
        let groups = groups.filter_map(|(at, groups)| Some((groups.next_due_us()?, Due::Groups(at)))).min();
        [deadline, groups, forget].into_iter().flatten().min()
    }

    /// Judges the request whose deadline is next.
    fn judge_next(&mut self, now_us: u64, out: &mut Vec<Finding>) {
        let Some(request) = self.requests.next_due(now_us) else { return };
        let record = self.requests.get(request);
        let (edge, slot, deadline_us) = (record.edge as usize, record.token, record.deadline_us);
        let beyond = &self.topology.beyond[edge];
        let seen_beyond = self.tokens.sightings(slot).any(|(node, _)| beyond.binary_search(&node).is_ok());
        let outcome = if seen_beyond { Outcome::Unreported } else { Outcome::Missing };
        let place = Some(self.next_place(edge));
        self.requests.judge(request, outcome, place);
        out.push(Finding::Decided(Decision { place, ..self.unmatched(edge, outcome, slot, deadline_us) }));
        if !self.requests.any_in_flight(self.tokens.requests(slot)) {
            self.tokens.settle(slot);
        }
    }

    /// Forgets one token before its time: the settled one whose last new event is oldest, else the
    /// oldest of all, whose requests are given up. Answers whether there was one.
    pub fn evict(&mut self, now_us: u64, out: &mut Vec<Finding>) -> bool {
        let slot = self.tokens.oldest_settled().or_else(|| self.tokens.oldest_waiting());
        if let Some(slot) = slot {
            self.forget(slot, now_us, true, out);
        }
        slot.is_some()
    }

    /// Forgets a token, with the outcomes that this brings. `early`: before its time, so what is still
    /// in flight could not be judged.
    fn forget(&mut self, slot: u32, at_us: u64, early: bool, out: &mut Vec<Finding>) {
        self.close_requests(slot, at_us, out);
        let mut seen = std::mem::take(&mut self.seen);
        seen.clear();
        seen.extend(self.tokens.sightings(slot).map(|(node, _)| node));
        for &node in &seen {
            for at in 0..self.topology.edges_in[node].len() {
                let edge = self.topology.edges_in[node][at];
                let rule = &self.rules[edge];
                let orphan = rule.groups.is_none() && !seen.contains(&rule.from);
                if orphan && !self.requests.has_corrected(self.tokens.requests(slot), edge) {
                    out.push(Finding::Orphan { edge });
                }
            }
            for at in 0..self.topology.edges_out[node].len() {
                let edge = self.topology.edges_out[node][at];
                let rule = &self.rules[edge];
                if rule.groups.is_none() && !rule.timed && !seen.contains(&rule.to) {
                    let outcome = if early { Outcome::Indeterminate } else { Outcome::Unmatched };
                    out.push(Finding::Decided(self.unmatched(edge, outcome, slot, at_us)));
                }
            }
        }
        self.seen = seen;
        self.release_requests(slot);
        self.tokens.remove(slot);
    }

    /// What is in flight is given up as indeterminate; what is missing goes to the lost list.
    fn close_requests(&mut self, slot: u32, at_us: u64, out: &mut Vec<Finding>) {
        let chain: Vec<u32> = self.requests.chain(self.tokens.requests(slot)).collect();
        for request in chain {
            let record = self.requests.get(request);
            let (edge, deadline_us, place) = (record.edge as usize, record.deadline_us, record.place());
            match record.state {
                State::InFlight => {
                    self.requests.judge(request, Outcome::Indeterminate, None);
                    out.push(Finding::Decided(self.unmatched(edge, Outcome::Indeterminate, slot, at_us)));
                }
                State::Judged(Outcome::Missing) => {
                    let timestamp_us = self.tokens.seen(slot, self.rules[edge].from).unwrap_or(deadline_us);
                    self.lost[edge].expire(at_us, self.remember_us);
                    self.lost[edge].enter(self.tokens.token(slot), Lost { timestamp_us, deadline_us, place });
                }
                State::Judged(_) | State::Corrected => {}
            }
        }
    }

    fn release_requests(&mut self, slot: u32) {
        let mut first = self.tokens.requests(slot);
        while first != NONE {
            first = self.requests.close(first, first);
        }
        self.tokens.set_requests(slot, NONE);
        debug_assert_ne!(self.tokens.queue_of(slot), Queue::Free);
    }
}
