//! What follows from the orders in which messages pass the nodes.
//!
//! `U -> D` is drawn when, of the messages seen at both, U comes first in at least 95 %, and they are not
//! explained by others: the third nodes that come after U and before D in at least 95 % of the messages
//! seen at all three do not, together, cover 95 % of the messages seen at U and D.

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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

/// Rules on every edge that the sample says something about, in the order of `to`, then `from`; and how many
/// pairs of messages' sets were held against each other for that.
pub(super) fn rule(evidence: &Evidence) -> (Vec<Ruling>, u64) {
    let by_node = evidence.by_node();
    let mut bench =
        Bench { by_node: &by_node, to: 0, unnamed: &Bits::NONE, with_to: Vec::new(), tried: Vec::new(), work: 0 };
    let mut rulings = Vec::new();
    for (to, pairs) in by_node.iter().enumerate() {
        bench.turn_to(to, evidence.unnamed(to));
        for pair in pairs {
            let from = pair.other(to);
            let messages = pair.both() & evidence.unnamed(to);
            if !messages.is_empty() {
                rulings.push(Ruling { from, to, strength: bench.judge(from, pair, messages) });
            }
        }
    }
    (rulings, bench.work)
}

/// Judges the edges to one node after another.
struct Bench<'a> {
    by_node: &'a [Vec<&'a Pair>],
    to: usize,
    /// Messages that count for edges to it.
    unnamed: &'a Bits,
    /// By node: its pair with `to`.
    with_to: Vec<Option<&'a Pair>>,
    /// Nodes that explained an edge to `to` lately: likely to explain the next, too. The last one first.
    tried: Vec<usize>,
    work: u64,
}

impl<'a> Bench<'a> {
    fn turn_to(&mut self, to: usize, unnamed: &'a Bits) {
        (self.to, self.unnamed) = (to, unnamed);
        self.tried.clear();
        self.with_to.clear();
        self.with_to.resize(self.by_node.len(), None);
        for pair in &self.by_node[to] {
            self.with_to[pair.other(to)] = Some(pair);
        }
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
        let by_node = self.by_node;
        let pairs = &by_node[from];
        let mut covered = Bits::NONE;
        for at in (0..self.tried.len()).rev() {
            let third = self.tried[at];
            let Ok(found) = pairs.binary_search_by_key(&third, |pair| pair.other(from)) else { continue };
            if self.covers(from, third, pairs[found], &mut covered, whole) {
                let third = self.tried.remove(at);
                self.tried.push(third);
                return true;
            }
        }
        for pair in pairs {
            let third = pair.other(from);
            if third != self.to && self.covers(from, third, pair, &mut covered, whole) {
                self.tried.retain(|&tried| tried != third);
                self.tried.push(third);
                return true;
            }
        }
        false
    }

    /// Adds what a third node explains, if it lies between; answers whether 95 % are covered now.
    fn covers(&mut self, from: usize, third: usize, pair: &Pair, covered: &mut Bits, whole: u32) -> bool {
        let Some(with_to) = self.with_to[third] else { return false };
        self.work += 1;
        let all_three = pair.both() & &with_to.both() & self.unnamed;
        let seen = all_three.count();
        if seen == 0 {
            return false;
        }
        let between = all_three & &pair.first_at(from) & &with_to.first_at(third);
        if !nearly_all(between.count(), seen) {
            return false;
        }
        *covered |= all_three;
        nearly_all(covered.count(), whole)
    }
}
