//! The edges that are drawn: those that events name, and those that orders show, without a cycle.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::law::{Ruling, Strength};

/// The most edges that are drawn in one stream.
pub(super) const EDGES_MAX: usize = 4096;

/// An edge: where from, where to.
type Ends = (usize, usize);

/// The edges of one stream.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Drawing {
    nodes: usize,
    declared: HashSet<Ends>,
    /// Edges that events named, in that order; with the declared ones they have no cycle.
    named: Vec<Ends>,
    /// Edges that orders show.
    ordered: HashMap<Ends, Strength>,
    /// What is drawn, in the order in which it was found.
    pub(super) drawn: Vec<Ends>,
    /// Grows with every change of `drawn`.
    pub(super) revision: u64,
    /// Edges that orders show and that would close a cycle, at the last look.
    pub(super) in_cycles: usize,
    /// Edges that are not drawn because there are [`EDGES_MAX`], at the last look.
    pub(super) over_limit: usize,
}

impl Drawing {
    pub(super) fn new(nodes: usize, declared: &[Ends]) -> Self {
        Self {
            nodes,
            declared: declared.iter().copied().collect(),
            named: Vec::new(),
            ordered: HashMap::new(),
            drawn: Vec::new(),
            revision: 0,
            in_cycles: 0,
            over_limit: 0,
        }
    }

    /// The same edges in a stream whose nodes stand elsewhere, or nowhere any more, without those that are declared.
    pub(super) fn moved(&self, nodes: usize, declared: &[Ends], moves: &[Option<usize>]) -> Self {
        let mut next = Self::new(nodes, declared);
        let moved = |&(from, to): &Ends| Some((moves[from]?, moves[to]?));
        let stays = |ends: &Ends| moved(ends).filter(|ends| !declared.contains(ends));
        next.drawn = self.drawn.iter().filter_map(stays).collect();
        next.ordered = self.ordered.iter().filter_map(|(ends, &strength)| Some((stays(ends)?, strength))).collect();
        for (from, to) in self.named.iter().filter_map(stays) {
            next.name(from, to);
        }
        next.redraw();
        next.revision = self.revision + 1;
        next
    }

    /// An event at `to` named `from` as its parent. Refused where that would close a cycle, or there are too many.
    pub(super) fn name(&mut self, from: usize, to: usize) -> bool {
        if self.declared.contains(&(from, to)) || self.named.contains(&(from, to)) {
            return true;
        }
        let mut ways = Ways::new(self.nodes, self.declared.iter().chain(&self.named));
        if self.named.len() >= EDGES_MAX || !ways.add((from, to)) {
            return false;
        }
        self.named.push((from, to));
        self.redraw();
        true
    }

    /// Takes what the evidence says. Edges about which it says nothing now stay.
    pub(super) fn take(&mut self, rulings: &[Ruling]) {
        for &Ruling { from, to, strength } in rulings {
            match strength {
                Some(strength) => self.ordered.insert((from, to), strength),
                None => self.ordered.remove(&(from, to)),
            };
        }
        // What is left of those without present evidence is the weakest.
        let ruled: HashSet<Ends> = rulings.iter().map(|ruling| (ruling.from, ruling.to)).collect();
        for (ends, strength) in &mut self.ordered {
            if !ruled.contains(ends) {
                *strength = Strength::default();
            }
        }
        self.redraw();
    }

    /// Draws what is named, then what orders show, the strongest first; what would close a cycle is left out.
    fn redraw(&mut self) {
        let mut ways = Ways::new(self.nodes, self.declared.iter().chain(&self.named));
        let mut ordered: Vec<_> = self.ordered.iter().map(|(&ends, &strength)| (strength, ends)).collect();
        ordered.sort_unstable_by(|(one, this), (other, that)| other.cmp(one).then(this.cmp(that)));
        let mut drawn = self.named.clone();
        (self.in_cycles, self.over_limit) = (0, 0);
        for (_, ends) in ordered {
            if self.declared.contains(&ends) || self.named.contains(&ends) {
                continue;
            }
            if drawn.len() >= EDGES_MAX {
                self.over_limit += 1;
                self.ordered.remove(&ends);
            } else if ways.add(ends) {
                drawn.push(ends);
            } else {
                self.in_cycles += 1;
            }
        }
        let now: HashSet<Ends> = drawn.iter().copied().collect();
        let before: HashSet<Ends> = self.drawn.iter().copied().collect();
        if now == before {
            return;
        }
        let mut new: Vec<_> = drawn.into_iter().filter(|ends| !before.contains(ends)).collect();
        new.sort_unstable();
        self.drawn.retain(|ends| now.contains(ends));
        self.drawn.append(&mut new);
        self.revision += 1;
    }
}

/// A graph that stays without cycles.
struct Ways {
    out: Vec<Vec<usize>>,
    /// By node: the number of the search that reached it last.
    reached: Vec<u32>,
    searches: u32,
}

impl Ways {
    fn new<'a>(nodes: usize, edges: impl Iterator<Item = &'a Ends>) -> Self {
        let mut out = vec![Vec::new(); nodes];
        for &(from, to) in edges {
            out[from].push(to);
        }
        Self { out, reached: vec![0; nodes], searches: 0 }
    }

    /// Adds an edge, unless it would close a cycle.
    fn add(&mut self, (from, to): Ends) -> bool {
        if self.leads(to, from) {
            return false;
        }
        self.out[from].push(to);
        true
    }

    /// Whether there is a way between two nodes, or they are one.
    fn leads(&mut self, from: usize, to: usize) -> bool {
        self.searches += 1;
        let mut ahead = vec![from];
        while let Some(node) = ahead.pop() {
            if node == to {
                return true;
            }
            for &next in &self.out[node] {
                if self.reached[next] != self.searches {
                    self.reached[next] = self.searches;
                    ahead.push(next);
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_edge_that_closes_a_cycle_is_refused() {
        let mut drawing = Drawing::new(4, &[(0, 1)]);
        assert!(drawing.name(1, 2));
        assert!(!drawing.name(2, 0), "0 -> 1 is declared");
        assert!(!drawing.name(2, 2));
        assert!(drawing.name(0, 1), "declared already");
        assert!(drawing.name(2, 3));
        assert_eq!(drawing.drawn, [(1, 2), (2, 3)]);
    }

    #[test]
    fn of_edges_in_a_circle_the_weakest_is_left_out() {
        let strong = |messages| Some(Strength::of(1_000_000, messages));
        let ruling = |from, to, strength| Ruling { from, to, strength };
        let mut drawing = Drawing::new(3, &[]);
        drawing.take(&[ruling(0, 1, strong(9)), ruling(1, 2, strong(7)), ruling(2, 0, strong(8))]);
        assert_eq!((&drawing.drawn[..], drawing.in_cycles), (&[(0, 1), (2, 0)][..], 1));
        // It comes back when the circle is gone, behind the others.
        drawing.take(&[ruling(0, 1, None)]);
        assert_eq!((&drawing.drawn[..], drawing.in_cycles), (&[(2, 0), (1, 2)][..], 0));
    }

    #[test]
    fn a_named_edge_goes_before_any_order() {
        let mut drawing = Drawing::new(2, &[]);
        drawing.take(&[Ruling { from: 0, to: 1, strength: Some(Strength::of(1_000_000, 1000)) }]);
        assert!(drawing.name(1, 0));
        assert_eq!(drawing.drawn, [(1, 0)]);
    }

    #[test]
    fn what_was_drawn_stays_until_the_evidence_is_against_it() {
        let mut drawing = Drawing::new(3, &[]);
        let edge = Ruling { from: 0, to: 1, strength: Some(Strength::of(1_000_000, 1)) };
        drawing.take(&[edge]);
        drawing.take(&[]);
        assert_eq!(drawing.drawn, [(0, 1)]);
        drawing.take(&[Ruling { strength: None, ..edge }]);
        assert_eq!(drawing.drawn, []);
    }
}
