//! The lost list: missing messages that the stream has forgotten, kept to find delays longer than its memory.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::event::Token;

/// How many lost messages an edge keeps.
const LOST_MAX: usize = 10_000;

/// What is kept of a missing message.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Lost {
    /// When the upstream saw it, by its own clock.
    pub(super) timestamp_us: u64,
    /// The deadline that it missed.
    pub(super) deadline_us: u64,
    /// The place of its outcome.
    pub(super) place: Option<u64>,
}

/// The lost list of one edge.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct LostList {
    /// By number, in the order of entering: what is kept, and the tokens by which the message was known.
    entries: BTreeMap<u64, (Lost, Vec<Token>)>,
    by_token: HashMap<Token, u64>,
    entered: u64,
}

impl LostList {
    /// Enters a missing message that is being forgotten, with all its tokens; an older entry of one of them goes.
    pub(super) fn enter(&mut self, tokens: Vec<Token>, lost: Lost) {
        self.entered += 1;
        for token in &tokens {
            if let Some(&older) = self.by_token.get(token) {
                self.remove(older);
            }
            self.by_token.insert(token.clone(), self.entered);
        }
        self.entries.insert(self.entered, (lost, tokens));
        if self.entries.len() > LOST_MAX {
            self.remove_oldest();
        }
    }

    /// Takes a message off the list, if it is on it and its time has not run out.
    #[inline]
    pub(super) fn take(&mut self, token: &Token, now_us: u64, remember_us: u64) -> Option<Lost> {
        if self.entries.is_empty() {
            return None;
        }
        let number = *self.by_token.get(token)?;
        let lost = self.remove(number)?;
        (lost.deadline_us + remember_us >= now_us).then_some(lost)
    }

    /// Drops what has run out of time at the front of the list.
    pub(super) fn expire(&mut self, now_us: u64, remember_us: u64) {
        while let Some((_, (lost, _))) = self.entries.first_key_value()
            && lost.deadline_us + remember_us < now_us
        {
            self.remove_oldest();
        }
    }

    fn remove_oldest(&mut self) {
        if let Some((&number, _)) = self.entries.first_key_value() {
            self.remove(number);
        }
    }

    fn remove(&mut self, number: u64) -> Option<Lost> {
        let (lost, tokens) = self.entries.remove(&number)?;
        for token in tokens {
            if self.by_token.get(&token) == Some(&number) {
                self.by_token.remove(&token);
            }
        }
        Some(lost)
    }
}
