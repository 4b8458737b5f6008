//! What a count check must say of events in the order in which they arrive.

use std::collections::VecDeque;

use crate::graph::CountCheck;

/// A group that has not been judged.
#[derive(Debug)]
struct Group {
    first_us: i64,
    last_us: i64,
    arrived_us: u64,
    size: u32,
    claims: u32,
    /// Its tokens, where they matter.
    tokens: Vec<u64>,
}

/// A downstream event that no group has claimed yet.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    arrived_us: u64,
    stamp_us: i64,
    token: u64,
}

/// The groups of one edge. Stamps may be of clocks that are wrong; arrivals never go back.
#[derive(Debug)]
pub(super) struct Groups {
    check: CountCheck,
    within_us: u64,
    wait_us: u64,
    skew_us: u64,
    open: VecDeque<Group>,
    waiting: Vec<Waiting>,
    pub(super) passed: u64,
    pub(super) missing: u64,
}

impl Groups {
    pub(super) fn new(check: CountCheck, within_us: u64, wait_us: u64, skew_us: u64) -> Self {
        let (open, waiting) = (VecDeque::new(), Vec::new());
        Self { check, within_us, wait_us, skew_us, open, waiting, passed: 0, missing: 0 }
    }

    /// Takes an event of `from`.
    pub(super) fn upstream(&mut self, arrived_us: u64, stamp_us: i64, token: u64) {
        self.advance(arrived_us);
        let every = self.check.every;
        if self.open.back().is_none_or(|group| group.size == every) {
            let covered_us = stamp_us - self.skew_us as i64;
            self.waiting.retain(|waiting| waiting.stamp_us >= covered_us);
            let (claims, tokens) = (0, Vec::new());
            self.open.push_back(Group { first_us: stamp_us, last_us: stamp_us, arrived_us, size: 0, claims, tokens });
        }
        if let Some(group) = self.open.back_mut() {
            group.size += 1;
            (group.last_us, group.arrived_us) = (stamp_us, arrived_us);
            if self.check.same_token {
                group.tokens.push(token);
            }
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting = waiting.into_iter().filter(|&waiting| !self.claim(waiting)).collect();
        self.judge_full();
    }

    /// Takes an event of `to`.
    pub(super) fn downstream(&mut self, arrived_us: u64, stamp_us: i64, token: u64) {
        self.advance(arrived_us);
        let event = Waiting { arrived_us, stamp_us, token };
        if self.claim(event) {
            self.judge_full();
        } else {
            self.waiting.push(event);
        }
    }

    /// Judges what is due.
    fn advance(&mut self, now_us: u64) {
        let (patience_us, every) = (self.within_us + self.wait_us, self.check.every);
        let due = |group: &Group| group.size == every && now_us > group.arrived_us + patience_us;
        while self.open.front().is_some_and(due) {
            self.open.pop_front();
            self.missing += 1;
        }
        let kept_us = self.within_us + 2 * self.wait_us;
        self.waiting.retain(|waiting| now_us <= waiting.arrived_us + kept_us);
    }

    /// The oldest group that can take the event takes it.
    fn claim(&mut self, event: Waiting) -> bool {
        let (check, within_us, skew_us) = (self.check, self.within_us as i64, self.skew_us as i64);
        let takes = |group: &&mut Group| {
            let full = group.size == check.every;
            group.claims < check.expect
                && event.stamp_us >= group.first_us - skew_us
                && (!full || event.stamp_us <= group.last_us + within_us)
                && (!check.same_token || group.tokens.contains(&event.token))
        };
        let group = self.open.iter_mut().find(takes);
        group.map(|group| group.claims += 1).is_some()
    }

    /// A full group with all its claims passes at once.
    fn judge_full(&mut self) {
        let check = self.check;
        let before = self.open.len();
        self.open.retain(|group| group.size < check.every || group.claims < check.expect);
        self.passed += (before - self.open.len()) as u64;
    }

    /// Lets the clock run out; answers whether a group is left that was never filled.
    pub(super) fn settle(&mut self) -> bool {
        self.advance(u64::MAX);
        !self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of three of which two must come within 100.
    fn groups(same_token: bool) -> Groups {
        Groups::new(CountCheck { every: 3, expect: 2, same_token }, 100, 50, 5)
    }

    /// `+` upstream, `-` downstream, at this time with this token.
    fn play(groups: &mut Groups, events: &[(char, u64, u64)]) -> (u64, u64, bool) {
        for &(side, at_us, token) in events {
            match side {
                '+' => groups.upstream(at_us, at_us as i64, token),
                _ => groups.downstream(at_us, at_us as i64, token),
            }
        }
        let left = groups.settle();
        (groups.passed, groups.missing, left)
    }

    #[test]
    fn groups_pass_by_numbers() {
        let all = [('+', 10, 1), ('+', 20, 2), ('+', 30, 3), ('-', 40, 7), ('-', 130, 8), ('+', 200, 4)];
        assert_eq!(play(&mut groups(false), &all), (1, 0, true));
        assert_eq!(play(&mut groups(false), &all[..4]), (0, 1, false));
        // Stamped after the deadline.
        assert_eq!(play(&mut groups(false), &[&all[..4], &[('-', 131, 8)]].concat()), (0, 1, false));
    }

    #[test]
    fn with_same_token_they_must_be_of_the_group() {
        let group = [('+', 10, 1), ('+', 20, 2), ('+', 30, 3)];
        let of = |tokens: [u64; 2]| [&group[..], &[('-', 40, tokens[0]), ('-', 41, tokens[1])]].concat();
        assert_eq!(play(&mut groups(true), &of([1, 3])), (1, 0, false));
        assert_eq!(play(&mut groups(true), &of([1, 9])), (0, 1, false));
    }
}
