//! Random graphs without cycles, and messages that pass them.

use std::collections::{BTreeSet, HashMap};

use super::naive::Message;
use crate::schedules::rng::Rng;

/// A graph: its nodes are numbered so that every edge leads to a higher number.
#[derive(Debug)]
pub(crate) struct Dag {
    pub(crate) nodes: usize,
    pub(crate) edges: BTreeSet<(usize, usize)>,
}

impl Dag {
    /// Each node but the first hangs off one to three that come before it.
    pub(crate) fn random(rng: &mut Rng, nodes: usize) -> Self {
        let mut edges = BTreeSet::new();
        for to in 1..nodes {
            for _ in 0..rng.pick(&[1, 1, 1, 2, 2, 3]) {
                edges.insert((rng.below(to as u64) as usize, to));
            }
        }
        Self { nodes, edges }
    }

    /// Without the edges beside which there is a longer way: orders cannot show them.
    pub(crate) fn reduced(mut self) -> Self {
        let ways = self.ways();
        let beside = |&(from, to): &(usize, usize)| (from + 1..to).any(|node| ways[from][node] && ways[node][to]);
        self.edges.retain(|edge| !beside(edge));
        self
    }

    /// Which node leads to which.
    pub(crate) fn ways(&self) -> Vec<Vec<bool>> {
        let mut ways = vec![vec![false; self.nodes]; self.nodes];
        for &(from, to) in self.edges.iter().rev() {
            ways[from][to] = true;
            let further = ways[to].clone();
            for (way, further) in ways[from].iter_mut().zip(further) {
                *way |= further;
            }
        }
        ways
    }

    fn parents(&self, node: usize) -> Vec<usize> {
        self.edges.iter().filter(|&&(_, to)| to == node).map(|&(from, _)| from).collect()
    }

    /// A message that passes every node; one with several parents waits for all of them.
    pub(crate) fn pass_all(&self, rng: &mut Rng, start_us: u64) -> Message {
        let mut seen = HashMap::from([(0, start_us)]);
        for node in 1..self.nodes {
            let ready = self.parents(node).iter().map(|parent| seen[parent]).max().unwrap_or(start_us);
            seen.insert(node, ready + latency_us(rng));
        }
        apart(Message { seen, named: BTreeSet::new() })
    }

    /// A message that takes each edge out of a node or does not; a node is passed when the first comes. Answers with it the
    /// edge by which it came to each node.
    pub(crate) fn pass_some(&self, rng: &mut Rng, start_us: u64) -> (Message, HashMap<usize, usize>) {
        let (mut seen, mut came) = (HashMap::from([(0, start_us)]), HashMap::new());
        for node in 1..self.nodes {
            for parent in self.parents(node) {
                let Some(&left_us) = seen.get(&parent) else { continue };
                let at_us = left_us + latency_us(rng);
                if rng.percent(60) && seen.get(&node).is_none_or(|&other_us| at_us < other_us) {
                    seen.insert(node, at_us);
                    came.insert(node, parent);
                }
            }
        }
        (apart(Message { seen, named: BTreeSet::new() }), came)
    }
}

/// From a microsecond to some minutes; each order of magnitude is as likely as another.
fn latency_us(rng: &mut Rng) -> u64 {
    let magnitude = rng.below(28);
    (1 << magnitude) + rng.below(1 << magnitude)
}

/// Moves sightings at the same time apart, in the order of the nodes.
fn apart(mut message: Message) -> Message {
    for (node, at_us) in &mut message.seen {
        *at_us = *at_us * 64 + *node as u64;
    }
    message
}
