//! Further tokens by which messages are known: their aliases.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::event::Token;

/// The aliases of a stream's messages. Most streams have none.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Names {
    slots: HashMap<Token, u32>,
    names: HashMap<u32, Vec<Token>>,
}

impl Names {
    /// How many there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The message of this name.
    #[inline]
    pub(super) fn find(&self, token: &Token) -> Option<u32> {
        if self.slots.is_empty() { None } else { self.slots.get(token).copied() }
    }

    /// The further names of a message.
    pub(super) fn of(&self, slot: u32) -> &[Token] {
        self.names.get(&slot).map_or(&[], Vec::as_slice)
    }

    /// Gives a message a further name, which no message has.
    pub(super) fn add(&mut self, slot: u32, token: Token) {
        self.slots.insert(token.clone(), slot);
        self.names.entry(slot).or_default().push(token);
    }

    /// Takes all further names off a message.
    #[inline]
    pub(super) fn take(&mut self, slot: u32) -> Vec<Token> {
        if self.slots.is_empty() {
            return Vec::new();
        }
        let names = self.names.remove(&slot).unwrap_or_default();
        for name in &names {
            self.slots.remove(name);
        }
        names
    }
}
