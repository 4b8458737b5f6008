//! The journey of one message: which nodes it comes to, and when.

use std::collections::BTreeMap;

use super::faults::Share;
use super::random::Random;
use super::ways::{Way, Ways};

/// A message is at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    pub(super) node: usize,
    /// When, from the start of the plan, by a clock that is right.
    pub(super) at_us: u64,
    /// Whether the node says so.
    pub(super) reported: bool,
}

/// Follows a message from a node, or some, on. Where ways meet it has come when all that bring it have.
/// Nodes where it `was` already are not visited again. `silent`: by node, how often one does not report.
pub(super) fn travel(
    ways: &Ways,
    optional: Share,
    silent: &[Share],
    starts: &[(usize, u64)],
    was: impl Fn(usize) -> bool,
    random: &mut Random,
) -> Vec<Visit> {
    let mut ahead: BTreeMap<usize, (usize, u64)> = BTreeMap::new();
    let come = |ahead: &mut BTreeMap<_, _>, node: usize, at_us: u64| {
        let (_, last_us) = ahead.entry(ways.place[node]).or_insert((node, at_us));
        *last_us = at_us.max(*last_us);
    };
    for &(node, at_us) in starts {
        come(&mut ahead, node, at_us);
    }
    let mut visits = Vec::new();
    // Every way leads forward, so nothing comes to the first any more.
    while let Some((_, (node, at_us))) = ahead.pop_first() {
        if was(node) {
            continue;
        }
        visits.push(Visit { node, at_us, reported: !random.chance(silent[node]) });
        for way in ways.out[node].iter().map(|&way| &ways.all[way]).filter(|way| way.count.is_none()) {
            let taken = !way.optional || random.chance(optional);
            let lost = random.chance(way.loss);
            let latency_us = way.takes_us(random);
            if taken && !lost {
                come(&mut ahead, way.to, at_us + latency_us);
            }
        }
    }
    visits
}

impl Way {
    /// How long a message is on it this time.
    pub(super) fn takes_us(&self, random: &mut Random) -> u64 {
        let (least_us, most_us) = self.latency_us;
        let latency_us = random.between(least_us, most_us);
        let late = random.chance(self.late);
        let after_us = self.too_late_us(random);
        self.within_us.filter(|_| late).map_or(latency_us, |within_us| within_us + after_us)
    }

    /// How much later than allowed: half of them while the judge still waits, half of them after that, but
    /// as long as the message is remembered.
    fn too_late_us(&self, random: &mut Random) -> u64 {
        let wait_us = self.wait_us;
        let (least_us, most_us) = if random.next().is_multiple_of(2) {
            (wait_us / 10, wait_us / 2)
        } else {
            (wait_us * 11 / 10, wait_us * 13 / 10)
        };
        let shortest_us = 1_000;
        random.between(least_us, most_us).max(shortest_us)
    }
}
