//! In which order things stand within a column.
//!
//! The nodes come one after the other, as the manifest names them, each to where its edges to those that are there cross
//! least; none makes another move. So a node that is added at the end leaves all others in their order. Where edges
//! pass between them is looked for when all nodes stand.

use std::collections::BTreeSet;

use super::columns::{Draft, Stop};
use super::plan::Plan;

/// How often it is tried to let edges pass better.
const ROUNDS: usize = 4;

/// The columns from left to right, and what stands in each from top to bottom: nodes by their index, then the edges'
/// stops.
#[derive(Debug)]
pub(super) struct Order {
    /// What stands where.
    pub(super) layers: Vec<Vec<usize>>,
    /// By thing: its layer, and its place there.
    layer_of: Vec<usize>,
    place_of: Vec<usize>,
    /// By thing: what it is linked to in the layer before, and in the one behind.
    links: [Vec<Vec<usize>>; 2],
    /// By edge: the first of its stops among the things.
    first_stops: Vec<usize>,
}

/// Towards the layer before, and the one behind.
const BEFORE: usize = 0;
const BEHIND: usize = 1;

impl Order {
    /// Orders what stands in the columns of a draft; `None` where an edge does not pass them one after the other.
    pub(super) fn of(plan: &Plan, draft: &Draft) -> Option<Self> {
        let stops = || draft.ways.iter().flat_map(|(stops, _)| stops);
        let columns: BTreeSet<i64> = draft.nodes.iter().chain(stops()).map(|stop| stop.column).collect();
        let columns: Vec<i64> = columns.into_iter().collect();
        let layer = |stop: &Stop| columns.binary_search(&stop.column).ok();
        let layer_of = draft.nodes.iter().chain(stops()).map(layer).collect::<Option<Vec<usize>>>()?;
        let mut first_stops = Vec::new();
        let mut next = draft.nodes.len();
        for (stops, _) in &draft.ways {
            first_stops.push(next);
            next += stops.len();
        }
        let mut order = Self {
            layers: vec![Vec::new(); columns.len()],
            links: [vec![Vec::new(); next], vec![Vec::new(); next]],
            place_of: vec![0; next],
            layer_of,
            first_stops,
        };
        let ways: Vec<Vec<usize>> = plan
            .edges
            .iter()
            .enumerate()
            .map(|(edge, planned)| {
                let first = order.first_stops[edge];
                let stops = first..first + draft.ways[edge].0.len();
                std::iter::once(planned.from).chain(stops).chain([planned.to]).collect()
            })
            .collect();
        let steps = |way: &Vec<usize>| way.windows(2).all(|two| order.layer_of[two[0]] + 1 == order.layer_of[two[1]]);
        if !ways.iter().all(steps) {
            return None;
        }
        for node in 0..draft.nodes.len() {
            order.come(node, ways.iter().filter(|way| way[0].max(way[way.len() - 1]) == node));
        }
        order.let_pass(draft.nodes.len());
        Some(order)
    }

    /// The stops of an edge among the things.
    pub(super) fn stops(&self, edge: usize, count: usize) -> std::ops::Range<usize> {
        self.first_stops[edge]..self.first_stops[edge] + count
    }

    /// A node comes, with its edges to those that are there.
    fn come<'w>(&mut self, node: usize, ways: impl Iterator<Item = &'w Vec<usize>>) {
        let mut costs = vec![0; self.layers[self.layer_of[node]].len() + 1];
        let mut ends = Vec::new();
        for way in ways {
            let leads_here = way[way.len() - 1] == node;
            let way: Vec<usize> = if leads_here { way.clone() } else { way.iter().rev().copied().collect() };
            let side = if leads_here { BEHIND } else { BEFORE };
            // From the other end to the last before the node: wherever that then is.
            for two in way[..way.len() - 1].windows(2) {
                let costs = self.costs(two[0], side);
                self.insert(two[1], last_least(&costs));
                self.link(two[0], two[1], side);
            }
            let end = way[way.len() - 2];
            costs.iter_mut().zip(self.costs(end, side)).for_each(|(cost, more)| *cost += more);
            ends.push((end, side));
        }
        self.insert(node, last_least(&costs));
        for (end, side) in ends {
            self.link(end, node, side);
        }
    }

    /// What a new link from this thing would cross, by the place in the next layer on this side to which it led.
    fn costs(&self, from: usize, side: usize) -> Vec<usize> {
        let layer = self.layer_of[from];
        let next = if side == BEHIND { layer + 1 } else { layer - 1 };
        // By place in the next layer: links that come from above, and from below.
        let mut arrive = [vec![0; self.layers[next].len()], vec![0; self.layers[next].len()]];
        let mut below = 0;
        for &thing in &self.layers[layer] {
            if thing == from {
                below = 1;
                continue;
            }
            self.links[side][thing].iter().for_each(|&to| arrive[below][self.place_of[to]] += 1);
        }
        let mut cost: usize = arrive[0].iter().sum();
        let mut costs = vec![cost];
        for (above, below) in arrive[0].iter().zip(&arrive[1]) {
            cost = cost + below - above;
            costs.push(cost);
        }
        costs
    }

    fn insert(&mut self, thing: usize, place: usize) {
        let layer = self.layer_of[thing];
        self.layers[layer].insert(place, thing);
        self.count(layer);
    }

    /// Notes the places of a layer anew.
    fn count(&mut self, layer: usize) {
        for (place, &thing) in self.layers[layer].iter().enumerate() {
            self.place_of[thing] = place;
        }
    }

    fn link(&mut self, from: usize, to: usize, side: usize) {
        self.links[side][from].push(to);
        self.links[1 - side][to].push(from);
    }

    /// Moves each stop to where its edge crosses least; the nodes keep their order.
    fn let_pass(&mut self, nodes: usize) {
        for _ in 0..ROUNDS {
            let mut moved = false;
            for thing in nodes..self.layer_of.len() {
                let layer = self.layer_of[thing];
                let was = self.place_of[thing];
                self.layers[layer].remove(was);
                self.count(layer);
                let ends = [(self.links[BEFORE][thing][0], BEHIND), (self.links[BEHIND][thing][0], BEFORE)];
                let [one, other] = ends.map(|(end, side)| self.costs(end, side));
                let costs: Vec<usize> = one.iter().zip(&other).map(|(one, other)| one + other).collect();
                let least = last_least(&costs);
                let place = if costs[was] > costs[least] { least } else { was };
                moved |= place != was;
                self.insert(thing, place);
            }
            if !moved {
                return;
            }
        }
    }
}

/// The last of the places that cost least: who comes later stands below.
fn last_least(costs: &[usize]) -> usize {
    let least = costs.iter().min().copied().unwrap_or_default();
    costs.iter().rposition(|&cost| cost == least).unwrap_or_default()
}
