//! The ways that messages take: the edges of all streams laid over each other.

use std::collections::{HashMap, VecDeque};

use super::faults::{Faults, Share};
use crate::graph::{CountCheck, Stream, System};

/// The longest that an edge takes where nothing goes wrong, in microseconds.
const LATENCY_MAX_US: u64 = 20_000;
/// A whole journey takes at most the shortest deadline over this.
const HURRY: u64 = 4;

/// From one node to another, whichever streams declare it.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The shortest deadline on it, where there is one.
    pub(super) within_us: Option<u64>,
    /// How long the judge waits beyond that.
    pub(super) wait_us: u64,
    /// Only some messages take it.
    pub(super) optional: bool,
    /// Messages go over in numbers.
    pub(super) count: Option<CountCheck>,
    /// How long it takes where nothing goes wrong.
    pub(super) latency_us: (u64, u64),
    pub(super) loss: Share,
    pub(super) late: Share,
}

/// All ways. Nodes are indices in [`System::nodes`].
#[derive(Debug)]
pub(super) struct Ways {
    pub(super) all: Vec<Way>,
    /// By node: the ways out of it.
    pub(super) out: Vec<Vec<usize>>,
    /// By node: its place in an order in which every way leads forward.
    pub(super) place: Vec<usize>,
    /// For each part of the graph that hangs together: the nodes that no way leads to.
    pub(super) roots: Vec<Vec<usize>>,
}

impl Ways {
    pub(super) fn new(system: &System) -> Result<Self, String> {
        let mut ways = collect(system);
        let nodes = system.nodes.len();
        let place = places(nodes, &ways);
        // Streams are free of cycles, all of them together need not be: a way that closes one is not taken.
        ways.retain(|way| place[way.from] < place[way.to]);
        if ways.is_empty() {
            return Err("the manifest has no edge and no two nodes: there is no way for a message".to_owned());
        }
        let mut out = vec![Vec::new(); nodes];
        for (index, way) in ways.iter().enumerate() {
            out[way.from].push(index);
        }
        let mut this = Self { all: ways, out, place, roots: Vec::new() };
        let part = this.parts(nodes);
        this.set_latencies(&part);
        this.set_roots(&part);
        Ok(this)
    }

    /// Puts the faults on the ways, which go by `FROM/TO`.
    pub(super) fn set_faults(&mut self, system: &System, faults: &Faults) -> Result<(), String> {
        let name = |way: &Way| format!("{}/{}", system.nodes[way.from], system.nodes[way.to]);
        let names: Vec<_> = self.all.iter().map(name).collect();
        let places = || names.iter().map(String::as_str);
        faults.loss.check("--loss", "edge", &places())?;
        faults.late.check("--late", "edge", &places())?;
        for (way, name) in self.all.iter_mut().zip(&names) {
            (way.loss, way.late) = (faults.loss.of(name), faults.late.of(name));
        }
        Ok(())
    }

    /// By node: the first node of the part of the graph that it hangs together with.
    fn parts(&self, nodes: usize) -> Vec<usize> {
        let mut part: Vec<_> = (0..nodes).collect();
        let mut changed = true;
        while changed {
            changed = false;
            for way in &self.all {
                let first = part[way.from].min(part[way.to]);
                changed |= part[way.from] != first || part[way.to] != first;
                (part[way.from], part[way.to]) = (first, first);
            }
        }
        part
    }

    /// So quick that a message meets every deadline on all ways that meet again, however they add up.
    fn set_latencies(&mut self, part: &[usize]) {
        let mut by_place: Vec<_> = (0..part.len()).collect();
        by_place.sort_unstable_by_key(|&node| self.place[node]);
        let mut depth = vec![0_u64; part.len()];
        for node in by_place {
            for &way in &self.out[node] {
                let to = self.all[way].to;
                depth[to] = depth[to].max(depth[node] + 1);
            }
        }
        let mut most_us = vec![LATENCY_MAX_US; part.len()];
        let mut deepest = vec![1; part.len()];
        for way in &self.all {
            let here = part[way.from];
            most_us[here] = most_us[here].min(way.within_us.unwrap_or(u64::MAX));
            deepest[here] = deepest[here].max(depth[way.to]);
        }
        for way in &mut self.all {
            let here = part[way.from];
            let shortest_us = way.within_us.unwrap_or(u64::MAX).min(most_us[here]);
            let most_us = (shortest_us / (HURRY * deepest[here])).clamp(1, LATENCY_MAX_US);
            way.latency_us = (most_us / 4, most_us);
        }
    }

    fn set_roots(&mut self, part: &[usize]) {
        let mut roots: Vec<Vec<usize>> = vec![Vec::new(); part.len()];
        for node in 0..part.len() {
            if !self.out[node].is_empty() && self.all.iter().all(|way| way.to != node) {
                roots[part[node]].push(node);
            }
        }
        roots.retain(|roots| !roots.is_empty());
        self.roots = roots;
    }
}

/// The edges of all streams, each pair of nodes once; where one goes message by message, it does so for all.
fn collect(system: &System) -> Vec<Way> {
    let mut ways: Vec<Way> = Vec::new();
    let mut known = HashMap::new();
    for stream in &system.streams {
        for way in declared(stream) {
            let at = *known.entry((way.from, way.to)).or_insert(ways.len());
            let Some(before) = ways.get_mut(at) else {
                ways.push(way);
                continue;
            };
            before.within_us = [before.within_us, way.within_us].into_iter().flatten().min();
            before.wait_us = before.wait_us.min(way.wait_us);
            before.optional &= way.optional;
            if way.count.is_none() {
                before.count = None;
            }
        }
    }
    ways
}

/// The ways of one stream. Without edges, its nodes are passed in their order, so that discovery has something to find.
fn declared(stream: &Stream) -> Vec<Way> {
    let id = |place: usize| stream.nodes[place].id.0 as usize;
    let way = |from, to| Way {
        from: id(from),
        to: id(to),
        within_us: None,
        wait_us: 0,
        optional: false,
        count: None,
        latency_us: (0, 0),
        loss: Share::default(),
        late: Share::default(),
    };
    if stream.edges.is_empty() {
        return (1..stream.nodes.len()).map(|to| way(to - 1, to)).collect();
    }
    let edges = stream.edges.iter().map(|edge| Way {
        within_us: edge.check.as_ref().map(|check| check.within_us),
        wait_us: edge.wait_us(),
        optional: edge.check.as_ref().is_some_and(|check| check.optional),
        count: edge.count(),
        ..way(edge.from, edge.to)
    });
    edges.collect()
}

/// By node: its place in an order in which as many ways as can be lead forward.
fn places(nodes: usize, ways: &[Way]) -> Vec<usize> {
    let mut before = vec![0_usize; nodes];
    let mut out = vec![Vec::new(); nodes];
    for way in ways {
        before[way.to] += 1;
        out[way.from].push(way.to);
    }
    let mut place = vec![usize::MAX; nodes];
    let mut free: VecDeque<_> = (0..nodes).filter(|&node| before[node] == 0).collect();
    for next in 0..nodes {
        // Where all that is left stands in a cycle, the first of it begins.
        let left = || (0..nodes).find(|&node| place[node] == usize::MAX);
        let Some(node) = free.pop_front().or_else(left) else { break };
        place[node] = next;
        for &to in &out[node] {
            before[to] -= 1;
            if before[to] == 0 && place[to] == usize::MAX {
                free.push_back(to);
            }
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(from: usize, to: usize) -> Way {
        let shares = (Share::default(), Share::default());
        Way {
            from,
            to,
            within_us: None,
            wait_us: 0,
            optional: false,
            count: None,
            latency_us: (0, 0),
            loss: shares.0,
            late: shares.1,
        }
    }

    #[test]
    fn every_way_leads_forward_but_one_of_each_circle() {
        let ways = [(0, 1), (1, 2), (0, 2), (3, 0)].map(|(from, to)| way(from, to));
        let place = places(4, &ways);
        assert!(ways.iter().all(|way| place[way.from] < place[way.to]), "{place:?}");
        let circle = [(0, 1), (1, 2), (2, 0)].map(|(from, to)| way(from, to));
        let place = places(3, &circle);
        assert_eq!(circle.iter().filter(|way| place[way.from] < place[way.to]).count(), 2, "{place:?}");
    }
}
