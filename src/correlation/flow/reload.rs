//! A stream goes on in another shape: what stays keeps its requests, their deadlines and its lost list.

use super::{Flow, Kind, Shape, State};
use crate::correlation::count::Groups;
use crate::correlation::sight::Sight;
use crate::correlation::verdicts::{Decision, Verdicts};
use crate::graph::{Moves, System};
use crate::outcome::Outcome;

impl Flow {
    /// Takes the shape of the system's stream at `index`. `out` still knows the edges by their old places.
    #[must_use]
    pub fn reload(
        mut self,
        system: &System,
        index: usize,
        moves: &Moves,
        now_us: u64,
        out: &mut impl Verdicts,
    ) -> Self {
        let counted = |kind| matches!(kind, Kind::Count(_));
        let stream = &system.streams[index];
        let shape = Shape::new(stream, system.remember_us);
        for (edge, &place) in moves.edges.iter().enumerate() {
            let same_kind =
                place.is_some_and(|place| counted(shape.rules[place].kind) == counted(self.shape.rules[edge].kind));
            if !same_kind {
                self.state.give_up_edge(&self.shape, edge, now_us, out);
            }
        }
        let old_edges = moves.old_edges(stream);
        let groups = stream.edges.iter().enumerate().filter_map(|(edge, declared)| {
            let fresh = Groups::of(edge, declared, stream.memory_us(), system.max_tokens)?;
            let Some(old) = old_edges[edge] else { return Some(fresh) };
            Some(match self.shape.rules[old].kind {
                Kind::Count(groups) => self.state.groups[groups].carry_into(fresh, now_us, out),
                Kind::Timed | Kind::Open => fresh.placing_from(self.state.placed[old]),
            })
        });
        let groups = groups.collect();
        let begins = |(edge, old): (usize, &Option<usize>)| {
            !counted(shape.rules[edge].kind) && old.is_none_or(|old| counted(self.shape.rules[old].kind))
        };
        let begun: Vec<bool> = old_edges.iter().enumerate().map(begins).collect();
        self.state.move_edges(&self.shape, &shape, &old_edges);
        self.state.groups = groups;
        self.state.move_tokens(&shape, moves, &begun);
        self.state.sights = stream.edges.iter().map(|edge| Sight::clear(edge.wait_us())).collect();
        self.state.idle_until_us = 0;
        self.shape = shape;
        self
    }
}

impl State {
    /// All that is in flight on an edge becomes indeterminate: the edge goes, or is judged in another way.
    fn give_up_edge(&mut self, shape: &Shape, edge: usize, now_us: u64, out: &mut impl Verdicts) {
        let rule = shape.rules[edge];
        if let Kind::Count(groups) = rule.kind {
            self.groups[groups].give_up(now_us, out);
            return;
        }
        for slot in self.tokens.slots() {
            self.tokens.load(slot, &mut self.seen);
            if self.seen.at(rule.from).is_none() || self.seen.at(rule.to).is_some() {
                continue;
            }
            let waits = self.requests.find(self.tokens.requests(slot), edge);
            if waits.is_none_or(|request| self.requests.is_in_flight(request)) {
                let token = self.tokens.token(slot);
                out.decided(&Decision::unmatched(edge, Outcome::Indeterminate, &token, now_us));
            }
            if let Some(request) = waits {
                self.close_request(slot, request);
            }
            self.requeue(slot);
        }
    }

    /// Moves what is kept by edge.
    fn move_edges(&mut self, old_shape: &Shape, shape: &Shape, old_edges: &[Option<usize>]) {
        let mut lost = std::mem::take(&mut self.lost);
        let placed = |old: usize| match old_shape.rules[old].kind {
            Kind::Count(groups) => self.groups[groups].placed(),
            Kind::Timed | Kind::Open => self.placed[old],
        };
        let places = old_edges.iter().map(|old| old.map_or(0, placed)).collect();
        self.placed = places;
        self.lost =
            old_edges.iter().map(|old| old.map(|old| std::mem::take(&mut lost[old])).unwrap_or_default()).collect();
        self.requests.move_lines(old_edges, shape.rules.iter().map(|rule| rule.patience_us));
    }

    /// Moves the tokens' sightings and requests; on the edges that begin now, what came before is no request.
    /// A token that was seen only at nodes that are gone is forgotten.
    fn move_tokens(&mut self, shape: &Shape, moves: &Moves, begun: &[bool]) {
        for slot in self.tokens.slots() {
            let chain: Vec<u32> = self.requests.chain(self.tokens.requests(slot)).collect();
            for request in chain {
                let edge = moves.edges[self.requests.get(request).edge as usize];
                match edge.filter(|&edge| !matches!(shape.rules[edge].kind, Kind::Count(_))) {
                    Some(edge) => self.requests.set_edge(request, edge),
                    None => self.close_request(slot, request),
                }
            }
            if !self.tokens.move_sightings(slot, &moves.nodes) {
                self.requests.close_all(self.tokens.requests(slot));
                self.tokens.remove(slot);
                continue;
            }
            self.tokens.load(slot, &mut self.seen);
            for rule in shape.rules.iter().filter(|rule| begun[rule.edge]) {
                if self.seen.at(rule.from).is_some() && self.seen.at(rule.to).is_none() {
                    let first = self.requests.uncounted(rule.edge, slot, self.tokens.requests(slot));
                    self.tokens.set_requests(slot, first);
                }
            }
            self.requeue(slot);
        }
    }

    fn close_request(&mut self, slot: u32, request: u32) {
        let first = self.requests.close(self.tokens.requests(slot), request);
        self.tokens.set_requests(slot, first);
    }

    /// Settles a token that no longer waits for a deadline.
    fn requeue(&mut self, slot: u32) {
        let waits = self.requests.any_in_flight(self.tokens.requests(slot));
        if !waits && self.tokens.queue_of(slot) == crate::correlation::tokens::Queue::Waiting {
            self.tokens.settle(slot);
        }
    }
}
