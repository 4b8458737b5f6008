//! The lost list: missing tokens that the stream has forgotten, kept to find delays longer than its memory.

use std::collections::{HashMap, VecDeque};

use crate::event::Token;

/// How many lost tokens an edge keeps.
const LOST_MAX: usize = 10_000;

/// What is kept of a missing token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    /// When the upstream saw it, by its own clock.
    pub(super) timestamp_us: u64,
    /// The deadline that it missed.
    pub(super) deadline_us: u64,
    /// The place of its outcome.
    pub(super) place: Option<u64>,
}

/// The lost list of one edge.
#[derive(Debug, Default)]
pub(super) struct LostList {
    /// By token: what is kept, and the number under which it was entered.
    entries: HashMap<Token, (u64, Lost)>,
    order: VecDeque<(u64, Token)>,
    entered: u64,
}

impl LostList {
    /// Enters a missing token that is being forgotten; an older entry of the same token goes.
    pub(super) fn enter(&mut self, token: Token, lost: Lost) {
        self.entered += 1;
        self.order.push_back((self.entered, token.clone()));
        self.entries.insert(token, (self.entered, lost));
        while self.entries.len() > LOST_MAX {
            self.drop_oldest();
        }
        if self.order.len() > 2 * LOST_MAX {
            let entries = &self.entries;
            self.order.retain(|(number, token)| entries.get(token).is_some_and(|(entered, _)| entered == number));
        }
    }

    /// Takes a token off the list, if it is on it and its time has not run out.
    pub(super) fn take(&mut self, token: &Token, now_us: u64, remember_us: u64) -> Option<Lost> {
        if self.entries.is_empty() {
            return None;
        }
        let (_, lost) = self.entries.remove(token)?;
        (lost.deadline_us + remember_us >= now_us).then_some(lost)
    }

    /// Drops the oldest order number, with its entry where that is still the one that it was made for.
    fn drop_oldest(&mut self) {
        if let Some((number, token)) = self.order.pop_front()
            && self.entries.get(&token).is_some_and(|(entered, _)| *entered == number)
        {
            self.entries.remove(&token);
        }
    }

    /// Drops what has run out of time at the front of the list.
    pub(super) fn expire(&mut self, now_us: u64, remember_us: u64) {
        while let Some((number, token)) = self.order.front() {
            let current = self.entries.get(token).filter(|(entered, _)| entered == number);
            if current.is_some_and(|(_, lost)| lost.deadline_us + remember_us >= now_us) {
                return;
            }
            self.drop_oldest();
        }
    }
}
