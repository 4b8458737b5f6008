//! The law of discovery, read literally, from all messages.

use std::collections::{BTreeSet, HashMap};

/// Where one message was seen, and when; `named` where the event there named its parent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) seen: HashMap<usize, u64>,
    pub(crate) named: BTreeSet<usize>,
}

impl Message {
    fn at(&self, nodes: &[usize]) -> bool {
        nodes.iter().all(|node| self.seen.contains_key(node))
    }

    fn in_order(&self, nodes: &[usize]) -> bool {
        nodes.windows(2).all(|two| self.seen[&two[0]] < self.seen[&two[1]])
    }
}

/// The edges that orders show. No message may be at two nodes at the same time.
pub(crate) fn edges(nodes: usize, messages: &[Message]) -> BTreeSet<(usize, usize)> {
    let mut edges = BTreeSet::new();
    for from in 0..nodes {
        for to in (0..nodes).filter(|&to| to != from) {
            let at_both: Vec<_> =
                messages.iter().filter(|message| message.at(&[from, to]) && !message.named.contains(&to)).collect();
            let first = at_both.iter().filter(|message| message.in_order(&[from, to])).count();
            if at_both.is_empty() || first * 100 < at_both.len() * 95 {
                continue;
            }
            let between = |third: usize| {
                let all_three: Vec<_> = at_both.iter().filter(|message| message.at(&[third])).collect();
                let in_order = all_three.iter().filter(|message| message.in_order(&[from, third, to])).count();
                !all_three.is_empty() && in_order * 100 >= all_three.len() * 95
            };
            let others = (0..nodes).filter(|&third| third != from && third != to);
            let thirds: Vec<_> = others.filter(|&third| between(third)).collect();
            let covered = at_both.iter().filter(|message| thirds.iter().any(|&third| message.at(&[third]))).count();
            if covered * 100 < at_both.len() * 95 {
                edges.insert((from, to));
            }
        }
    }
    edges
}
