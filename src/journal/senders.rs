//! Who sends that no stream knows: a table that stays small whatever names come.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::board::UnknownSender;

/// The most names that are kept apart.
const NAMES_MAX: usize = 100;
/// How the rest is called, last on the board.
const OTHERS: &str = "(others)";

/// Events by the unknown name that sent them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Senders {
    by_name: HashMap<String, u64>,
    others: u64,
}

impl Senders {
    /// Counts one event.
    pub fn count(&mut self, name: &str) {
        if let Some(events) = self.by_name.get_mut(name) {
            *events += 1;
        } else if self.by_name.len() < NAMES_MAX {
            self.by_name.insert(name.to_owned(), 1);
        } else {
            self.others += 1;
        }
    }

    /// The names, most events first, and the rest as one at the end.
    pub fn list(&self) -> Vec<UnknownSender> {
        let mut list: Vec<_> =
            self.by_name.iter().map(|(name, &events)| UnknownSender { name: name.clone(), events }).collect();
        list.sort_unstable_by(|a, b| b.events.cmp(&a.events).then_with(|| a.name.cmp(&b.name)));
        if self.others > 0 {
            list.push(UnknownSender { name: OTHERS.to_owned(), events: self.others });
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_names_take_bounded_room() {
        let mut senders = Senders::default();
        for name in 0..1000 {
            senders.count(&format!("node-{name}"));
        }
        senders.count("node-7");
        let list = senders.list();
        assert_eq!(list.len(), NAMES_MAX + 1);
        assert_eq!(list[0], UnknownSender { name: "node-7".to_owned(), events: 2 });
        assert_eq!(list[NAMES_MAX], UnknownSender { name: OTHERS.to_owned(), events: 900 });
    }
}
