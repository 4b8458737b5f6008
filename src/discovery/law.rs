//! What follows from the orders in which messages pass the nodes.
//!
//! `U -> D` is drawn when, of the messages seen at both, U comes first in at least 95 %, and they are not
//! explained by others: the third nodes that come after U and before D in at least 95 % of the messages
//! seen at all three do not, together, cover 95 % of the messages seen at U and D.

use serde::{Deserialize, Serialize};

use super::bits::Bits;
use super::evidence::{Evidence, Pair};

/// What the evidence says of one edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) from: usize,
    pub(super) to: usize,
    /// How strong an edge it is; `None` where it is none.
    pub(super) strength: Option<Strength>,
}

/// How strong the evidence for an edge is: the share of messages that came to its upstream first, then
/// their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Strength {
    millionths: u32,
    messages: u32,
}

impl Strength {
    /// Of this share, in millionths, of so many messages.
    pub(super) fn of(millionths: u32, messages: u32) -> Self {
        Self { millionths, messages }
    }
}

/// Whether `part` is at least 95 % of `whole`.
pub(super) fn nearly_all(part: u32, whole: u32) -> bool {
    u64::from(part) * 100 >= u64::from(whole) * 95
}

/// Rules on every edge that the sample says something about, in the order of `to`, then `from`; and how many times
/// sets of messages were held against each other for that.
pub(super) fn rule(evidence: &Evidence) -> (Vec<Ruling>, u64) {
    let by_node = evidence.by_node();
    let late = lateness(&by_node);
    let mut rulings = Vec::new();
    let mut work = 0;
    for (to, pairs) in by_node.iter().enumerate() {
        let mut bench = Bench::new(&by_node, &late, to, evidence.unnamed(to));
        for pair in pairs {
            let from = pair.other(to);
            let messages = pair.both() & bench.unnamed;
            if !messages.is_empty() {
                rulings.push(Ruling { from, to, strength: bench.judge(from, pair, messages) });
            }
        }
        work += bench.work;
    }
    (rulings, work)
}

/// By node: how many others come before it more often than not.
fn lateness(by_node: &[Vec<&Pair>]) -> Vec<usize> {
    let comes_second = |node: usize, pair: &Pair| pair.first_at(node).count() * 2 < pair.both().count();
    let late = |(node, pairs): (usize, &Vec<&Pair>)| pairs.iter().filter(|pair| comes_second(node, pair)).count();
    by_node.iter().enumerate().map(late).collect()
}

/// Judges the edges to one node.
struct Bench<'a> {
    by_node: &'a [Vec<&'a Pair>],
    /// Messages that count for edges to it.
    unnamed: &'a Bits,
    /// Nodes that come before it in some message, with their pairs. In front those that explained an edge lately, then those
    /// that are late in the stream: they are likely to explain the next.
    thirds: Vec<(usize, &'a Pair)>,
    work: u64,
}

impl<'a> Bench<'a> {
    fn new(by_node: &'a [Vec<&'a Pair>], late: &[usize], to: usize, unnamed: &'a Bits) -> Self {
        let thirds = by_node[to].iter().map(|&pair| (pair.other(to), pair));
        let mut thirds: Vec<_> = thirds.filter(|(third, pair)| !pair.first_at(*third).is_empty()).collect();
        thirds.sort_by_key(|&(third, _)| std::cmp::Reverse(late[third]));
        Self { by_node, unnamed, thirds, work: 0 }
    }

    /// Judges the edge from `from`, whose pair with `to` is `pair`, by those `messages`.
    fn judge(&mut self, from: usize, pair: &Pair, messages: Bits) -> Option<Strength> {
        let whole = messages.count();
        let first = (messages & &pair.first_at(from)).count();
        self.work += 1;
        if !nearly_all(first, whole) || self.explained(from, whole) {
            return None;
        }
        let millionths = (u64::from(first) * 1_000_000 / u64::from(whole)) as u32;
        Some(Strength::of(millionths, whole))
    }

    /// Whether third nodes between the two cover 95 % of the `whole` messages.
    fn explained(&mut self, from: usize, whole: u32) -> bool {
        let mut covered = Bits::NONE;
        for at in 0..self.thirds.len() {
            let (third, with_to) = self.thirds[at];
            let Ok(found) = self.by_node[from].binary_search_by_key(&third, |pair| pair.other(from)) else { continue };
            let first = self.by_node[from][found].first_at(from);
            self.work += 1;
            // The messages seen at all three, and those of them that passed them in order.
            let all_three = self.by_node[from][found].both() & &with_to.both() & self.unnamed;
            let between = all_three & &first & &with_to.first_at(third);
            if between.is_empty() || !nearly_all(between.count(), all_three.count()) {
                continue;
            }
            covered |= all_three;
            if nearly_all(covered.count(), whole) {
                self.thirds[..=at].rotate_right(1);
                return true;
            }
        }
        false
    }
}
